"""Drawn once: Evidently's presets without the pictures that they draw and throw away, which took most of their time.

The page stays what it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any


def drift_table(**options: Any) -> Any:
    """Return Evidently's preset of drift, options as of that, with nothing but the table, which draws each column.

    The metrics of the preset test and draw each of them once more for those who read numbers instead of the page.
    """
    from evidently.presets import DataDriftPreset

    class DriftTable(DataDriftPreset):
        def generate_metrics(self, context: Any) -> Sequence[Any]:
            return []

    return DriftTable(**options)


@contextmanager
def one_picture_a_column() -> Iterator[None]:
    """Draw the distribution of a column for the first of the seven numbers about it, whose picture is the one shown."""
    from evidently.metrics import column_statistics

    draw, drawn = column_statistics.distribution, set[str]()

    def once(title: str, current: Any, reference: Any) -> list[Any]:
        if current.data.name in drawn:
            return []
        drawn.add(current.data.name)
        return list(draw(title, current, reference))

    column_statistics.distribution = once
    try:
        yield
    finally:
        column_statistics.distribution = draw
