"""Stream: one model's traffic day by day, a pure function of (seed, plan, day)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from demo import effects
from demo.plan import DAY, Plan, Planted

Draw = Callable[[np.random.Generator, int], pd.DataFrame]
Spans = Mapping[str, np.ndarray]
CORRUPTIONS = {"sentinel", "nulls", "units", "respelled"}


@dataclass(frozen=True, slots=True)
class Stream:
    """How the requests of one model come about.

    `draw(rng, n)` gives n requests' features; `shift(rng, rows, mask)` moves the population of some; `truth(rng, rows,
    drifted)` the real outcome; `delay(rng, outcome)` hours until it is known; `wrong(rng, outcome)` what is booked
    where a booking goes wrong. `weekdays` are factors on `per_day` from Monday, `hours` the share of each hour.
    """

    name: str
    number: int
    prefix: str
    per_day: int
    weekdays: tuple[float, ...]
    hours: tuple[float, ...]
    latency_ms: float
    cost: float
    draw: Draw
    shift: Callable[[np.random.Generator, pd.DataFrame, np.ndarray], None]
    truth: Callable[[np.random.Generator, pd.DataFrame, np.ndarray], np.ndarray]
    delay: Callable[[np.random.Generator, np.ndarray], np.ndarray]
    wrong: Callable[[np.random.Generator, np.ndarray, Planted | None], np.ndarray]
    never_labelled: float
    canary: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """One day's requests, not yet scored, and every label they will ever get."""

    requests: pd.DataFrame
    labels: pd.DataFrame


def day(stream: Stream, plan: Plan, start: datetime) -> Day:
    """Return the day that begins at `start`: the same for the same seed, plan and date, whatever else is generated."""
    rng = np.random.default_rng([plan.seed, stream.number, start.toordinal()])
    mishaps = np.random.default_rng([plan.seed, stream.number, start.toordinal(), 1])
    planted = [p for p in plan.of(stream.name) if p.start < start + DAY and start < p.end]
    rows = _requests(stream, rng, start)
    for p in planted:
        if p.kind == "shift":
            stream.shift(mishaps, rows, effects.span(rows, p))
    drifted = _any(rows, [p for p in planted if p.kind == "concept"])
    outcome = stream.truth(rng, rows, drifted)
    labels = _labels(stream, rng, mishaps, rows, outcome, planted)
    _service(stream, plan, rng, rows, start)
    return _with_mishaps(rows, labels, planted, mishaps)


def _requests(stream: Stream, rng: np.random.Generator, start: datetime) -> pd.DataFrame:
    n = int(rng.poisson(stream.per_day * stream.weekdays[start.weekday()]))
    hour = rng.choice(24, size=n, p=stream.hours)
    seconds = np.sort(hour * 3600 + rng.random(n) * 3600)
    rows = stream.draw(rng, n)
    when = np.datetime64(start.replace(tzinfo=None), "us") + (seconds * 1e6).astype("timedelta64[us]")
    rows.insert(0, "request_id", [f"{stream.prefix}{start:%y%m%d}-{i:05d}" for i in range(n)])
    rows.insert(1, "predicted_at", pd.Series(when).dt.tz_localize("UTC"))
    return rows


def _service(stream: Stream, plan: Plan, rng: np.random.Generator, rows: pd.DataFrame, start: datetime) -> None:
    n = len(rows)
    canary = rng.random(n) < 0.1
    rows["latency_ms"] = np.round(stream.latency_ms * rng.lognormal(0, 0.45, n), 2)
    rows["status_code"] = np.where(rng.random(n) < 0.003, 500, 200)
    rows["cost_usd"] = np.round(stream.cost * rng.lognormal(0, 0.2, n), 7)
    running = stream.canary is not None and stream.canary[0] >= (plan.end - start) // DAY > stream.canary[1]
    rows["model_version"] = np.where(canary & running, "v2", "v1")


def _labels(
    stream: Stream,
    rng: np.random.Generator,
    mishaps: np.random.Generator,
    rows: pd.DataFrame,
    outcome: np.ndarray,
    planted: list[Planted],
) -> pd.DataFrame:
    """Every label of the day's requests, by row number: late, a few never, one in two hundred wrong at first."""
    n = len(rows)
    arrives = rows["predicted_at"] + _hours(stream.delay(rng, outcome))
    known, slip = rng.random(n) >= stream.never_labelled, rng.random(n) < 0.005
    fixed = arrives + _hours(24 + 96 * rng.random(n))
    booked = np.where(slip, stream.wrong(mishaps, outcome, None), outcome)
    first = pd.DataFrame({"request_id": rows["request_id"], "label": booked, "labeled_at": arrives})[known]
    repair = pd.DataFrame({"request_id": rows["request_id"], "label": outcome, "labeled_at": fixed})[known & slip]
    for p in planted:
        if p.corrected is not None:
            first, repair = _booked_wrong(stream, mishaps, rows, outcome, (first, repair), p)
    return pd.concat([first, repair])


def _booked_wrong(
    stream: Stream,
    mishaps: np.random.Generator,
    rows: pd.DataFrame,
    outcome: np.ndarray,
    labels: tuple[pd.DataFrame, pd.DataFrame],
    planted: Planted,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Book other labels for the span: at first and set right later, or right at first and overturned later."""
    first, repair = labels
    hit, other = effects.span(rows, planted), stream.wrong(mishaps, outcome, planted)
    overturned = planted.kind == "labels_overturned"
    when = pd.Timestamp(planted.corrected) + _hours(6 * mishaps.random(len(rows)))
    second = pd.DataFrame(
        {"request_id": rows["request_id"], "label": other if overturned else outcome, "labeled_at": when}
    )
    second = second.loc[first.index[hit[first.index]]]
    if not overturned:
        first = first.assign(label=np.where(hit[first.index], other[first.index], first["label"]))
        repair = repair[~hit[repair.index]]
    return first, pd.concat([repair, second])


def _hours(hours: np.ndarray) -> pd.TimedeltaIndex:
    return pd.to_timedelta(hours, unit="h").as_unit("us")


def _with_mishaps(rows: pd.DataFrame, labels: pd.DataFrame, planted: list[Planted], rng: np.random.Generator) -> Day:
    kept = np.ones(len(rows), dtype=bool)
    for p in planted:
        if p.kind in CORRUPTIONS:
            effects.corrupt(rows, p, rng)
        elif p.kind == "service":
            effects.serve(rows, p, rng)
        elif p.kind == "volume":
            kept &= effects.thin(rows, p, rng)
    answered = kept & (rows["status_code"] == 200).to_numpy()
    return Day(rows[kept].reset_index(drop=True), labels[answered[labels.index]].reset_index(drop=True))


def _any(rows: pd.DataFrame, planted: list[Planted]) -> np.ndarray:
    hit = np.zeros(len(rows), dtype=bool)
    for p in planted:
        hit |= effects.span(rows, p)
    return hit


def days(plan: Plan, until: datetime) -> list[datetime]:
    """Return the midnights of every day with rows, up to and without `until`."""
    return [plan.first_day + i * DAY for i in range((until - plan.first_day) // timedelta(days=1))]
