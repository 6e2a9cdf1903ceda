"""Damage: while something is only shown, snapshots whose files are damaged are left out and named, not raised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

from hindsight.snapshots.parquet import DamagedError

Given = ParamSpec("Given")
Found = TypeVar("Found")
_LEFT_OUT: ContextVar[dict[str, None] | None] = ContextVar("left_out", default=None)


@contextmanager
def leaving_out() -> Iterator[dict[str, None]]:
    """Leave out, until the end, what is damaged; yields a dict whose keys say what is wrong with which file.

    What was said of such a window before does not stand in for it. Never while numbers are judged.
    """
    left_out: dict[str, None] = {}
    token = _LEFT_OUT.set(left_out)
    try:
        yield left_out
    finally:
        _LEFT_OUT.reset(token)


def readable(read: Callable[Given, Found], instead: Callable[Given, Found]) -> Callable[Given, Found]:
    """Return a function that reads and, where damage is left out, gives something instead; in any thread."""
    left_out = _LEFT_OUT.get()
    if left_out is None:
        return read

    def tolerant(*args: Given.args, **named: Given.kwargs) -> Found:
        try:
            return read(*args, **named)
        except DamagedError as exc:
            left_out[str(exc)] = None
            return instead(*args, **named)

    return tolerant
