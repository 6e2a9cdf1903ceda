"""Sentinels: values that stand for "unknown", told from real ones by how often the reference has them."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from typing import TypeVar

import numpy as np

from hindsight.checks.quality.norms import Counted, Norm, Span
from hindsight.checks.reference.peaks import FEWEST, OFTEN, SHARE

_USUAL = np.array([0.0, -1.0, *(-float("9" * k) for k in range(1, 11)), *(float("9" * k) for k in range(3, 11))])
NUMBERS = np.union1d(_USUAL, _USUAL.astype(np.float32))
WORDS = re.compile(
    r"n\.?/?a\.?|#n/a|nan|nil|none|\(?null\)?|missing|undefined|unspecified|unk(nown)?|not (available|set)|no value"
    r"|\?+|-+|\.|-?9{3,5}|-1|-9|-99"
)
MOST_FAR = 2
T = TypeVar("T", float, str)


def stand_ins(known: np.ndarray, norm: Counted, peak: float = 0.0) -> dict[float, int]:
    """Count the numbers that look like stand-ins for "unknown".

    Such a value is repeated in 0.5 % of the rows, in five rows more than ten times what the reference leads to expect,
    and is one of the usual ones (0, -1, -9, -99, … and 999, 9999, …) or lies further from the reference's values than
    these lie from each other: a single value or two that most of the rows so far away have, for many are a scale of
    their own. One that is far, or that the reference has too, is repeated in more than `peak` of the rows: as many had
    one value in a single window of the reference. 0 in all rows is a value that is stuck.
    """
    low, high = nearby(norm)
    usual = np.isin(known, possible(norm, all_zero=not known.any()))
    far = ((known < low) | (known > high)) & ~usual
    beyond = alone(_repeated(known[far], least(known.size)), int(np.count_nonzero(far)))
    often = _repeated(known[usual], least(known.size)) | beyond
    usually = {value: norm.share_of(value, within=_step(value, known)) for value in often}
    return oddly_often(often, known.size, usually, far=beyond, peak=peak)


def oddly_often(
    counts: Mapping[T, int], n: int, usually: Mapping[T, float], *, far: Container[T] = (), peak: float = 0.0
) -> dict[T, int]:
    """Return the values that are far more frequent than usual, in order.

    One that is far, or that the reference has too, has more than `peak` of the `n` rows.
    """
    odd = {value: counts[value] for value in sorted(counts) if _is_odd(counts[value], n, usually[value])}
    return {v: count for v, count in odd.items() if count > peak * n or not (usually[v] or v in far)}


def nearby(norm: Counted) -> Span:
    """The span beyond which a value lies further from the reference's values than these lie from each other."""
    low, high = norm.extremes or (-np.inf, np.inf)
    reach = high - low if high > low else np.inf  # a constant has no measure of far
    return low - reach, high + reach


def alone(repeated: dict[float, int], far: int) -> dict[float, int]:
    """Return the values far away that rows repeat, if these are one or two that most of the rows so far away have."""
    return {} if len(repeated) > MOST_FAR or 2 * sum(repeated.values()) < far else repeated


def _step(value: float, known: np.ndarray) -> float:
    """How far from 0 a value may have been that is written as 0: half of the smallest other one, if rounded."""
    sizes = np.abs(known[known != 0]) if value == 0 else np.zeros(0)
    return float(sizes.min()) / 2 if sizes.size else 0.0


def words(known: Mapping[str, int], norm: Norm, peak: float = 0.0) -> dict[str, int]:
    """Count the texts that say "unknown", such as N/A or -999, and are as much more frequent than in the reference.

    One that the reference has is more frequent than `peak` of the rows: one text was so in a single window of it.
    """
    n, before = sum(known.values()), max(sum(norm.texts.values()), 1)
    said = {
        text: count for text, count in known.items() if WORDS.fullmatch(text.strip().casefold()) and count >= least(n)
    }
    return oddly_often(said, n, {text: norm.texts.get(text, 0) / before for text in said}, peak=peak)


def possible(norm: Counted, *, all_zero: bool) -> list[float]:
    """The usual stand-ins that the reference does not have too often for any share of the rows to be odd.

    0 is one only where the reference has none at all: of what people count there are often more zeros than before.
    """
    shares = {value: norm.share_of(value) for value in NUMBERS.tolist()}
    if shares[0.0] or all_zero:
        del shares[0.0]
    return [value for value, share in shares.items() if OFTEN * share < 1]


def least(n: int) -> int:
    return max(FEWEST, int(np.ceil(SHARE * n)))


def _is_odd(count: int, n: int, usual: float) -> bool:
    return count >= OFTEN * usual * n + (FEWEST if usual else 0)


def _repeated(values: np.ndarray, times: int) -> dict[float, int]:
    """Count the values that occur at least so many times, in ascending order; sorts `values` in place."""
    values.sort()
    seen = np.unique(values[::times])  # a run of that length has a row at one of these places
    counts = np.searchsorted(values, seen, "right") - np.searchsorted(values, seen, "left")
    return {value: n for value, n in zip(seen.tolist(), counts.tolist(), strict=True) if n >= times}
