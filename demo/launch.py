"""Launch: everything `make demo` shows, from an empty folder to a summary; whatever it starts it also stops."""

from __future__ import annotations

import argparse
import fcntl
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa
from rich.console import Console
from rich.markup import escape

from demo import database, mailbox, stack
from demo.api import ACTIVE, AirflowApi, is_caught_up
from demo.champions import run_shadow
from demo.generate import SEED, midnight, write_monitors
from demo.incidents import load_or_make
from demo.places import ROOT, Places
from demo.plan import DAY, Plan
from demo.processes import Children, DemoError, Step, clean_up, ending_on_signals
from demo.summary import Summary, failed, match, show, windows_checked
from demo.traffic import MODELS
from hindsight.ledger.connect import open_engine
from hindsight.ledger.ledger import Ledger
from hindsight.ledger.records import MailState, RequestState
from hindsight.monitors.loader import load_file

HINDSIGHT = (sys.executable, "-c", "from hindsight.cli import main; main()")
CAUGHT_UP_DAYS = 7  # what the scheduler does; everything older is computed by the command line, and told to nobody
UP_WITHIN_S, CAUGHT_UP_WITHIN_S = 180, 3600
UNFINISHED = {RequestState.REQUESTED, RequestState.STARTED, RequestState.CLAIMED}
UNSENT = {MailState.PENDING, MailState.SENDING}


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo under way: its plan, its database server and the environment of what it starts."""

    places: Places
    plan: Plan
    now: datetime
    server: sa.URL
    children: Children
    env: dict[str, str]
    console: Console

    @property
    def ledger(self) -> Ledger:
        """The ledger, its tables made."""
        ledger = Ledger(open_engine(self.server.set(database="ledger")))
        ledger.create()
        return ledger

    @contextmanager
    def step(self, text: str) -> Iterator[Callable[[str], None]]:
        """Say what is being done, and how long it took; what is yielded is told how far it is."""
        begun = time.monotonic()
        with self.console.status(text) as status:
            yield lambda far: status.update(f"{text} [dim]{escape(far)}[/]" if far else text)
        self.console.print(f"[green]✓[/] {text} [dim]{time.monotonic() - begun:.0f} s[/]")


def main() -> None:
    """Run the demo; exit 0 when everything planted was found and nothing else went wrong."""
    parser = argparse.ArgumentParser(prog="python -m demo.launch", description=__doc__)
    parser.add_argument("--once", action="store_true", help="stop after the summary")
    parser.add_argument("--data", type=Path, default=ROOT / "data")
    given = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 160)
    try:
        with ending_on_signals():
            code = launch(Places(given.data.resolve()), console, now=datetime.now(UTC), once=given.once)
    except KeyboardInterrupt:
        code = 130
    except DemoError as exc:
        console.print(f"demo: {exc}", style="red", markup=False)
        code = 1
    sys.exit(code)


def launch(places: Places, console: Console, *, now: datetime, once: bool) -> int:
    """Start what is needed, catch up, sum up, and stay until interrupted unless `once`; return the exit code."""
    places.demo.mkdir(parents=True, exist_ok=True)
    with ExitStack() as until_the_end:
        until_the_end.enter_context(_alone(places))
        if left := clean_up(places.pids):
            console.print(f"[yellow]ended {left} processes of a demo that was killed[/]")
        demo = _prepare(places, console, now, until_the_end)
        load(demo)
        compute_history(demo)
        api = start_airflow(demo)
        catch_up(demo, api)
        summary = summarise(demo, api)
        url, password = demo.env["AIRFLOW__API__BASE_URL"], stack.password(places)
        show(summary, console, snapshots=places.snapshots, mailbox=places.mailbox, url=url, password=password)
        if not once:
            _stay(demo, api)
    return 1 if summary.problems else 0


@contextmanager
def _alone(places: Places) -> Iterator[None]:
    """Hold the demo's lock: two demos on one folder would stop each other."""
    with (places.demo / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            raise DemoError(f"another demo is running on {places.demo}; stop it first") from exc
        yield


def _prepare(places: Places, console: Console, now: datetime, until_the_end: ExitStack) -> Demo:
    """Start the database and the mail server, fix the plan, and put the environment together."""
    end = midnight(now.date())
    plan = load_or_make(places.incidents, seed=SEED, end=end)
    write_monitors(plan, places.monitors, until=end)
    server = until_the_end.enter_context(database.running(places.postgres))
    smtp = until_the_end.enter_context(mailbox.serving(places.mailbox))
    stack.make_home(places)
    children = Children(places.logs, places.pids)
    until_the_end.callback(children.stop)
    env = stack.environment(places, server, smtp_port=smtp, since=plan.end - CAUGHT_UP_DAYS * DAY)
    env = stack.airflow_environment(env, places, server, port=mailbox.free_port(8080))
    return Demo(places, plan, now, server, children, env, console)


def load(demo: Demo) -> None:
    """Generate and load the days the warehouse does not hold, both models at once."""

    warehouse, ledger = (
        demo.server.set(database=part).render_as_string(hide_password=False) for part in ("warehouse", "ledger")
    )

    def generate(name: str) -> Step:
        given = ["--only", name, "--end", f"{demo.now:%Y-%m-%d}", "--folder", str(demo.places.demo)]
        targets = ["--warehouse", warehouse, "--ledger", ledger, "--models", str(demo.places.data / "models")]
        return Step(f"generate-{name}", [sys.executable, "-m", "demo.generate", *given, *targets], demo.env)

    with demo.step("Sixty days of inference logs and late labels of two models"):
        _ = demo.ledger
        demo.children.run([generate(model.stream.name)] for model in MODELS)


def compute_history(demo: Demo) -> None:
    """Compute everything before the last seven days with the command line, once, one monitor on each core."""
    start, end = demo.plan.start.isoformat(), (demo.plan.end - CAUGHT_UP_DAYS * DAY).isoformat()
    if demo.places.history.exists():
        return

    def command(verb: str, name: str) -> Step:
        arguments = [*HINDSIGHT, verb, name, "--start", start, "--end", end]
        return Step(f"{verb}-{name}", arguments, demo.env)

    names = [model.stream.name for model in MODELS]
    with demo.step(
        f"The older history, {(demo.plan.end - demo.plan.start) // DAY - CAUGHT_UP_DAYS} days, by command line"
    ) as far:
        demo.children.run(([command("run", name), command("labels", name)] for name in names), far)
    demo.places.history.write_text(json.dumps({"until": end}))


def start_airflow(demo: Demo) -> AirflowApi:
    """Start Airflow and wait until every component is healthy."""
    url = demo.env["AIRFLOW__API__BASE_URL"]
    api = AirflowApi(url, stack.password(demo.places))
    with demo.step(f"Airflow on {url}"):
        stack.migrate(demo.children, demo.env)
        stack.start(demo.children, demo.env)
        _wait(demo, api.is_up, within_s=UP_WITHIN_S, what="Airflow is not healthy")
    return api


def catch_up(demo: Demo, api: AirflowApi) -> None:
    """Wait until the scheduler has done the last days and the retraining they led to; approve what asks for it."""
    ledger, told = demo.ledger, time.monotonic()

    def done() -> bool:
        nonlocal told
        for run in api.approve_all():
            demo.console.print(f"  approved {run}", markup=False)
        dags, runs = api.dags(), api.runs()
        for dag in dags:
            if dag["is_paused"]:
                api.unpause(dag["dag_id"])
        if not demo.console.is_terminal and time.monotonic() - told > 60:
            told = time.monotonic()
            under_way = sum(run["state"] in ACTIVE for run in runs)
            demo.console.print(f"  {len(runs) - under_way} runs done, {under_way} under way")
        return is_caught_up(dags, runs, now=demo.now) and not _waits(ledger, runs)

    begun, before = time.monotonic(), api.tasks_done()
    with demo.step("The last seven days, by the scheduler"):
        _wait(demo, done, within_s=CAUGHT_UP_WITHIN_S, what="the last seven days are not caught up")
    tasks, seconds = api.tasks_done() - before, time.monotonic() - begun
    demo.console.print(f"  {tasks} tasks, {tasks / seconds:.1f} a second, at parallelism {stack.PARALLELISM}")


def _waits(ledger: Ledger, runs: list[dict[str, Any]]) -> bool:
    """Whether a mail waits to be sent, or a retraining to be started or ended; one whose run failed has ended."""
    broken = {run["dag_run_id"] for run in runs if run["state"] == "failed"}
    asked = [p for p in ledger.requests() if p.state in UNFINISHED and p.request.run_id not in broken]
    return bool(asked) or any(mail.state in UNSENT for mail in ledger.outbox())


def summarise(demo: Demo, api: AirflowApi) -> Summary:
    """Read from the ledger, the mailbox and Airflow what came of it all."""
    ledger = demo.ledger
    sizes = {m.name: m.window for m in map(load_file, sorted(demo.places.monitors.glob("*.yml")))}
    found, false_alarms = match(demo.plan, ledger.incidents(), sizes)
    urls = {part: demo.server.set(database=part) for part in ("warehouse", "ledger")}
    shadows = [
        run_shadow(model, **urls, data=str(demo.places.data), until=midnight(demo.now.date())) for model in MODELS
    ]
    return Summary(
        found=found,
        noticed={i.id: ledger.events(i.id)[0].at for one in found for i in one.incidents},
        false_alarms=false_alarms,
        windows=windows_checked(ledger),
        retrainings=tuple(ledger.requests()),
        failed_runs=failed(api.runs("failed")),
        mails=tuple(str(mail["Subject"]).strip() for _, mail in mailbox.mails(demo.places.mailbox)),
        undelivered=sum(mail.state not in (MailState.SENT, MailState.SUPPRESSED) for mail in ledger.outbox()),
        shadows=tuple(shadow for shadow in shadows if shadow is not None),
    )


def _wait(demo: Demo, done: Callable[[], bool], *, within_s: float, what: str) -> None:
    """Ask `done` every other second until it holds; DemoError when it does not in time or a process dies."""
    deadline = time.monotonic() + within_s
    while not _holds(done):
        demo.children.check()
        if time.monotonic() > deadline:
            raise DemoError(f"{what} after {within_s:.0f} s; see {demo.places.logs}")
        time.sleep(2)


def _holds(done: Callable[[], bool]) -> bool:
    """Ask once; an API that is too busy to answer has not answered yes."""
    try:
        return done()
    except httpx.TransportError:
        return False


def _stay(demo: Demo, api: AirflowApi) -> None:
    demo.console.print("Running until Ctrl-C.")
    while True:
        demo.children.check()
        time.sleep(1)


if __name__ == "__main__":
    main()
