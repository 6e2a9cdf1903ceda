"""The stage of a scenario: a past that is made once, and a copy of it for every case, in files that are in memory."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from hindsight.errors import DeliveryError
from hindsight.ledger.connect import open_engine
from hindsight.ledger.ledger import Ledger
from hindsight.messages.apprise_channel import AppriseChannel, quiet
from hindsight.messages.smtp_mailer import Security, SmtpMailer, SmtpSettings
from hindsight.pipeline.resources import Resources, no_channel
from hindsight.settings import Settings
from hindsight.training.registry import Registry
from tests.faults.children import Ending, forked
from tests.faults.scenarios import CANARY, FILE, Scenario
from tests.messages.smtp_server import Script, running
from tests.messages.webhook import Hook, hooked
from tests.pipeline.world import World, a_world, sqlite

MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class Stage:
    """Where a scenario is played: the world of the case, its past, and the servers that hear of it."""

    scenario: Scenario
    world: World
    past: Path
    case: Path
    hook: Hook

    @property
    def log(self) -> Path:
        """What the processes of a case said."""
        return self.case / "log"

    def reset(self) -> None:
        """Begin a case: all is as the past left it, and nobody has heard of anything."""
        shutil.rmtree(self.case, ignore_errors=True)
        shutil.copytree(self.past / "data", self.case / "data")
        for file in self.past.glob("ledger.db*"):
            shutil.copy(file, self.case)
        self.world.inbox.accepted.clear()
        self.hook.posts.clear()

    def warm(self) -> None:
        """Load and compile here what children will need; files lie elsewhere, for some are cached."""
        self.reset()
        assert self.world.monitor.name == "credit"  # read once, here
        elsewhere = replace(self.world.resources.settings, data=str(self.past / "warming"))
        shutil.copytree(self.past / "data", self.past / "warming")
        there = replace(self.world.resources, settings=elsewhere, channel=no_channel)  # whose threads die in a fork
        with quiet():  # its modules are loaded
            from apprise import Apprise

            Apprise().add("json://127.0.0.1")
        with suppress(DeliveryError):  # that the hook is unknown
            self.scenario.act(replace(self.world, resources=there), timedelta())


@contextmanager
def staged(scenario: Scenario) -> Iterator[Stage]:
    """Let the past of a scenario happen, start its servers, and warm this process for its cases."""
    where = str(MEMORY) if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="hindsight-faults-", dir=where) as folder:
        past, case = Path(folder, "past"), Path(folder, "case")
        inbox = Script()
        with running(inbox) as port, hooked() as hook:
            with a_world(sqlite(past), past, days=(), **FILE) as world:
                world.resources = replace(world.resources, **_secrets(hook))
                lived = forked(lambda: scenario.before(world), Path(folder, "log"))
                assert lived == Ending(), lived
            mailer = SmtpMailer(SmtpSettings("127.0.0.1", port, "hindsight@example.com", Security.CLEAR))
            settings = Settings(past, str(case / "data"), past / "monitors", past / "great_expectations")
            ledger = Ledger(open_engine(sqlite(case, "ledger.db")))
            registry = Registry(ledger.engine)
            resources = Resources(settings, lambda _: sqlite(past), ledger, registry, mailer, **_secrets(hook))
            stage = Stage(scenario, World(sqlite(past), case, resources, inbox), past, case, hook)
            stage.warm()
            yield stage


def _secrets(hook: Hook) -> dict[str, object]:
    url = f"json://127.0.0.1:{hook.port}/{CANARY}"
    return {"pii_key": f"{CANARY}, and longer than sixteen bytes".encode(), "channel": partial(AppriseChannel, url=url)}
