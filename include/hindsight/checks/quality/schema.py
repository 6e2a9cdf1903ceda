"""Schema: whether a column is still there under its name and of its type; what is wrong is said in the note."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

import pyarrow as pa

from hindsight.checks.quality.norms import Norm
from hindsight.checks.reference.columns import Role
from hindsight.verdicts.muting import ROUNDED
from hindsight.vocabulary.measurement import Measurement

Strangers = Callable[[], Mapping[str, bool | None]]  # columns not declared, and whether each is new, if known


@dataclass(frozen=True)
class Expected:
    """A column as declared, and its norm."""

    name: str
    role: Role | str
    numeric: bool | None = None
    norm: Norm | None = None

    def __str__(self) -> str:
        declared = {True: "numeric", False: "categorical", None: self.role}[self.numeric]
        return f"{declared} ({self.norm.type})" if self.norm else declared


def missing(expected: Expected, n: int, strangers: Strangers) -> Measurement:
    """Return schema_change 1 for a column that the table lacks, naming the column it has become if one can be."""
    others = strangers()
    heir = renamed(expected.name, others)
    if heir:
        note = f"renamed: {expected.name}, {expected}, is missing - is it now {heir!r}?"
    else:
        there = f"; columns the monitor does not name: {', '.join(sorted(others)[:5])}" if others else ""
        note = f"missing: expected {expected}, found no such column{there}"
    return Measurement("schema_change", 1.0, n, feature=expected.name, note=note)


def emptied(expected: Expected, n: int, strangers: Strangers) -> Measurement | None:
    """Return schema_change 1 for a column without a value whose values another column now holds; else None."""
    heir = renamed(expected.name, {name: is_new for name, is_new in strangers().items() if is_new is not False})
    note = f"renamed: {expected.name}, {expected}, has no value any more - is it now {heir!r}?"
    return Measurement("schema_change", 1.0, n, feature=expected.name, note=note) if heir else None


def retyped(expected: Expected, found: pa.DataType, n: int, *, rounded: bool = False) -> Measurement:
    """Return schema_change 1 where a column holds another kind of values than the reference or the monitor says.

    Numbers that are `rounded`, all whole where the reference has fractions, are of another kind too.
    """
    before = family(expected.norm.type) if expected.norm else ("number" if expected.numeric else "")
    now = family(str(found))
    changed = bool(before and now) and before != now
    what = f"{found}" if changed else ROUNDED
    note = f"retyped: expected {expected}, found {what}" if changed or rounded else ""
    return Measurement("schema_change", float(changed or rounded), n, feature=expected.name, note=note)


def renamed(name: str, others: Mapping[str, bool | None]) -> str:
    """Return which of the other columns a column has become, or "".

    The one whose name says so: alike but for case and underscores, or made of the same words and more. Failing that
    the only one that is new.
    """
    plain = {_plain(other): other for other in sorted(others)}
    if close := get_close_matches(_plain(name), plain, n=1, cutoff=0.8):
        return plain[close[0]]
    akin = [other for other in sorted(others) if _words(name) <= _words(other) or _words(other) <= _words(name)]
    new = [other for other, is_new in others.items() if is_new]
    for some in (akin, new):
        if len(some) == 1:
            return some[0]
    return ""


def family(type: str) -> str:
    """The kind of values an Arrow type holds, "" where nobody can tell; whole numbers and fractions are one kind."""
    if type.startswith(("int", "uint", "float", "half", "double", "decimal", "bool")):
        return "number"
    if type.startswith(("timestamp", "date", "time")):
        return "time"
    return "text" if "string" in type else "" if type == "null" else type


def _plain(name: str) -> str:
    return name.replace("_", "").casefold()


def _words(name: str) -> set[str]:
    return {word.casefold() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+|\d+", name)}
