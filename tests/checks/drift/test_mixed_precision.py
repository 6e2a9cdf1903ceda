"""Precision of categories, of calibration bins and of a reference whose rows are of two precisions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.checks.drift.drift import drift
from hindsight.checks.estimate.calibration import Blocks, binned, isotonic
from hindsight.checks.performance.performance import performance
from hindsight.checks.quality.quality import quality
from hindsight.checks.reference.baseline import fit
from hindsight.checks.values.bins import decile_bins, percentile_bins
from hindsight.checks.values.distributions import Distribution
from hindsight.checks.values.precision import untwinned
from hindsight.vocabulary.rows import TableRows
from tests.builders import a_monitor, at
from tests.checks.performance.rows import BINARY
from tests.checks.values.writings import WRITINGS

N = 2000
SEVENTHS = np.arange(1, 7) / 7
PLAIN = {name: write for name, write in WRITINGS.items() if name not in ("decimals in Arrow",)}


def rows(amount: np.ndarray | pa.Array) -> TableRows:
    generator = np.random.default_rng(7)
    n = len(amount)
    return TableRows(
        pa.table({"amount": amount, "prediction": generator.integers(0, 2, n), "score": generator.random(n)})
    )


def found_in(kind: str, reference: np.ndarray | pa.Array, window: np.ndarray | pa.Array) -> dict[str, float | None]:
    """Every number of drift and quality of a window compared with a reference."""
    monitor = a_monitor(segments=[], features={"amount": kind})
    baseline = fit(rows(reference), monitor, output=rows(reference), fitted_as_of=at("2026-09-01"))
    measured = [*drift(rows(window), monitor, baseline)[0], *quality(rows(window), monitor, baseline)]
    return {m.metric: m.value for m in measured if m.feature == "amount"}


def mixed(values: np.ndarray, share: float) -> np.ndarray:
    """The same with so many rows as float32."""
    some = np.random.default_rng(11).random(values.size) < share
    return np.where(some, values.astype(np.float32), values)


def drawn(n: int, of: np.ndarray = SEVENTHS, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).choice(of, n)


@pytest.mark.parametrize("writing", WRITINGS)
@pytest.mark.parametrize("side", ["window", "reference"])
def test_a_category_that_lost_digits_is_the_same_category(writing: str, side: str) -> None:
    reference, window, write = drawn(5 * N), drawn(N, seed=4), WRITINGS[writing]
    found = (
        found_in("categorical", reference, write(window))
        if side == "window"
        else found_in("categorical", write(reference), window)
    )
    assert (found["new_category_share"], found["drifted"], found["sentinel_share"]) == (0, 0, 0)
    assert (found["psi"] or 0) < 0.02
    assert (found["psi_fine"] or 0) < 0.02


def test_ten_digits_that_became_six_are_the_same_category() -> None:
    reference = drawn(5 * N, np.array([0.3333333333, 0.6666666667, 0.1428571429]))
    window = drawn(N, np.array([0.333333, 0.666667, 0.142857]))
    assert found_in("categorical", reference, window)["new_category_share"] == 0


@pytest.mark.parametrize("new", [0.34, 0.333, 0.1429, 2.5])
@pytest.mark.parametrize("writing", PLAIN)
def test_a_new_category_stays_new_whatever_the_precision(new: float, writing: str) -> None:
    window = drawn(N, seed=4)
    window[:200] = 0.25 if new == 0.333 and "two" not in writing else new
    if "two" in writing or "12, 2" in writing:
        window[:200] = 0.34 if new != 2.5 else new
    found = found_in("categorical", drawn(5 * N), WRITINGS[writing](window))
    assert found["new_category_share"] == 0.1


def test_categories_that_rounding_would_make_one_stay_apart() -> None:
    reference = drawn(5 * N, np.array([0.331, 0.334, 0.5]))
    assert found_in("categorical", reference, drawn(N, np.array([0.33, 0.5])))["new_category_share"] > 0.3


def test_texts_that_look_like_numbers_are_never_rounded() -> None:
    reference = pa.array(["1.1", "1.10", "2.3333333333"] * N)
    found = found_in("categorical", reference, pa.array(["1.1", "1.10", "2.333333"] * 500))
    assert found["new_category_share"] == pytest.approx(1 / 3)


def test_whole_numbers_that_a_float32_cannot_tell_apart_are_two_categories() -> None:
    reference = drawn(5 * N, np.array([123456789.0, 0.5]))
    assert found_in("categorical", reference, drawn(N, np.array([123456790.0, 0.5])))["new_category_share"] > 0.3


SHAPES: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "sevenths": lambda g, n: g.choice(SEVENTHS, n),
    "fifteen values": lambda g, n: g.choice(np.arange(1, 16) / 70, n),
    "a point mass": lambda g, n: np.where(g.random(n) < 0.6, 0.7, g.gamma(3, 1, n)),
    "a constant": lambda g, n: np.full(n, 0.7),
    "prices": lambda g, n: g.gamma(3, 10, n).round(1),
    "continuous": lambda g, n: g.normal(3, 1, n),
}


@pytest.mark.parametrize("kind", ["numeric", "categorical"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("name", SHAPES)
def test_a_reference_of_two_precisions_is_that_of_one(name: str, share: float, kind: str) -> None:
    if kind == "categorical" and name not in ("sevenths", "fifteen values", "a constant"):
        pytest.skip("no categories")
    generator = np.random.default_rng(5)
    reference, window = SHAPES[name](generator, 5 * N), SHAPES[name](generator, N)
    plain = found_in(kind, reference, window)
    for then, now in ((share, 0.0), (share, 1.0), (share, share), (0.0, share), (1.0, share)):
        found = found_in(kind, mixed(reference, then), mixed(window, now))
        for metric in ("psi", "psi_fine", "js_distance"):
            assert found[metric] == pytest.approx(plain[metric], abs=0.01), (then, now, metric)
        assert (found["drifted"], found.get("new_category_share", 0)) == (0, 0)
        assert found.get("ks", 0) == pytest.approx(plain.get("ks", 0), abs=0.06)


@given(st.lists(st.sampled_from([*SEVENTHS.tolist(), 0.5, 1e300, 3.0]), min_size=1, max_size=40), st.booleans())
def test_a_float32_beside_its_double_is_that_double_and_all_else_stays(numbers: list[float], beside: bool) -> None:
    values = np.array(numbers)
    with np.errstate(over="ignore"):
        others = values.astype(np.float32).astype(float)
    both = np.sort(np.concatenate((values, others[np.isfinite(others)]))) if beside else np.sort(values)
    found = untwinned(both)
    assert (np.diff(found) >= 0).all()
    assert set(found.tolist()) == set(numbers)
    assert untwinned(np.sort(others)).tolist() == np.sort(others).tolist()


def test_bins_of_a_mixed_reference_are_those_of_its_doubles() -> None:
    values = np.sort(drawn(N))
    for bins in (percentile_bins, decile_bins):
        assert bins(np.sort(mixed(values, 0.4))).edges.tolist() == bins(values).edges.tolist()


def calibrated(score: np.ndarray) -> dict[tuple[str, str], tuple[float | None, int]]:
    label = (np.random.default_rng(2).random(score.size) < np.sort(drawn(score.size))).astype(int)
    table = pa.table({"prediction": label, "score": score, "label": label})
    found = performance(table, BINARY, reference={})
    wanted = ("ece", "reliability", "reliability_score")
    return {(m.metric, m.bin): (m.value, m.n) for m in found if m.metric in wanted}


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_scores_lie_in_the_same_calibration_bins_as_float32(share: float) -> None:
    score = np.sort(drawn(N, np.arange(0, 11) / 10))
    expected, found = calibrated(score), calibrated(mixed(score, share))
    assert {key: n for key, (_, n) in found.items()} == {key: n for key, (_, n) in expected.items()}
    for key, (value, _) in found.items():
        assert value == pytest.approx(expected[key][0], abs=1e-6), key


@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
@pytest.mark.parametrize("freeze", [isotonic, binned])
def test_a_frozen_calibration_puts_a_float32_into_the_block_of_its_double(
    freeze: Callable[[np.ndarray, np.ndarray], Blocks], share: float
) -> None:
    score = np.sort(drawn(N, np.arange(0, 11) / 10))
    hits = np.random.default_rng(2).random(N) < score
    plain, of_two = freeze(score, hits.astype(float)), freeze(mixed(score, share), hits.astype(float))
    assert of_two.n.tolist() == plain.n.tolist()
    assert of_two.mean == pytest.approx(plain.mean, abs=1e-12)
    for blocks in (plain, of_two):
        for written in (score, mixed(score, 0.5), mixed(score, 1.0)):
            assert blocks.count(written).tolist() == plain.n.tolist()


def test_counts_of_a_mixed_window_are_those_of_its_doubles() -> None:
    values = np.sort(drawn(N))
    bins = percentile_bins(values)
    known = bins.counts(Distribution(values), 0).tolist()
    assert bins.counts(Distribution(np.sort(mixed(values, 0.5))), 0).tolist() == known
