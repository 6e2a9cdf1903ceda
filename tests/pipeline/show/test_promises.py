"""What a monitor's page shows of promises: a model's number offline beside its number online, error budgets in time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from hindsight.pipeline.show.promises import budgets, with_offline
from hindsight.reports.charts import Chart, Point
from hindsight.training.registry import ModelVersion
from tests.builders import DAY, at
from tests.pipeline.judge.test_slos import FILE, judged, ran
from tests.pipeline.world import a_world, sqlite

FIRST = at("2026-07-01")
ACCURACY = Chart(
    "accuracy", "share", tuple(Point(FIRST + day * DAY, 0.8) for day in range(4)), key="performance.accuracy"
)


def a_version(name: str, day: int | None, **metrics: Any) -> ModelVersion:
    promoted: datetime | None = None if day is None else FIRST + day * DAY
    return ModelVersion("credit", name, FIRST, FIRST, 100, metrics, "m", "0", FIRST, promoted_at=promoted)


def test_a_model_has_its_offline_number_from_its_promotion_to_the_next() -> None:
    versions = [a_version("v3", None, accuracy=0.99), a_version("v2", 2, accuracy=0.9, se=0.01, n=500)]
    (chart,) = with_offline([ACCURACY], [*versions, a_version("v1", 1, accuracy=0.85)])
    assert [(line.name, [point.value for point in line.points]) for line in chart.more] == [
        ("offline", [None, 0.85, 0.9, 0.9])
    ]
    newest = chart.more[0].points[-1]
    assert (newest.lower, newest.upper) == pytest.approx((0.8804, 0.9196))
    assert (newest.note, newest.n) == ("v2 on rows held out", 500)


def test_what_was_compared_by_another_metric_has_no_offline_number() -> None:
    assert list(with_offline([ACCURACY], [a_version("v1", 0, mae=3.0)])) == [ACCURACY]
    assert list(with_offline([ACCURACY], [])) == [ACCURACY]


def test_what_is_left_of_a_budget_is_drawn_window_by_window(tmp_path) -> None:
    with a_world(sqlite(tmp_path), tmp_path, days=(), **FILE) as world:
        for day, failed in (("2026-07-01", 0), ("2026-07-02", 10), ("2026-07-03", 20)):
            ran(world, day, failed)
            judged(world, day)
        charts = list(budgets(world.monitor, world.resources, (), FIRST + DAY, FIRST + 2 * DAY))
    (availability,) = [chart for chart in charts if chart.key == "slo.availability"]
    assert [point.start for point in availability.points] == [FIRST + DAY, FIRST + 2 * DAY]
    # 1 % may fail: of 2,000 requests 20, and 10 did; of 3,000 requests 30, and 30 did
    assert [point.value for point in availability.points] == pytest.approx([0.5, 0.0])
    assert availability.points[0].note.startswith("has spent the budget of 6d")


def test_a_monitor_without_promises_has_no_budgets(tmp_path) -> None:
    with a_world(sqlite(tmp_path), tmp_path, days=()) as world:
        assert list(budgets(world.monitor, world.resources, (), FIRST, FIRST)) == []
