"""Hindsight: batch monitoring of machine-learning models that knows the truth arrives late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hindsight.pipeline import read_snapshots

__all__ = ["__version__", "read_snapshots"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load the public functions on first use: DAG files import this package and must stay light."""
    if name == "read_snapshots":
        from hindsight.pipeline import read_snapshots

        return read_snapshots
    raise AttributeError(f"module 'hindsight' has no attribute {name!r}")
