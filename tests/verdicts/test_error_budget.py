"""Error budgets: known answers, and what holds of any counts however they are cut into windows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.monitors.slos import Slo
from hindsight.verdicts.error_budget import Count, Standing, Tally, budget_left, burn_rate, counted, standing, sustained
from hindsight.verdicts.model import Series, Status, Verdict
from hindsight.vocabulary.measurement import Measurement
from tests.builders import HOUR, a_measurement, a_window, at

FIRST = at("2026-09-01")
COUNTS = st.lists(
    st.integers(0, 50).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1, max_size=40
)


def an_slo(**rest: Any) -> Slo:
    return Slo.model_validate({"metric": "operations.availability", "target": "99%", "min_rows": 1} | rest)


def latency(**rest: Any) -> Slo:
    return an_slo(metric="operations.latency_p95_ms", below=300, **rest)


def stands(slo: Slo, counts: list[tuple[int, int]]) -> Standing:
    """How an SLO stands after hours with these counts."""
    tally = Tally({FIRST + i * HOUR: Count(*one) for i, one in enumerate(counts)}, slo.budget)
    return standing(slo, tally, FIRST + (len(counts) - 1) * HOUR, HOUR)


def facts(slo: Slo, counts: list[tuple[int, int]]) -> dict[str, Measurement]:
    return {fact.metric: fact for fact in stands(slo, counts).facts("availability")}


def test_the_numbers_of_a_known_case() -> None:
    slo = an_slo(target="99.9%", period="30d")
    found = facts(slo, [(0, 5_000), *[(10, 10_000)] * 3, (6, 2_000), (6, 2_100)])
    assert found["burn_short"].value == pytest.approx(12 / 4_100 / 0.001)
    assert found["burn_short"].n == 4_100
    assert found["burn_long"].value == pytest.approx(42 / 39_100 / 0.001)
    assert found["budget_left"].value == pytest.approx(1 - 42 / 39.1)
    assert found["burn_short"].note == (
        "burns its budget 2.93 times as fast as it may: 12 of 4,100 requests failed in the last 2h; "
        "nothing of the budget of 30d is left"
    )
    assert found["budget_left"].note == "has spent the budget of 30d: 42 of 39,100 requests failed, 39.1 may"


def test_when_all_goes_wrong_the_numbers_are_still_said_in_digits() -> None:
    found = facts(an_slo(target="99.9%"), [(700_000, 700_000)] * 3)
    assert found["burn_short"].note.startswith(
        "burns its budget 1,000 times as fast as it may: 1,400,000 of 1,400,000 r"
    )
    assert found["budget_left"].note.endswith("2,100,000 of 2,100,000 requests failed, 2,100 may")


@pytest.mark.parametrize(("window", "spans"), [("5m", ("2h", "1d")), ("1h", ("2h", "1d")), ("1d", ("2d", "24d"))])
def test_usual_spans_are_two_windows_at_least_and_twelve_times_that(window: str, spans: tuple[str, str]) -> None:
    asked = an_slo(short=spans[0], long=spans[1])
    sizes = {"5m": timedelta(minutes=5), "1h": HOUR, "1d": timedelta(days=1)}
    assert an_slo().spans(sizes[window]) == (asked.short, asked.long)


def test_usual_rows_are_as_many_as_one_bad_one_among_them_is_no_page_for() -> None:
    usual = [an_slo(target=target, min_rows=None).fewest for target in ("99.9%", "99%", "90%")]
    assert usual == [500, 50, 20]
    assert burn_rate(1, usual[0], 0.001) == pytest.approx(2)


def test_rows_that_were_bad_are_counted_of_either_kind_of_share() -> None:
    assert counted(an_slo(), a_measurement("availability", 1 - 3 / 700, n=700)) == Count(3, 700)
    assert counted(an_slo(metric="operations.error_rate"), a_measurement("error_rate", 3 / 700, n=700)) == Count(3, 700)


def test_a_slice_is_good_while_its_limit_holds_and_counts_with_enough_rows_only() -> None:
    values = {299.9: 0, 300.0: 1, 900.0: 1}
    assert {v: counted(latency(), a_measurement("latency_p95_ms", v)).bad for v in values} == values
    assert counted(latency(min_rows=30), a_measurement("latency_p95_ms", 900.0, n=29)) == Count(0, 0)
    floor = an_slo(metric="performance.f1", above=0.8)
    assert [counted(floor, a_measurement("f1", value)).bad for value in (0.8, 0.79)] == [0, 1]


@pytest.mark.parametrize("value", [None, 0.5])
def test_a_window_without_data_is_neither_good_nor_bad(value: float | None) -> None:
    assert counted(an_slo(), a_measurement("availability", value, n=0)) == Count(0, 0)
    assert counted(an_slo(), None) == Count(0, 0)


def test_no_traffic_burns_nothing_and_has_no_value() -> None:
    assert burn_rate(0, 0, 0.01) == 0
    found = facts(an_slo(), [(5, 100), (0, 0), (0, 0)])
    assert (found["burn_short"].value, found["burn_short"].note) == (None, "0 rows, 1 are needed in 2h")
    assert found["burn_long"].value == pytest.approx(5)


def test_a_budget_of_slices_is_that_of_the_whole_period_from_the_first_window_on() -> None:
    found = facts(latency(period="30d"), [(1, 1)])
    assert found["budget_left"].value == pytest.approx(1 - 1 / 7.2)
    assert found["budget_left"].note == "has spent the budget of 30d: 1 of 1 windows were not below 300, 7.2 may"


@given(st.integers(1, 10**6), st.integers(1, 999))
def test_burning_at_one_spends_the_budget_of_a_period_to_the_end(total: int, per_mille: int) -> None:
    bad, budget = total * per_mille, per_mille / 1000
    assert burn_rate(bad, 1000 * total, budget) == pytest.approx(1)
    assert budget_left(bad, 1000 * total, budget) == pytest.approx(0, abs=1e-9)


@given(COUNTS, st.integers(2, 10))
def test_it_makes_no_difference_how_rows_are_cut_into_windows(counts: list[tuple[int, int]], parts: int) -> None:
    whole = Tally({FIRST: Count(sum(b for b, _ in counts), sum(n for _, n in counts))}, 0.01)
    cut = Tally({FIRST + i * HOUR / parts: Count(*one) for i, one in enumerate(counts)}, 0.01)
    spent = [tally.over(timedelta(days=9), FIRST + timedelta(days=8)) for tally in (whole, cut)]
    assert (spent[0].bad, spent[0].total) == (spent[1].bad, spent[1].total)


@given(COUNTS, st.lists(st.integers(0, 40), max_size=10))
def test_windows_without_traffic_change_no_sum(counts: list[tuple[int, int]], at_hours: list[int]) -> None:
    known = {FIRST + 2 * i * HOUR: Count(*one) for i, one in enumerate(counts)}
    empty = {FIRST + (2 * i + 1) * HOUR: Count(0, 0) for i in at_hours}
    until = FIRST + 100 * HOUR
    assert Tally(known, 0.01).over(100 * HOUR, until) == Tally(known | empty, 0.01).over(100 * HOUR, until)


@given(COUNTS)
def test_more_bad_rows_never_leave_more_budget_nor_burn_slower(counts: list[tuple[int, int]]) -> None:
    worse = [(n, n) for _, n in counts]
    now, then = stands(an_slo(), counts), stands(an_slo(), worse)
    if now.burn_short is not None and then.burn_short is not None:
        assert then.burn_short >= now.burn_short
    if now.left is not None and then.left is not None:
        assert then.left <= now.left <= 1


def a_breach(value: float | None) -> Verdict:
    window = a_window("2026-09-01", HOUR)
    return Verdict(Series("slo_burn"), window, window.end, window.end, Status.BREACH, value, 2.0, 100)


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([(0, 1000)] * 22 + [(400, 1000)] * 2, ""),
        ([(0, 1000)] * 23 + [(60, 1000)], "in one window only"),
        ([(0, 9000)] * 22 + [(60, 1000)] * 2, "not sustained: 0.06 over the long span"),
    ],
)
def test_a_page_needs_two_burning_windows_and_a_long_span_that_burns_too(
    counts: list[tuple[int, int]], said: str
) -> None:
    now = stands(an_slo(), counts)
    found = sustained(a_breach(now.burn_short), now)
    assert found.status is (Status.OK if said else Status.BREACH)
    assert found.note == said
