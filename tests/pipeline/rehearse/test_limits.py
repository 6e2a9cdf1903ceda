"""Limits around the present one: what each rule is tried with, and that a milder limit opens no more."""

from __future__ import annotations

from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.monitors.rules import Rule
from hindsight.pipeline.judge.knowledge import Known
from hindsight.pipeline.rehearse.limits import Costs, costs, variants
from hindsight.snapshots.tables import to_table
from hindsight.vocabulary.measurement import Kind, Measurement
from tests.builders import DAY, a_monitor, a_window, at


def tried(metric: str = "operations.error_rate", **limits: object) -> list[str]:
    return [said for said, _, _ in variants(Rule.model_validate({"id": "mine", "metric": metric} | limits))]


def test_a_limit_is_tried_at_a_half_to_twice_of_it() -> None:
    assert tried(above=0.1) == ["above 0.05", "above 0.075", "above 0.1", "above 0.15", "above 0.2"]
    assert tried(drops_by="15%")[::2] == ["drops_by 7.5%", "drops_by 15%", "drops_by 30%"]


def test_a_lower_limit_is_tried_from_the_strictest_on() -> None:
    assert tried("operations.total_requests", below=1000)[::2] == ["below 2000", "below 1000", "below 500"]
    shares = ["below 0.95", "below 0.925", "below 0.9", "below 0.85", "below 0.8"]
    assert tried("performance.accuracy", below=0.9) == shares


def test_a_range_is_narrowed_and_widened_on_both_sides() -> None:
    ranges = tried("operations.volume_ratio", below=0.5, above=2)
    assert (ranges[0], ranges[2], ranges[4]) == ("below 1, above 1", "below 0.5, above 2", "below 0.25, above 4")


@pytest.mark.parametrize(("lasting", "tried_with"), [(1, "12345"), (2, "12345"), (4, "23456")])
def test_a_yes_or_no_is_tried_with_how_long_it_must_last(lasting: int, tried_with: str) -> None:
    assert tried("drift.news", above=1, **{"for": lasting}) == [f"for {count}" for count in tried_with]


def cost_of(rates: list[float], **limits: object) -> Costs:
    """What limits on the error rate cost in days with these rates of 1,000 requests."""
    rule = {"id": "errors", "metric": "operations.error_rate"} | limits
    monitor = a_monitor(rules=[rule])
    kept = []
    for number, rate in enumerate(rates):
        window = a_window(f"{at('2026-09-01') + number * DAY:%Y-%m-%d}")
        table = to_table(window, window.end, [Measurement("error_rate", rate, 1000)])
        kept.append(table)
    known = _known(kept)
    return next(one for one in costs(monitor, known, [Kind.OPERATIONS], {}) if one.rule == "errors")


def _known(kept: list[pa.Table]) -> Known:
    table = pa.concat_tables(kept)
    return Known(table.append_column("kind", pa.array([str(Kind.OPERATIONS)] * len(table))), {}, {})


def test_incidents_are_counted_at_each_limit() -> None:
    found = cost_of([0.06, 0.0, 0.12, 0.0, 0.21, 0.21, 0.0], above=0.1)
    assert [cost.incidents for cost in found.costs] == [3, 2, 2, 1, 1]
    assert [cost.present for cost in found.costs] == [False, False, True, False, False]


@given(st.lists(st.sampled_from([0.0, 0.04, 0.08, 0.16, 0.4]), min_size=1, max_size=12), st.integers(1, 3))
def test_what_breaches_a_milder_limit_breaches_a_stricter_one(rates: list[float], lasting: int) -> None:
    found = [cost.incidents for cost in cost_of(rates, above=0.1, **{"for": lasting}).costs]
    assert all(mild == 0 or strict > 0 for strict, mild in pairwise(found))
