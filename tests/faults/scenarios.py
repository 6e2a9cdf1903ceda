"""What is swept: a window, a night of labels, a retraining and a rollback, each on a world that has lived before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sklearn.tree import DecisionTreeClassifier

from hindsight import pipeline
from hindsight.pipeline.act.rollback import roll_back
from hindsight.training.registry import ModelVersion
from tests.builders import HOUR, a_window, at
from tests.pipeline.world import REFERENCE, World, a_day, days

if TYPE_CHECKING:
    import pandas as pd

CANARY = "canary-5e1f"  # in every id of the log and in every secret; nothing that is written or sent may hold it
FILE: dict[str, Any] = {
    "features": {"amount": "numeric"},
    "pii": {"hash": ["request_id"]},
    "labels": {"matures_after": "3d", "overlap": "1d", "min_labels": 50},
    "alerts": {"email": ["ann@example.com", "bob@example.com"], "routes": [{"to": ["hook", "email"]}]},
    "rules": [{"id": "latency_p95", "then": ["email", "dag:restart"]}],
    "retrain": {
        "train": "tests.faults.scenarios:train",
        "require": ["accuracy_drop"],
        "approval": False,
        "trained_on": "6d",
    },
}
SICK = {"latency_ms": 900.0, "status_code": lambda i: 503 if i % 3 == 0 else 200}
ROWS = 120
RUN = "scheduled__2026-09-03T00:00:00+00:00"
NIGHT = "2026-09-07"  # by which the labels of the bad day are mature
EVENING = at("2026-09-12T20:00")


@dataclass(frozen=True)
class Scenario:
    """A name, what went before, and what is disturbed: `act` of a world and how much later than the first time.

    `older` is done last of all and concerns a window of the past: nothing newer may move by it.
    """

    name: str
    before: Callable[[World], object]
    act: Callable[[World, timedelta], object]
    older: Callable[[World], object]
    now: datetime


def train(rows: pd.DataFrame, as_of: datetime) -> DecisionTreeClassifier:
    """A user's trainer."""
    return DecisionTreeClassifier(max_depth=2, random_state=0).fit(rows[["amount"]], rows["label"])


def log(world: World, day: str, n: int = ROWS, **day_of: Any) -> None:
    """Log a day whose ids nobody may see again."""
    predictions, labels = a_day(day, n=n, **day_of)
    for table, rows in (("inference_log", predictions), ("ground_truth", labels)):
        world.insert(table, [row | {"request_id": f"{CANARY}-{row['request_id']}"} for row in rows])


def a_past(world: World) -> None:
    """Three days of reference, two good days that were judged, a bad one that nobody has looked at."""
    for day in (*REFERENCE, *days("2026-09-01", 2)):
        log(world, day)
    log(world, "2026-09-03", right=0.2, **SICK)
    for day in days("2026-09-01", 2):
        world.run(day)


def a_bad_week(world: World) -> None:
    """The bad day was told, and the night before the one that knows all its labels is committed."""
    a_past(world)
    world.run("2026-09-03")
    world.night("2026-09-06")
    world.deliver(at("2026-09-06T12:00"))


def a_request(world: World) -> None:
    """The night has asked for a retraining, and bad days followed."""
    a_bad_week(world)
    world.night(NIGHT)
    world.deliver(at(f"{NIGHT}T03:00"))
    for day in days("2026-09-04", 5):
        log(world, day, n=250, right=0.1)


def two_champions(world: World) -> None:
    """A model was promoted, and another in its place."""
    a_past(world)
    for number in (1, 2, 3):
        when = at(f"2026-09-0{number}")
        version = ModelVersion(
            "credit", f"v{number}", at("2026-08-01"), at("2026-08-20"), 2000, {}, f"models/credit/v{number}", "ab", when
        )
        world.resources.registry.register(version)
        world.resources.registry.promote("credit", version.version, at=when)


def a_window_runs(world: World, later: timedelta) -> None:
    """The task of a window: measure, judge, tell; what was judged and not told is only told by the next try."""
    now, resources = a_window("2026-09-03").end + HOUR + later, world.resources
    if not pipeline.awaits_delivery("credit", RUN, resources):
        world.run("2026-09-03", judged=now)
        pipeline.note_judged("credit", RUN, resources, at=now)
    pipeline.deliver(resources, now=now)
    pipeline.delivered("credit", RUN, resources)


def a_night_runs(world: World, later: timedelta) -> None:
    """The tasks of a night of labels: find, measure again, judge, tell."""
    world.night(NIGHT, judged=at(NIGHT) + HOUR + later)
    pipeline.deliver(world.resources, now=at(NIGHT) + HOUR + later)


def a_retraining_runs(world: World, later: timedelta) -> None:
    """What the relay and the tasks of a retraining do: start, claim, train and compare, promote, tell."""
    monitor, resources = world.monitor, world.resources
    for start in pipeline.pending_starts(resources):
        pipeline.mark_started(resources, start["run_id"], at=EVENING + later)
    (request,) = resources.ledger.requests("credit")
    key = request.request.key
    if not pipeline.claim(monitor, key, resources, by=request.request.run_id):
        return
    trained = pipeline.train_and_compare(monitor, key, at("2026-09-12"), resources)
    assert trained["better"], trained
    pipeline.promote(monitor, key, resources, at=EVENING)
    pipeline.deliver(resources, now=EVENING + later)


def a_rollback_runs(world: World, later: timedelta) -> None:
    """A person goes back to a version, again where the command broke off, and the relay tells."""
    now, champion = a_window("2026-09-03").end + HOUR, world.resources.registry.champion("credit")
    if champion is not None and champion.version != "v2":
        roll_back(world.monitor, world.resources, at=now, by="ann", why="worse since Monday", to="v2")
    pipeline.deliver(world.resources, now=now + later)


def an_old_window(world: World) -> None:
    """A window of the past is judged again, as a cleared task does."""
    pipeline.judge_window(world.monitor, a_window("2026-09-02"), world.resources, judged_at=EVENING)


SCENARIOS = (
    Scenario("window", a_past, a_window_runs, an_old_window, a_window("2026-09-03").end + HOUR),
    Scenario("night", a_bad_week, a_night_runs, an_old_window, at(NIGHT) + HOUR),
    Scenario("retraining", a_request, a_retraining_runs, an_old_window, EVENING),
    Scenario("rollback", two_champions, a_rollback_runs, an_old_window, a_window("2026-09-03").end + HOUR),
)
