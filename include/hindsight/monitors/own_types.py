"""Own types: whether what a file trusts can be found; `lint` imports it, reading the file for a DAG does not."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from hindsight.monitors.document import Where
from hindsight.monitors.model import Monitor


def missing_types(monitor: Monitor) -> Iterator[tuple[Where, str]]:
    """Yield which of `trusted` cannot be imported, and why."""
    for place, name in enumerate(monitor.trusted):
        if why := _why_not(name):
            yield ("trusted", place), f"{name} cannot be imported: {why}"


def _why_not(name: str) -> str:
    module, _, short = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), short, None)
    except Exception as exc:  # noqa: BLE001 - the user's module: whatever its import raises is what is wrong with it
        return f"{type(exc).__name__}: {exc}; is its folder on PYTHONPATH?"
    return "" if callable(found) else f"module {module!r} has no type or function {short!r}"
