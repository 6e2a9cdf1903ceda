"""Intervals: 95 % confidence intervals of rates, means and scores."""

from __future__ import annotations

from math import isfinite, sqrt

import numpy as np
from scipy import special

Z = 1.959963984540054  # the 97.5 % point of the normal distribution
Interval = tuple[float, float]
Point = tuple[float, float, float]  # a value between the ends of its interval: value, lower, upper


def wilson(hits: float, n: float) -> Interval | None:
    """Return Wilson's score interval of `hits` out of `n`, which may be effective numbers; None when n is 0.

    (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n). Wilson 1927, JASA 22:209. Unlike p ± z·se it never leaves [0, 1]
    and says something even at 0 and n hits.
    """
    if n == 0:
        return None
    share, spread = hits / n, Z * Z / n
    centre = (share + spread / 2) / (1 + spread)
    half = sqrt(spread * share * (1 - share) + spread * spread / 4) / (1 + spread)
    return (0.0 if hits == 0 else centre - half, 1.0 if hits == n else centre + half)


def mean_t(values: np.ndarray) -> Interval | None:
    """Return mean ± t(n−1; 97.5 %) · s/√n (Student 1908); None for fewer than two values."""
    if values.size < 2:
        return None
    half = float(special.stdtrit(values.size - 1, 0.975) * values.std(ddof=1) / sqrt(values.size))
    centre = float(values.mean())
    return centre - half, centre + half


def mean_t_of(n: int, mean: float, deviations: float) -> Interval | None:
    """Return the same from the number of values, their mean and the sum of their squared deviations from it."""
    if n < 2 or not isfinite(deviations):
        return None
    half = float(special.stdtrit(n - 1, 0.975) * sqrt(deviations / (n - 1) / n))
    return mean - half, mean + half


def median(values: np.ndarray) -> Interval | None:
    """Return the order statistics that hold the median with 95 % or more, whatever the distribution.

    The number of values below the median is Binomial(n, 1/2): x(k) and x(n+1−k) for the largest k with
    P(B < k) ≤ 2.5 %. Conover, Practical Nonparametric Statistics, §3.2. None for fewer than six values.
    """
    from scipy.stats import binom

    n = values.size
    k = int(binom.ppf(0.025, n, 0.5))
    if k < 1:
        return None
    ordered = np.sort(values)
    return float(ordered[k - 1]), float(ordered[n - k])


def f1(true_positives: int, errors: int) -> Interval | None:
    """Return an interval of F1 = 2·TP / (2·TP + errors), errors being false positives and false negatives.

    J = TP / (TP + errors) is a share, so Wilson's interval holds for it, and F1 = 2J / (1 + J) rises with J.
    """
    share = wilson(true_positives, true_positives + errors)
    return share and (2 * share[0] / (1 + share[0]), 2 * share[1] / (1 + share[1]))


def rmse(squared_errors: np.ndarray) -> Interval | None:
    """Return the roots of the ends of the interval of the mean squared error, from 0 up."""
    ends = mean_t(squared_errors)
    return ends and (sqrt(max(ends[0], 0.0)), sqrt(ends[1]))


def r2(errors: np.ndarray, deviations: np.ndarray) -> Interval | None:
    """Return an interval of R² = 1 − Σe²/Σd² by the delta method, `deviations` being labels minus their mean.

    The ratio q = Σe²/Σd² has the influence function (e² − q·d²) / mean(d²): Cochran, Sampling Techniques, §6.4.
    """
    scale = float(np.mean(deviations**2))
    if errors.size < 3 or scale == 0.0:
        return None
    ratio = float(np.mean(errors**2)) / scale
    influence = (errors**2 - ratio * deviations**2) / scale
    half = Z * float(influence.std(ddof=1)) / sqrt(errors.size)
    return 1 - ratio - half, min(1 - ratio + half, 1.0)


def ratio(tops: np.ndarray, bottoms: np.ndarray) -> Interval | None:
    """Return an interval of r = Σt/Σb over paired rows, by the delta method; None for fewer than two rows or Σb = 0.

    r ± z · sd(t − r·b) / (√n · mean(b)): Cochran, Sampling Techniques (1977), §2.11 and §6.4.
    """
    scale = float(bottoms.mean()) if bottoms.size else 0.0
    if tops.size < 2 or scale == 0.0:
        return None
    value = float(tops.mean()) / scale
    half = Z * float((tops - value * bottoms).std(ddof=1)) / (sqrt(tops.size) * abs(scale))
    return value - half, value + half


def of_cells(counts: np.ndarray, gradient: np.ndarray, value: float) -> Interval | None:
    """Return an interval of a function of a table's cell shares p, given its gradient there, clipped to [0, 1].

    Delta method for multinomial counts: variance (Σ p·g² − (Σ p·g)²) / n. Takahashi et al. 2022, Applied Intelligence
    52:4961, who derive it for averaged F1.
    """
    n = int(counts.sum())
    if n < 2:
        return None
    shares = counts / n
    variance = float((shares * gradient**2).sum() - (shares * gradient).sum() ** 2) / n
    half = Z * sqrt(max(variance, 0.0))
    return max(value - half, 0.0), min(value + half, 1.0)


def _components(positives: np.ndarray, negatives: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the area, the share of negatives below each positive and the share of positives above each negative."""
    from scipy.stats import rankdata

    m, n = positives.size, negatives.size
    ranks = rankdata(np.concatenate([positives, negatives]))
    above = (ranks[:m] - rankdata(positives)) / n
    below = 1 - (ranks[m:] - rankdata(negatives)) / m
    return float((ranks[:m].sum() - m * (m + 1) / 2) / (m * n)), above, below


def roc_auc(positives: np.ndarray, negatives: np.ndarray) -> tuple[float, Interval | None]:
    """Return the area under the ROC curve and its interval, from the scores of the two classes (both non-empty).

    AUC = P(positive > negative) + ½ P(equal), by midranks. Variance by DeLong, DeLong & Clarke-Pearson 1988
    (Biometrics 44:837) in the O(n log n) form of Sun & Xu 2014; the interval is taken on the logit scale (Pepe 2003,
    §5.2), so it stays inside (0, 1). None where the variance is 0: complete separation, or one row in a class.
    """
    m, n = positives.size, negatives.size
    area, above, below = _components(positives, negatives)
    if min(m, n) < 2 or not 0 < area < 1:
        return area, None
    error = sqrt(float(above.var(ddof=1)) / m + float(below.var(ddof=1)) / n)
    if error == 0.0:
        return area, None
    return area, on_logits(area, error)


def on_logits(share: float, error: float) -> Interval:
    """Return the interval of a share strictly between 0 and 1, from its standard error, taken on the logit scale."""
    centre, half = float(special.logit(share)), Z * error / (share * (1 - share))
    return float(special.expit(centre - half)), float(special.expit(centre + half))


def roc_auc_ovr(truth: np.ndarray, scores: np.ndarray) -> tuple[float, Interval | None]:
    """Return the mean over classes of the one-versus-rest area, and its interval; each class needs a row and a miss.

    `truth` holds places of classes, `scores` a column for each. The areas share their rows, so the components of
    DeLong, DeLong & Clarke-Pearson 1988 are added up row by row before their variance is taken: a row moves the mean by
    the sum over classes of (its component - AUC of the class) / (rows of its side). None where that variance is 0.
    """
    n, k = scores.shape
    influence, areas = np.zeros(n), []
    for c in range(k):
        mine = truth == c
        positives, negatives = scores[mine, c], scores[~mine, c]
        area, above, below = _components(positives, negatives)
        areas.append(area)
        influence[mine] += (above - area) / (k * positives.size)
        influence[~mine] += (below - area) / (k * negatives.size)
    mean, error = float(np.mean(areas)), sqrt(float((influence**2).sum()) * n / max(n - 1, 1))
    return mean, on_logits(mean, error) if error > 0 and 0 < mean < 1 else None


def difference(first: Point, second: Point) -> Interval:
    """Return the interval of first - second, two independent shares with intervals of their own.

    The squared distances to the ends add up: Newcombe 1998 (Statist. Med. 17:873), method 10.
    """
    (p, low, high), (q, lowest, highest) = first, second
    gap = p - q
    return gap - sqrt((p - low) ** 2 + (highest - q) ** 2), gap + sqrt((high - p) ** 2 + (q - lowest) ** 2)
