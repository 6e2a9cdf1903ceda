"""Comparison: every effect and the test of one column against its reference, before anything is decided."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np

from hindsight.checks.reference.profile import Moments, Profile, moments
from hindsight.checks.statistics.effects import (
    any_of,
    chi2_p,
    homogeneity,
    js_distance,
    kl_divergence,
    psi,
    psi_by_chance,
    wasserstein_normed,
)
from hindsight.checks.values.bins import CategoryBins, NumericBins
from hindsight.checks.values.distributions import Distances, distances, ks_p
from hindsight.checks.values.precision import STEP
from hindsight.checks.values.samples import Numbers, Texts

USUAL_BINS = 11  # deciles and null: what the usual PSI thresholds of 0.1 and 0.25 were made for


@dataclass(frozen=True, slots=True)
class Effect:
    """How far a column moved by one measure; `value` None with a `note` where it is not defined.

    `weight` is what a threshold is compared with: the value, less what chance adds through unusually many bins, or
    infinity where the reference has no spread to measure a movement in.
    """

    value: float | None
    n: int
    note: str = ""
    weight: float = 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """The effects by metric name, the p-value of "nothing changed" with its test, and the move of the null rate."""

    effects: dict[str, Effect]
    p_value: float | None
    test: str
    null_shift: float
    has_point_mass: bool = False


def compare_numbers(
    deciles: NumericBins, reference: Numbers, known: Profile, current: Numbers, counts: np.ndarray
) -> Comparison:
    """Compare a numeric column with its reference; `counts` are the current rows in the frozen bins of `known`."""
    binned = [deciles.counts(side.values, side.nulls) for side in (reference, current)]
    n, why = current.values.n, why_not(reference, current)
    effects = {
        "psi": psi_effect(*binned),
        "psi_fine": psi_effect(known.counts, counts),
        "kl_divergence": plain(kl_divergence(*binned), current.n, "" if current.n and reference.n else "no rows"),
        "js_distance": plain(js_distance(binned[0][:-1], binned[1][:-1]), n, why),
    }
    ks = None
    if not why:
        gaps = distances(reference.values, current.values)
        ks = gaps.ks
        effects |= {"ks": plain(ks, n)} | _moves(reference, known, current, gaps)
    else:
        effects |= {name: Effect(None, n, why) for name in ("ks", "wasserstein_normed", "mean_shift", "std_shift")}
    has_point_mass = len(deciles.edges) < 9
    p, test = numeric_test(reference, current, ks, (known.counts, counts) if has_point_mass else None)
    return Comparison(effects, p, test, null_shift(reference, current), has_point_mass)


def _moves(reference: Numbers, known: Profile, current: Numbers, gaps: Distances) -> dict[str, Effect]:
    """Return the effects in units of the reference's standard deviation, over finite values."""
    then, finite = known.moments or Moments(0, 0.0, 0.0), current.values.finite()
    if why := without_moves(then, finite.n):
        return {name: Effect(None, finite.n, why) for name in MOVES}
    infinite = (known.n - known.nulls - then.n) + (current.values.n - finite.n)
    if infinite:
        gaps = distances(reference.values.finite(), finite)
    note = f"{infinite} infinite values left out" if infinite else ""
    return moves(then, moments(finite.values), gaps.wasserstein, note)


def without_moves(then: Moments, n: int) -> str:
    """Return why a movement cannot be given in units of the reference's deviation; `n` are finite values."""
    if not isfinite(then.std):
        return "the reference's values are too large for a double"
    return "" if then.n and n else "no finite values"


def moves(then: Moments, now: Moments, wasserstein: float, note: str) -> dict[str, Effect]:
    """Return the movement of finite values in units of the reference's standard deviation."""
    moved = {
        "wasserstein_normed": wasserstein_normed(wasserstein, then.std),
        "mean_shift": (now.mean - then.mean) / then.std if then.std else _unmoved(now.mean, then.mean),
        "std_shift": now.std / then.std - 1 if then.std else _unmoved(now.std, then.std),
    }
    return {name: _in_units(value, now.n, note) for name, value in moved.items()}


MOVES = ("wasserstein_normed", "mean_shift", "std_shift")


def _unmoved(now: float, then: float) -> float | None:
    return 0.0 if abs(now - then) <= STEP * abs(then) else None


def _in_units(value: float | None, n: int, note: str) -> Effect:
    if value is None:
        return Effect(None, n, "the reference has no spread to measure in", float("inf"))
    if not isfinite(value):
        return Effect(None, n, "values too large for a double", float("inf"))
    return Effect(value, n, note, value)


def compare_texts(bins: CategoryBins, reference: Texts, known: Profile, current: Texts, rest: str | None) -> Comparison:
    """Compare a categorical column with its reference; `rest` names what the reference counts as one, if anything.

    The test looks at all categories, not at the frozen bins: the reference's most frequent ones are partly so by luck,
    and would always seem to lose share.
    """
    texts, then = reference.values.texts, reference.values.counts
    names, now = current.values.onto(texts, rest=rest)
    then = np.append(then, np.zeros(len(names) - len(texts), np.int64))
    n, why = current.values.n, why_not(reference, current)
    both = np.append(then, reference.nulls), np.append(now, current.nulls)
    effects = {
        "psi": psi_effect(*both),
        "psi_fine": psi_effect(known.counts, bins.counts(current.values, current.nulls)),
        "kl_divergence": plain(kl_divergence(*both), current.n, "" if current.n and reference.n else "no rows"),
        "js_distance": plain(js_distance(then, now), n, why),
        "chi2_p": plain(chi2_p(then, now), n, why),
    }
    p, test = (None, "no rows") if not reference.n or not current.n else homogeneity(*both)
    return Comparison(effects, p, test, null_shift(reference, current))


def psi_effect(reference: np.ndarray, current: np.ndarray) -> Effect:
    value, n, m = psi(reference, current), int(current.sum()), int(reference.sum())
    if value is None:
        return Effect(None, n, "no rows")
    bins = int(np.count_nonzero(reference + current))
    extra = psi_by_chance(bins, n, m) - psi_by_chance(USUAL_BINS, n, m)
    return Effect(value, n, weight=value - max(extra, 0.0))


def plain(value: float | None, n: int, why: str = "") -> Effect:
    return Effect(None, n, why) if value is None else Effect(value, n, weight=value)


def why_not(reference: Numbers | Texts, current: Numbers | Texts) -> str:
    if not reference.values.n:
        return "the reference has no values"
    if not current.values.n:
        return f"no values: all {current.n} rows are null" if current.n else "no rows"
    return ""


def null_shift(reference: Numbers | Texts, current: Numbers | Texts) -> float:
    if not reference.n or not current.n:
        return 0.0
    return abs(current.nulls / current.n - reference.nulls / reference.n)


def numeric_test(
    reference: Numbers,
    current: Numbers,
    ks: float | None,
    bins: tuple[np.ndarray, np.ndarray] | None,
    *,
    name_of_ks: str = "Kolmogorov-Smirnov",
) -> tuple[float | None, str]:
    """Test the values by Kolmogorov-Smirnov, the null rate where there are nulls, the frozen bins at a point mass.

    Kolmogorov-Smirnov is slow to see mass moving off a value that most rows share; the bins are not.
    """
    if not reference.n or not current.n:
        return None, "no rows"
    tests: list[tuple[float, str]] = []
    if ks is not None:
        tests.append((ks_p(ks, reference.values.n, current.values.n), name_of_ks))
        if bins is not None:
            p, name = homogeneity(bins[0][:-1], bins[1][:-1], ordered=True)
            tests.append((p, f"frozen bins ({name})"))
    if reference.nulls or current.nulls:
        nulls = [np.array([side.nulls, side.values.n]) for side in (reference, current)]
        p, name = homogeneity(*nulls)
        tests.append((p, f"null rate ({name})"))
    if not tests:
        return None, "no values"
    return any_of([p for p, _ in tests]), " or ".join(name for _, name in tests)
