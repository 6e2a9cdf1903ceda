"""The page of a few rows somebody asked for, as a pure function of plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hindsight.reports.pages import render


@dataclass(frozen=True, slots=True)
class RowsView:
    """Rows of a window of a case: what was found, or `why_none` says why there are none."""

    monitor: str
    case: str
    window: datetime
    segment: str
    columns: tuple[str, ...] = ()
    rows: Sequence[Sequence[object]] = ()
    hashed: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    why_none: str = ""


def rows_page(view: RowsView) -> str:
    """Return the page: every value as text, cut where it is long."""
    rows = [[_said(value) for value in row] for row in view.rows]
    return render("rows.html.j2", view=view, rows=rows)


def _said(value: object) -> str | None:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    return None if value is None else str(value)
