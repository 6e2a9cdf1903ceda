"""Numbers as categories: told apart as numbers are, so that another precision makes no new category of an old one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hindsight.checks.values.categories import Frequencies
from hindsight.checks.values.distributions import Distribution
from hindsight.checks.values.precision import differing, single

FRACTIONS = ("float", "double", "halffloat", "decimal")  # Arrow types whose values may lose digits; texts never do


def one_text_each(
    reference: Frequencies, current: Frequencies, type_: str
) -> tuple[Frequencies, Frequencies, Mapping[str, str]]:
    """Give what is one number at the precision of the coarser side one text; return both sides, and what was renamed.

    `type_` is the reference's Arrow type: only fractions may be written otherwise, and of one number the text that is
    the reference's, the most frequent there, stays. A fraction is always the float32 nearest to it. Of fewer digits or
    decimals a precision counts as it does in `precision.alike`, if the reference's numbers stay apart under it.
    """
    if not type_.startswith(FRACTIONS):
        return reference, current, {}
    known = set(reference.texts)
    texts = (*reference.texts, *(text for text in current.texts if text not in known))
    numbers = np.array([_number(text) for text in texts])
    fractions = np.isfinite(numbers) & (numbers % 1 != 0)
    found = _first_of_each(texts, numbers, np.where(fractions, single(numbers), numbers))
    kept, unknown = len({found.get(text, text) for text in known}), _unknown(current, known, found)
    for rounding in differing(_rows(reference), _rows(current), 0.0) if unknown and fractions.any() else ():
        coarser = _first_of_each(texts, numbers, np.where(fractions, rounding(single(numbers)), numbers))
        still = _unknown(current, known, coarser)
        if still < unknown and len({coarser.get(text, text) for text in known}) == kept:
            found, unknown = coarser, still
    return reference.renamed(found), current.renamed(found), found


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _first_of_each(texts: Sequence[str], numbers: np.ndarray, keys: np.ndarray) -> dict[str, str]:
    """Return each text whose key one before it has, and that one; what is no number is only itself."""
    first: dict[float, str] = {}
    pairs = zip(texts, numbers.tolist(), keys.tolist(), strict=True)
    named = [(text, first.setdefault(key, text)) for text, number, key in pairs if np.isfinite(number)]
    return {text: name for text, name in named if text != name}


def _unknown(current: Frequencies, known: set[str], found: Mapping[str, str]) -> int:
    counted = zip(current.texts, current.counts.tolist(), strict=True)
    return sum(count for text, count in counted if found.get(text, text) not in known)


def _rows(side: Frequencies) -> Distribution:
    """The numbers among the categories, in ascending order."""
    numbers = np.array([_number(text) for text in side.texts])
    order = np.argsort(numbers)[: int(np.isfinite(numbers).sum())]
    return Distribution.counted(numbers[order], side.counts[order])
