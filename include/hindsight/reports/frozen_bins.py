"""The names of frozen bins as people read them: (-inf,1) [1,2.5) =7 (7,inf) of numbers, texts of categories, nulls."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from math import inf

NULL, OTHER = "<null>", "<other>"
WORDS = {NULL: "null", OTHER: "other values, not in the reference's bins", "<empty>": "empty text"}
_NUMBER = r"[-+]?[\d.]+(?:e[-+]?\d+)?"
_INTERVAL = re.compile(rf"[(\[](-inf|{_NUMBER}),(inf|{_NUMBER})\)")
_VALUE = re.compile(rf"=({_NUMBER})")


def ends(name: str) -> tuple[float, float] | None:
    """Return from where to where a bin of numbers reaches, twice the same for one value; None for what is no such."""
    if found := _VALUE.fullmatch(name):
        return float(found[1]), float(found[1])
    found = _INTERVAL.fullmatch(name)
    return (float(found[1]), float(found[2])) if found else None


def numeric(names: Iterable[str]) -> list[str]:
    """Return the bins of a column of numbers from low to high; none of a column of texts, even such as "=7"."""
    known = {name: ends(name) for name in names if name != NULL}
    if None in known.values():
        return []
    return sorted(known, key=lambda name: known[name] or (inf, inf))


def stretch(names: Sequence[str]) -> str:
    """Return neighbouring bins of numbers as one, by its ends: "1.5 to 2", "below 3", "7" for a value alone."""
    low, high = (ends(names[0]) or (-inf, inf))[0], (ends(names[-1]) or (-inf, inf))[1]
    if low == high:
        return f"{low:.6g}"
    if (low, high) == (-inf, inf):
        return "any number"
    if high == inf:
        return f"from {low:.4g}" if names[0][:1] in "[=" else f"above {low:.4g}"
    return f"{low:.4g} to {high:.4g}" if low > -inf else f"below {high:.4g}"
