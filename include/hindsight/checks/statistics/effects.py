"""Statistics of counts: effects and tests as pure functions, each with its formula and its source."""

from __future__ import annotations

from collections.abc import Sequence
from math import log, sqrt

import numpy as np
from scipy.special import chdtrc, gammaln, rel_entr

FLOOR = 1e-4  # the share of an empty bin, so that PSI stays finite
SPARSE = 10.0  # an expected count under which the chi-square approximation is not trusted
DRAWS = 99_999
FEW_DRAWS = 999
MOST_TABLES = 100_000  # whose shares are summed here
CERTAIN = 1e-8  # a chi-square p-value under which 99,999 draws find nothing as large, with 10 expected in each cell

Counts = np.ndarray


def psi(reference: Counts, current: Counts) -> float | None:
    """Return the population stability index, the sum of (q - p) ln(q / p) over the shares p and q of aligned bins.

    Shares are floored at 1e-4 and not renormalised (Siddiqi 2006; Yurdakul and Naranjo 2020). 0 for equal shares,
    never negative, the same both ways. None where a side has no rows.
    """
    if not reference.sum() or not current.sum():
        return None
    p, q = np.maximum(reference / reference.sum(), FLOOR), np.maximum(current / current.sum(), FLOOR)
    return float(np.sum((q - p) * np.log(q / p)))


def kl_divergence(reference: Counts, current: Counts) -> float | None:
    """Return the relative entropy of the window to the reference, the sum of q ln(q / p) in nats, over aligned bins.

    Shares are floored at 1e-4 and renormalised, so it is finite and never negative; 0 for equal shares, and not the
    same both ways (Kullback and Leibler 1951). None where a side has no rows.
    """
    if not reference.sum() or not current.sum():
        return None
    p, q = (np.maximum(counts / counts.sum(), FLOOR) for counts in (reference, current))
    p, q = p / p.sum(), q / q.sum()
    return max(float(np.sum(rel_entr(q, p))), 0.0)


def psi_by_chance(bins: int, n: int, m: int) -> float:
    """Return the PSI to expect of samples of n and m rows from one distribution: (bins - 1)(1/n + 1/m).

    Yurdakul and Naranjo (2020): PSI times the harmonic size is asymptotically chi-square with bins - 1 degrees.
    """
    return max(bins - 1, 0) * (1 / n + 1 / m)


def js_distance(reference: Counts, current: Counts) -> float | None:
    """Return the Jensen-Shannon distance in base 2, between 0 (equal) and 1 (disjoint), over aligned bins.

    The root of the mean of the two relative entropies to the midpoint (Endres and Schindelin 2003); shares are not
    floored. None where a side has no rows.
    """
    if not reference.sum() or not current.sum():
        return None
    p, q = reference / reference.sum(), current / current.sum()
    middle = (p + q) / 2
    divergence = float(np.sum(rel_entr(p, middle) + rel_entr(q, middle))) / (2 * log(2))
    return sqrt(min(max(divergence, 0.0), 1.0))


def chi2_p(reference: Counts, current: Counts) -> float | None:
    """Return the p-value of Pearson's two-sample test of homogeneity over the union of categories.

    As scipy.stats.chi2_contingency, that is with Yates' correction for a two by two table; 1.0 where all rows share
    one category. None where a side has no rows.
    """
    table = np.stack((reference, current))
    if not table.sum(axis=1).all():
        return None
    table = table[:, table.any(axis=0)]
    cells = table.shape[1]
    if cells == 1:
        return 1.0
    observed = table.astype(np.float64)
    expected = observed.sum(axis=1, keepdims=True) * observed.sum(axis=0, keepdims=True) / observed.sum()
    if cells == 2:
        observed += np.minimum(0.5, np.abs(expected - observed)) * np.sign(expected - observed)
    return float(chdtrc(cells - 1, np.sum((observed - expected) ** 2 / expected)))


def pooled(reference: Counts, current: Counts, *, ordered: bool = False) -> np.ndarray:
    """Return the 2 x k table in which all categories expected fewer than 10 times on a side are one category, the last.

    Where bins are `ordered`, such neighbours are joined until 10 are expected first, so that a move among thin bins is
    still seen. What is expected comes from the totals, on which the tests are conditional; for ordered bins, whose
    edges lie where the reference lies, from the reference: a choice by totals would gather what is low by chance.
    """
    table = np.stack((reference, current)).astype(np.int64)
    table = table[:, table.any(axis=0)]
    if ordered and table.size:
        table = np.add.reduceat(table, _joined(_expected(table, ordered)), axis=1)
    rare = _expected(table, ordered) < SPARSE
    return np.column_stack((table[:, ~rare], table[:, rare].sum(axis=1))) if rare.any() else table


def _expected(table: np.ndarray, ordered: bool) -> np.ndarray:
    """Return the expected count of each category on the smaller side."""
    known = table[0] if ordered else table.sum(axis=0)
    return np.asarray(known * (table.sum(axis=1).min() / known.sum()))


def _joined(expected: np.ndarray) -> list[int]:
    """Return where each run of neighbours begins; a bin that is not sparse is a run of its own."""
    starts, gathered = [], 0.0
    for place, rows in enumerate(expected.tolist()):
        if gathered == 0 or rows >= SPARSE:
            starts.append(place)
            gathered = 0.0
        gathered = 0.0 if gathered + rows >= SPARSE else gathered + rows
    return starts


def homogeneity(reference: Counts, current: Counts, *, ordered: bool = False) -> tuple[float, str]:
    """Test whether two samples share their category probabilities; return the p-value and the name of the test.

    Categories expected fewer than 10 times are pooled. If even together they are that rare, Fisher's exact test sets
    them against all others, and the others are tested among themselves. Two cells: Fisher's exact test. Under five:
    Monte Carlo. Otherwise, and where it leaves no doubt, Pearson's chi-square. Both sides need rows.
    """
    table = pooled(reference, current, ordered=ordered)
    rare = _expected(table, ordered) < SPARSE
    if table.shape[1] <= 2 or not rare.any():
        return _same_shares(table)
    apart = np.column_stack((table[:, rare], table[:, ~rare].sum(axis=1)))
    p, name = _same_shares(table[:, ~rare])
    return any_of([fisher_p(apart), p]), f"rare categories (Fisher exact) or {name}"


def _same_shares(table: np.ndarray) -> tuple[float, str]:
    cells = table.shape[1]
    if cells == 1 or not table.sum(axis=1).all():
        return 1.0, "one category"
    if cells == 2:
        return fisher_p(table), "Fisher exact"
    p = float(chdtrc(cells - 1, _pearson(table[1], table)))
    if cells < 5 and p > CERTAIN:
        return monte_carlo_p(table), "chi-square, Monte Carlo"
    return p, "chi-square"


def fisher_p(table: np.ndarray) -> float:
    """Return the two-sided p of Fisher's exact test of a 2 x 2 table of counts, as scipy.stats.fisher_exact.

    The share, of all tables with the same margins, of those no likelier than this one, equally likely within 1e-7
    (Fisher 1922; the tolerance is that of R's fisher.test). Summed here up to MOST_TABLES of them: scipy.stats takes
    longer to import than a small window to be measured.
    """
    rows, first = table.sum(axis=1), int(table[:, 0].sum())
    cell = np.arange(max(0, first - int(rows[1])), min(first, int(rows[0])) + 1)
    if cell.size > MOST_TABLES:
        from scipy.stats import fisher_exact

        return float(fisher_exact(table).pvalue)
    margins = np.stack([cell, rows[0] - cell, first - cell, rows[1] - first + cell])
    likely = -gammaln(margins + 1.0).sum(axis=0)
    share = np.exp(likely - likely.max())
    no_likelier = share <= share[int(table[0, 0]) - cell[0]] * (1 + 1e-7)
    return float(min(share[no_likelier].sum() / share.sum(), 1.0))


def monte_carlo_p(table: np.ndarray) -> float:
    """Return the share of tables with the same margins whose chi-square is at least that of `table` (2 x k).

    (1 + exceeding) / (1 + draws), which is valid at any level (Davison and Hinkley 1997, 4.2), from 99,999 draws with
    a fixed seed. A first round of 999 settles p-values over about 0.02, where nothing hangs on the next digit.
    """
    generator = np.random.default_rng(20260901)
    totals, rows = table.sum(axis=0), int(table[1].sum())
    observed = _pearson(table[1], table) * (1 - 1e-9)
    exceeding = 0
    for draws in (FEW_DRAWS, DRAWS):
        samples = generator.multivariate_hypergeometric(totals, rows, size=draws, method="marginals")
        exceeding = int(np.count_nonzero(_pearson(samples, table) >= observed))
        if exceeding >= 20:
            break
    return (1 + exceeding) / (1 + draws)


def _pearson(current: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Return Pearson's statistic of samples `current` (... x k) whose margins are those of `table`."""
    totals, n = table.sum(axis=0), table[1].sum()
    expected = totals * (n / table.sum())
    other = totals * (table[0].sum() / table.sum())
    return np.asarray(np.sum((current - expected) ** 2 * (1 / expected + 1 / other), axis=-1))


def any_of(p_values: Sequence[float]) -> float:
    """Return one p-value for the hypothesis that none of several tests should reject: Bonferroni, k times the least."""
    return min(1.0, len(p_values) * min(p_values))


def benjamini_hochberg(p_values: Sequence[float | None], q: float) -> list[bool]:
    """Say which tests reject at false discovery rate `q`; None, a test that was not made, never does.

    Reject the k smallest p-values, k the largest with p(k) <= k q / tests (Benjamini and Hochberg 1995). If nothing
    has changed, the chance of any rejection is at most `q`, for any number of independent tests.
    """
    made = sorted(p for p in p_values if p is not None)
    passed = [p for rank, p in enumerate(made, start=1) if p <= rank * q / len(made)]
    limit = max(passed, default=-1.0)
    return [p is not None and p <= limit for p in p_values]


def wasserstein_normed(wasserstein: float, std: float) -> float | None:
    """Return a Wasserstein-1 distance in units of the reference's standard deviation.

    0 where nothing moved, None where a reference without spread was left: no unit can measure that.
    """
    if wasserstein == 0:
        return 0.0
    return wasserstein / std if std > 0 else None
