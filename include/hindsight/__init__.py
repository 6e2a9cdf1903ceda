"""Hindsight: batch monitoring of machine-learning models that knows the truth arrives late."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hindsight import testing
    from hindsight.pipeline import read_snapshots

__all__ = ["__version__", "read_snapshots", "testing"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load the public functions on first use: DAG files import this package and must stay light."""
    if name == "read_snapshots":
        from hindsight.pipeline import read_snapshots

        return read_snapshots
    if name == "testing":
        return import_module("hindsight.testing")
    raise AttributeError(f"module 'hindsight' has no attribute {name!r}")
