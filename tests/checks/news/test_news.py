"""News: quiet on the null, on cycles and on rows that move together; awake to what lasts two windows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hindsight.checks.news.coordinates import Coordinate
from hindsight.checks.news.family import Finding, explained, news, squeezed, tail_freedom
from hindsight.checks.news.forecast import forecasts, season, without_spikes
from hindsight.checks.news.numbers import Numbers, part

FEATURES, WINDOWS, N = 10, 91, 400


def window(values: Sequence[float], n: int = N, segment: str = "") -> Numbers:
    named = {(f"f{k}", "location", 1): Coordinate(float(v), 1 / n, n) for k, v in enumerate(values)}
    return {segment: part(named, n)}


def put(numbers: Numbers, feature: str, value: float, segment: str = "") -> Numbers:
    """Return the numbers with the location of one column replaced."""
    one = numbers[segment]
    values = np.where([measured[0] == feature for measured in one.layout], value, one.values)
    return {**numbers, segment: replace(one, values=values)}


def a_past(rng: np.random.Generator, windows: int = WINDOWS, sigma: float = N**-0.5) -> list[Numbers]:
    return [window(row) for row in rng.normal(0, sigma, (windows, FEATURES))]


def slots(windows: int) -> list[int]:
    return [t % 7 for t in range(windows)]


def judged(
    sequence: Sequence[Numbers],
    rate: float = 0.02,
    out: Mapping[tuple[str, str], Collection[int]] = MappingProxyType({}),
) -> list[Finding]:
    return news(sequence[-1], sequence[:-1], slots(len(sequence)), out, rate=rate)


def named(found: Sequence[Finding]) -> set[str]:
    return {one.feature for one in found if one.is_news}


def test_independent_rows_are_news_in_fewer_than_one_window_of_a_hundred() -> None:
    rng = np.random.default_rng(1)
    false = sum(bool(named(judged(a_past(rng)))) for _ in range(300))
    assert false <= 3


@pytest.mark.parametrize("phi", [0.3, 0.8, 0.98])
def test_windows_that_follow_one_another_are_news_in_fewer_than_one_of_a_hundred(phi: float) -> None:
    rng = np.random.default_rng(2)
    false = 0
    for _ in range(200):
        walk = np.zeros((WINDOWS + 60, FEATURES))
        for t in range(1, len(walk)):
            walk[t] = phi * walk[t - 1] + rng.normal(0, 0.1, FEATURES)
        false += bool(named(judged([window(row) for row in walk[60:]])))
    assert false <= 2


def test_a_shift_of_four_deviations_is_named_in_its_second_window() -> None:
    rng = np.random.default_rng(3)
    found = 0
    for _ in range(100):
        sequence = a_past(rng)
        for t in (-2, -1):
            value = sequence[t][""].value("f3", "location")
            assert value is not None
            sequence[t] = put(sequence[t], "f3", value + 4 * N**-0.5)
        found += named(judged(sequence)) == {"f3"}
    assert found >= 90


def test_one_odd_window_is_not_yet_news() -> None:
    sequence = a_past(np.random.default_rng(4))
    sequence[-1] = window([3.0] * FEATURES)
    assert named(judged(sequence)) == set()


def test_the_return_from_one_odd_window_is_no_news() -> None:
    """Nothing was news in the odd one, so nothing is where what follows the last window closely is as before."""
    rng = np.random.default_rng(12)
    false = 0
    for _ in range(30):
        walk = np.cumsum(rng.normal(0, 0.1, (WINDOWS, FEATURES)), axis=0)
        walk[-3] += 8.0
        false += bool(named(judged([window(row) for row in walk])))
    assert false <= 1


def test_a_window_alone_is_as_its_neighbours_and_a_step_stays() -> None:
    steps = np.tile([0.0, 0.1], 10)
    lone, step = steps.copy(), steps.copy()
    lone[-1], step[-2:] = 9.0, 9.0
    past, after = np.column_stack([lone, step, np.full(20, np.nan)]), np.array([0.0, 9.0, 0.0])
    known = without_spikes(past, after)
    assert known[:, 0].tolist() == [*lone[:-1], 0.0]
    assert known[:, 1].tolist() == step.tolist()
    assert np.isnan(known[:, 2]).all()


def test_a_weekly_cycle_is_no_news_and_what_is_new_on_top_of_it_is() -> None:
    rng = np.random.default_rng(5)
    cycle = np.array([0, 0, 0, 0, 0, 1.0, 1.5])
    values = cycle[np.array(slots(WINDOWS))][:, None] + rng.normal(0, 0.05, (WINDOWS, FEATURES))
    assert all(not named(judged([window(row) for row in values[:t]])) for t in range(70, WINDOWS + 1))
    values[-2:, 0] += 0.4
    assert named(judged([window(row) for row in values])) == {"f0"}


def test_a_cycle_counts_from_three_repetitions_and_only_where_it_foretells() -> None:
    rng = np.random.default_rng(6)
    wave = np.tile([0, 0, 0, 0, 0, 1.0, 1.0], 8)[:, None] + rng.normal(0, 0.05, (56, 2))
    of_week = np.array(slots(56))
    assert np.abs(season(wave, of_week, 7)[5] - season(wave, of_week, 7)[1] - 1).max() < 0.15
    assert not season(wave[:20], of_week[:20], 7).any()
    noise = rng.normal(0, 1, (56, 200))
    assert np.abs(season(noise, of_week, 7)).mean() < 0.12


def test_the_forecast_of_a_level_is_its_mean_and_of_a_walk_its_last_value() -> None:
    rng = np.random.default_rng(7)
    level, walk = rng.normal(5, 1, (90, 1)), np.cumsum(rng.normal(0, 1, (90, 1)), axis=0)
    (calm,), (wild,) = forecasts(level, level[-1], 1), forecasts(walk, walk[-1], 1)
    assert calm.expected[0] == pytest.approx(5, abs=0.4)
    assert calm.variance[0] == pytest.approx(1, rel=0.35)
    assert abs(wild.expected[0] - walk[-1, 0]) < abs(walk[:, 0].mean() - walk[-1, 0])
    assert wild.variance[0] == pytest.approx(1, rel=0.6)


def test_the_error_of_a_level_of_few_windows_has_their_share_of_it() -> None:
    rng = np.random.default_rng(11)
    known = forecasts(rng.normal(0, 1, (10, 4000)), np.zeros(4000), 1)[0]
    assert np.mean(known.expected**2) + 1 == pytest.approx(float(np.mean(known.variance)), rel=0.25)


def test_variances_are_drawn_to_each_other_as_by_hand() -> None:
    """Equal variances: the excess over sampling is none, all become one and are as sure as can be."""
    drawn, freedom = squeezed(np.full(5, 2.0), np.full(5, 10.0))
    assert drawn == pytest.approx(np.full(5, drawn[0]))
    assert np.isinf(freedom).all()
    rng = np.random.default_rng(8)
    true = 8 / rng.chisquare(8, 4000)  # scaled inverse chi-squared: 8 degrees of freedom, scale 1
    sampled = true * rng.chisquare(10, 4000) / 10
    drawn, freedom = squeezed(sampled, np.full(4000, 10.0))
    assert freedom[0] - 10 == pytest.approx(8, rel=0.25)
    expected = (8 * 1 + 10 * sampled) / 18
    assert np.median(np.abs(drawn / expected - 1)) < 0.05


def test_tails_are_as_heavy_as_the_law_that_errors_were_drawn_from() -> None:
    rng = np.random.default_rng(19)
    assert tail_freedom(rng.normal(0, 1, (400, 200))) > 30
    for law in (5, 8, 15):
        errors = rng.standard_t(law, (400, 500)) / np.sqrt(law / (law - 2))
        assert tail_freedom(errors) == pytest.approx(law, rel=0.25)
    assert tail_freedom(np.full((3, 2), np.nan)) == 4


def test_what_a_window_holds_never_changes_what_was_expected_of_it() -> None:
    sequence = a_past(np.random.default_rng(12))
    before = {one.feature: one.expected for one in judged(sequence) if one.feature == "f3"}
    sequence[-1] = window([100.0] * FEATURES)
    assert {one.feature: one.expected for one in judged(sequence) if one.feature == "f3"} == before


def test_the_order_of_columns_does_not_matter() -> None:
    sequence = a_past(np.random.default_rng(13))
    named_in_turn = {f"f{k}": f"f{FEATURES - 1 - k}" for k in range(FEATURES)}
    turned = [window(numbers[""].values[::-1]) for numbers in sequence]
    expected = {one.feature: one.z for one in judged(sequence)}
    assert {named_in_turn[one.feature]: one.z for one in judged(turned)} == pytest.approx(expected)


def test_a_window_whose_neighbour_is_left_out_is_judged_all_the_same() -> None:
    sequence = a_past(np.random.default_rng(14))
    sequence[-2:] = [put(numbers, "f1", 1.0) for numbers in sequence[-2:]]
    assert named(judged(sequence, out={("", f"f{k}"): [len(sequence) - 2] for k in range(FEATURES)})) == {"f1"}


def test_a_hole_in_the_past_makes_news_neither_of_nothing_nor_impossible() -> None:
    rng = np.random.default_rng(15)
    false = 0
    for _ in range(50):
        sequence = a_past(rng)
        sequence[60:75] = [{}] * 15
        false += bool(named(judged(sequence)))
    assert false <= 2
    sequence[-2:] = [put(numbers, "f1", 1.0) for numbers in sequence[-2:]]
    assert named(judged(sequence)) == {"f1"}


def test_a_stuck_value_is_news_and_one_that_is_stuck_less_is_not() -> None:
    rng = np.random.default_rng(16)

    def peak(value: float) -> Numbers:
        return {"": part({("x", "peak", 1): Coordinate(value, 1 / (4 * N), N)}, N)}

    sequence = [peak(0.5 + rng.normal(0, 0.02)) for _ in range(WINDOWS)]
    more, less = ([*sequence[:-2], *[peak(0.5 + move)] * 2] for move in (0.4, -0.4))
    assert named(judged(more)) == {"x"}
    assert named(judged(less)) == set()


def test_too_short_a_past_is_said_to_be_learnt() -> None:
    found = judged(a_past(np.random.default_rng(9), windows=6))
    assert {one.learning for one in found} == {"5 comparable windows, 14 are needed"}


def test_windows_left_out_do_not_make_a_fault_usual() -> None:
    rng = np.random.default_rng(10)
    sequence = a_past(rng)
    sequence[-10:] = [put(numbers, "f1", 1.0) for numbers in sequence[-10:]]
    faulty = range(len(sequence) - 10, len(sequence) - 2)
    assert named(judged(sequence, out={("", "f1"): faulty})) == {"f1"}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 100), st.floats(-50, 50))
def test_units_do_not_matter(seed: int, scale: float, offset: float) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 1, (60, 4))
    values[-2:, 0] += 5
    one = judged([window(row, n=4) for row in values])
    other = judged([scaled(row, scale, offset) for row in values])
    assert [x.z for x in other] == pytest.approx([x.z for x in one], rel=1e-3, abs=1e-3)


def scaled(row: np.ndarray, scale: float, offset: float) -> Numbers:
    one = window(row, n=4)[""]
    return {"": replace(one, values=row * scale + offset, variances=one.variances.astype(float) * scale**2)}


def in_segments(rng: np.random.Generator, names: Sequence[str]) -> list[Numbers]:
    """A past of all rows and of segments of a fifth of them."""
    sequence = a_past(rng)
    for name in names:
        rows = rng.normal(0, (N / 5) ** -0.5, (WINDOWS, FEATURES))
        sequence = [{**numbers, **window(row, N // 5, name)} for numbers, row in zip(sequence, rows, strict=True)]
    return sequence


def test_what_is_new_in_one_segment_is_told_of_it_and_what_is_new_everywhere_of_all_rows() -> None:
    names = [f"region={name}" for name in "abcde"]
    sequence = in_segments(np.random.default_rng(17), names)
    one = [*sequence[:-2], *(put(numbers, "f2", 1.0, "region=c") for numbers in sequence[-2:])]
    assert {(x.segment, x.feature) for x in judged(one) if x.is_news} == {("region=c", "f2")}
    for name in ("", *names):
        sequence[-2:] = [put(numbers, "f2", 1.0, name) for numbers in sequence[-2:]]
    assert {(x.segment, x.feature) for x in judged(sequence) if x.is_news} == {("", "f2")}


def test_where_all_rows_of_a_column_are_news_its_segments_are_judged_by_themselves() -> None:
    names, shift = [f"place={k}" for k in range(40)], 0.33
    seen = {0.0: 0, 0.5: 0}
    for seed in range(6):
        calm = in_segments(np.random.default_rng(seed), names)
        for moved in seen:
            later = [put(one, "f0", moved) for one in calm[-2:]]
            found = judged([*calm[:-2], *(put(one, "f0", shift, "place=3") for one in later)])
            seen[moved] += ("place=3", "f0") in {(one.segment, one.feature) for one in found if one.is_news}
    assert seen[0.0] <= 2
    assert seen[0.5] >= 4


def test_half_of_the_segments_of_a_kind_are_named() -> None:
    found = [Finding(segment, "x", is_news=news) for segment, news in (("", True), ("a=1", True), ("a=2", False))]
    assert explained(found) == found


def test_what_another_reference_measured_is_not_compared() -> None:
    sequence = a_past(np.random.default_rng(18))
    older = {"": replace(sequence[0][""], layout=tuple((f, c, 2) for f, c, _ in sequence[0][""].layout))}
    assert all(one.learning for one in judged([*[older] * 80, *sequence[-5:]]))
