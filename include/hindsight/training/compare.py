"""Compare: is the challenger better than the champion on the same later rows, or is it too early to tell?

Both are judged on the rows that neither was trained on; the champion's predictions come from the log. A challenger is
better only when the whole 95 % interval of the paired difference lies above zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import optimize, stats

from hindsight.errors import TrainingError

if TYPE_CHECKING:
    import pandas as pd

Z95 = float(stats.norm.ppf(0.975))
MIN_ROWS = 200


@dataclass(frozen=True, slots=True)
class Comparison:
    """Champion and challenger on the same `n` rows: `difference` is what the challenger gains, in units of `metric`.

    For `accuracy` it is challenger minus champion, for `mae` champion minus challenger, so more is always better.
    `se` and `champion_se` are standard errors of the two values, where these do not say them already.
    `better` holds only when `lower`, the lower end of its 95 % interval, is above zero; `note` says why otherwise.
    """

    metric: Literal["accuracy", "mae"]
    n: int
    champion: float
    challenger: float
    difference: float
    lower: float
    upper: float
    better: bool
    note: str = ""
    se: float | None = None
    champion_se: float | None = None

    def metrics(self) -> dict[str, Any]:
        """The numbers as a registry keeps them."""
        errors = {"se": self.se, "champion_se": self.champion_se}
        return {
            self.metric: self.challenger,
            f"champion_{self.metric}": self.champion,
            "difference": self.difference,
            "lower": self.lower,
            "upper": self.upper,
            "n": self.n,
            **{name: value for name, value in errors.items() if value is not None},
        }


def compare(
    rows: pd.DataFrame, challenger: Any, *, task: str, features: Sequence[str], min_rows: int = MIN_ROWS
) -> Comparison:
    """Return how the challenger does against the champion on labelled `rows` (columns: features, prediction, label).

    Classifiers by accuracy, regressors by mean absolute error. Under `min_rows` rows nothing is better. Raises
    TrainingError when the challenger cannot predict these rows or answers in another type than the log holds.
    """
    known = rows[rows["prediction"].notna() & rows["label"].notna()]
    if known.empty:
        raise TrainingError("no labelled row later than the training data to compare champion and challenger on")
    label, champion = known["label"].to_numpy(), known["prediction"].to_numpy()
    answers = _predict(challenger, known, features)
    if task == "regression":
        result = paired_errors(np.abs(champion - label), np.abs(answers - label))
    else:
        _same_type(label, answers)
        result = paired_accuracy(champion == label, answers == label)
    return _judged(result, min_rows)


def recall(metrics: Mapping[str, Any], *, min_rows: int = MIN_ROWS) -> Comparison:
    """Return the comparison whose numbers a registry keeps, as `compare` returned it when it was made."""
    metric: Literal["accuracy", "mae"] = "accuracy" if "accuracy" in metrics else "mae"
    result = Comparison(
        metric=metric,
        n=metrics["n"],
        champion=metrics[f"champion_{metric}"],
        challenger=metrics[metric],
        difference=metrics["difference"],
        lower=metrics["lower"],
        upper=metrics["upper"],
        better=metrics["lower"] > 0,
    )
    return _judged(result, min_rows)


def paired_accuracy(champion: np.ndarray, challenger: np.ndarray) -> Comparison:
    """Compare two classifiers by which rows each got right (boolean arrays of equal length n ≥ 1).

    The difference of paired proportions with Tango's score interval (Statistics in Medicine 17, 1998, 891-908). Its
    lower end is above zero exactly when McNemar's statistic (b - c) / sqrt(b + c) exceeds 1.96, b and c being the
    rows that only the challenger and only the champion got right.
    """
    n = len(champion)
    gained, lost = int(np.sum(challenger & ~champion)), int(np.sum(champion & ~challenger))
    lower, upper = tango_interval(gained, lost, n)
    return Comparison(
        metric="accuracy",
        n=n,
        champion=float(np.mean(champion)),
        challenger=float(np.mean(challenger)),
        difference=(gained - lost) / n,
        lower=lower,
        upper=upper,
        better=lower > 0,
    )


def paired_errors(champion: np.ndarray, challenger: np.ndarray) -> Comparison:
    """Compare two regressors by their absolute errors on the same rows (arrays of equal length n ≥ 1, label's unit).

    The mean paired difference with Student's t interval; a single row proves nothing, its interval reaches to zero.
    """
    gain = np.asarray(champion, dtype=float) - np.asarray(challenger, dtype=float)
    n, mean = len(gain), float(np.mean(gain))
    half = float(stats.t.ppf(0.975, n - 1) * np.std(gain, ddof=1) / sqrt(n)) if n > 1 else abs(mean)
    return Comparison(
        metric="mae",
        n=n,
        champion=float(np.mean(champion)),
        challenger=float(np.mean(challenger)),
        difference=mean,
        lower=mean - half,
        upper=mean + half,
        better=n > 1 and mean - half > 0,
        se=_standard_error(challenger),
        champion_se=_standard_error(champion),
    )


def _standard_error(errors: np.ndarray) -> float | None:
    """Return the standard error of their mean; None of a single one."""
    return float(np.std(errors, ddof=1) / sqrt(len(errors))) if len(errors) > 1 else None


def tango_interval(gained: int, lost: int, n: int) -> tuple[float, float]:
    """Return the 95 % score interval of (gained - lost) / n, the difference of two paired proportions.

    Its ends solve z(d) = ±1.96 with z(d) = (b - c - n d) / sqrt(n (2 q + d (1 - d))), q the probability of a lost row
    that is most likely under the difference d.
    """
    point = (gained - lost) / n

    def z(d: float) -> float:
        top = gained - lost - n * d
        b = -gained - lost + (2 * n - gained + lost) * d
        q = (sqrt(max(b * b + 8 * n * lost * d * (1 - d), 0.0)) - b) / (4 * n)
        variance = n * (2 * q + d * (1 - d))
        return top / sqrt(variance) if variance > 0 else float(np.sign(top)) * 1e9

    edge = 1 - 1e-12
    lower = -1.0 if z(-edge) < Z95 else float(optimize.brentq(lambda d: z(d) - Z95, -edge, point))
    upper = 1.0 if z(edge) > -Z95 else float(optimize.brentq(lambda d: z(d) + Z95, point, edge))
    return lower, upper


def _predict(challenger: Any, rows: pd.DataFrame, features: Sequence[str]) -> np.ndarray:
    try:
        return np.asarray(challenger.predict(rows[list(features)]))
    except (KeyError, ValueError, TypeError) as exc:
        raise TrainingError(f"the challenger cannot predict rows with the features {list(features)}: {exc}") from exc


def _same_type(label: np.ndarray, answers: np.ndarray) -> None:
    """Refuse to compare '1' with 1: no row would match and the champion would seem to win."""
    numbers = [np.issubdtype(np.asarray(values.tolist()).dtype, np.number) for values in (label, answers)]
    if numbers[0] != numbers[1]:
        raise TrainingError(
            f"the challenger answers {answers[0]!r} where labels are like {label[0]!r}: train on the labels as they are"
        )


def _judged(result: Comparison, min_rows: int) -> Comparison:
    if result.n < min_rows:
        return replace(result, better=False, note=f"too small to tell: {result.n} rows, {min_rows} are needed")
    if not result.better:
        return replace(result, note="the 95 % interval of the gain does not lie above zero")
    return result
