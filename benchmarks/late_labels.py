"""Late labels: how often a verdict on the first labels is wrong, and whether the expected accuracy keeps its word.

`python -m benchmarks.late_labels` simulates monitors whose positives are labelled first and predicted worse, as in
hotel bookings, fraud or churn. Each has 24 matured windows behind it, from which the delays are learnt, and one window
that is looked at every night until it matures, by the same code that runs in production. Naive is what other tools do:
judge the accuracy of the labels that are there, once there are 100. Prints the rates; writes
benchmarks/results/labels.json.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hindsight.checks.labels.delays import Curves, delay_measurements, final_coverage, read_curves
from hindsight.checks.labels.expected import accuracy_expected
from hindsight.checks.labels.labels import label_measurements
from hindsight.checks.performance.performance import performance
from hindsight.checks.statistics.intervals import wilson
from hindsight.monitors.model import Monitor
from hindsight.verdicts.judge import judge
from hindsight.verdicts.model import Status
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.windows import Window

RESULTS = Path(__file__).parent / "results"
DAY = timedelta(days=1)
WINDOW = Window(datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 9, 2, tzinfo=UTC))
NIGHTS, PAST, ENOUGH = 14, 24, 100
POSITIVES, COVERAGE = 0.35, 0.95
MEDIAN_DELAY_DAYS = {1: 1.0, 0: 4.0}
RIGHT = {"nothing changed": {1: 0.75, 0: 0.95}, "accuracy dropped": {1: 0.65, 0: 0.87}}  # 0.88 and 0.79 in all
THRESHOLD = 0.85

MONITOR = Monitor.model_validate(
    {
        "name": "late",
        "model": {"name": "late", "task": "binary", "positive_label": 1},
        "source": {
            "predictions": {"table": "p", "id": "id", "timestamp": "predicted_at", "prediction": "prediction"},
            "labels": {"table": "l", "id": "id", "label": "label", "arrived_at": "arrived_at"},
        },
        "labels": {"matures_after": f"{NIGHTS}d", "min_labels": ENOUGH},
        "features": {"x": "numeric"},
        "rules": [{"id": "accuracy_drop", "metric": "performance.accuracy", "below": THRESHOLD, "severity": "P0"}],
    }
)


@dataclass(frozen=True, slots=True)
class Rows:
    """A window's truth in full: when each prediction was made, its label, and when that comes (infinite: never)."""

    made: np.ndarray
    label: np.ndarray
    prediction: np.ndarray
    arrives: np.ndarray

    def known(self, days: float) -> pa.Table:
        """The labelled rows as they are known so many days after the start of the window."""
        come = self.arrives < days
        return pa.table(
            {
                "prediction": self.prediction,
                "label": pa.array(self.label, mask=~come),
                "predicted_at": _moments(self.made),
                "arrived_at": pa.array(_moments(np.where(come, self.arrives, 0.0)), mask=~come),
                "model_version": pa.nulls(self.label.size, pa.string()),
            }
        )


def _moments(days: np.ndarray) -> np.ndarray:
    start = np.datetime64(WINDOW.start.replace(tzinfo=None), "us")
    return start + (days * DAY.total_seconds() * 1e6).astype("timedelta64[us]")


def draw(rng: np.random.Generator, n: int, right: dict[int, float]) -> Rows:
    """Draw a window: log-normal delays whose median depends on the class, and some labels that never come."""
    made = np.sort(rng.random(n))
    label = (rng.random(n) < POSITIVES).astype(int)
    correct = rng.random(n) < np.where(label == 1, right[1], right[0])
    delay = np.where(label == 1, MEDIAN_DELAY_DAYS[1], MEDIAN_DELAY_DAYS[0]) * np.exp(rng.normal(0, 0.8, n))
    arrives = np.where(rng.random(n) < COVERAGE, made + delay, np.inf)
    return Rows(made, label, np.where(correct, label, 1 - label), arrives)


@dataclass(frozen=True, slots=True)
class Night:
    """What one night says of a window: whether each way of judging breaches, and what accuracy is expected."""

    naive: bool
    gated: bool
    expected: Measurement


def watch(rows: Rows, past: list[list[Measurement]]) -> Iterator[Night]:
    """Judge a window on every night from its end to its maturity."""
    curves: Curves = read_curves(past)
    overall = next((m.value for m in final_coverage(past) if not m.model_version), None)
    for nights in range(NIGHTS + 1):
        as_of = WINDOW.end + nights * DAY
        table = rows.known(1.0 + nights)
        known = performance(table, MONITOR, reference={})
        labels = label_measurements(
            table, MONITOR, WINDOW, as_of=as_of, conflicts=0, orphans=0, expected_final_coverage=overall
        )
        verdicts = judge(MONITOR, WINDOW, as_of, {Kind.PERFORMANCE: known, Kind.LABELS: labels})
        accuracy = next(m for m in known if m.metric == "accuracy")
        naive = accuracy.value is not None and accuracy.n >= ENOUGH and accuracy.value < THRESHOLD
        gated = any(v.series.rule == "accuracy_drop" and v.status is Status.BREACH for v in verdicts)
        yield Night(naive, gated, accuracy_expected(table, MONITOR, WINDOW, as_of=as_of, curves=curves)[0])


def history(number: int, *, n: int, world: str) -> dict[str, Any]:
    """Simulate one monitor; return what its nights said beside what turned out to be true."""
    rng = np.random.default_rng([20260901, number, sorted(RIGHT).index(world)])
    usual = RIGHT["nothing changed"]
    past = [_past(draw(rng, n, usual)) for _ in range(PAST)]
    rows = draw(rng, n, RIGHT[world])
    final = rows.arrives < NIGHTS + 1
    truth = float((rows.prediction == rows.label)[final].mean())
    nights = list(watch(rows, past))
    given = [night.expected for night in nights[:-1] if night.expected.value is not None]
    return {
        "is_bad": truth < THRESHOLD,
        "naive": any(night.naive for night in nights),
        "gated": any(night.gated for night in nights),
        "gated_on": next((i for i, night in enumerate(nights) if night.gated), None),
        "held": [bool(m.lower <= truth <= m.upper) for m in given if m.lower is not None and m.upper is not None],
        "error": [abs(m.value - truth) for m in given if m.value is not None],
    }


def _past(rows: Rows) -> list[Measurement]:
    table, as_of = rows.known(NIGHTS + 1.0), WINDOW.end + NIGHTS * DAY
    found = label_measurements(table, MONITOR, WINDOW, as_of=as_of, conflicts=0, orphans=0)
    return [*found, *delay_measurements(table, MONITOR, WINDOW)]


def summary(histories: list[dict[str, Any]]) -> dict[str, Any]:
    """Return rates with their 95 % intervals: breaches of windows that were good, and of those that were bad."""
    held = [night for each in histories for night in each["held"]]
    errors = [error for each in histories for error in each["error"]]
    found: dict[str, Any] = {"histories": len(histories)}
    for name, bad in (("good", False), ("bad", True)):
        some = [each for each in histories if each["is_bad"] is bad]
        found[f"{name}_windows"] = len(some)
        for way in ("naive", "gated"):
            hits = sum(each[way] for each in some)
            found[f"{way}_breaches_of_{name}"] = [hits / len(some), *(wilson(hits, len(some)) or ())] if some else None
    nights = [each["gated_on"] for each in histories if each["gated_on"] is not None]
    found["gated_median_night"] = float(np.median(nights)) if nights else None
    found["interval_covers"] = [float(np.mean(held)), len(held)] if held else None
    found["mean_error_of_expected"] = float(np.mean(errors)) if errors else None
    return found


def _print(world: str, found: dict[str, Any]) -> None:
    print(f"\n{world}: {found['histories']} monitors")
    for name, what in (("good", "at or above"), ("bad", "below")):
        if found[f"{name}_windows"]:
            print(
                f"  {found[f'{name}_windows']} windows whose final accuracy is {what} the rule's {THRESHOLD}; breached:"
            )
            for way in ("naive", "gated"):
                rate, lower, upper = found[f"{way}_breaches_of_{name}"]
                print(f"    {way:6}{rate:8.1%}   ({lower:.1%} to {upper:.1%})")
    if found["gated_median_night"] is not None:
        print(f"  a gated breach comes {found['gated_median_night']:g} nights after the window's end, at the median")
    if found["interval_covers"]:
        held, nights = found["interval_covers"]
        print(f"  accuracy_expected: the interval held the final value on {held:.1%} of {nights:,} nights", end="")
        print(f", mean error {found['mean_error_of_expected']:.4f}")


def main() -> None:
    """Simulate, print, keep the numbers."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--histories", type=int, default=1000)
    options.add_argument("--rows", type=int, default=2000, help="predictions a window")
    options.add_argument("--processes", type=int, default=2)
    asked = options.parse_args()
    found = {}
    with ProcessPoolExecutor(asked.processes) as pool:
        for world in RIGHT:
            once = partial(history, n=asked.rows, world=world)
            found[world] = summary(list(pool.map(once, range(asked.histories), chunksize=10)))
            _print(world, found[world])
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "labels.json").write_text(json.dumps({"rows": asked.rows} | found, indent=1))


if __name__ == "__main__":
    main()
