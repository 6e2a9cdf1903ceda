"""Row views: a few rows of the worst segment, read live for somebody who may edit the DAG, on record, never stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from hindsight.errors import ConfigError
from hindsight.ledger.row_views import RowView, note_row_view
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.connect import open_engine
from hindsight.warehouse.samples import sample, why_no_sample

if TYPE_CHECKING:
    import pyarrow as pa

MOST = 50  # rows
PATIENCE = timedelta(seconds=30)  # of a statement that somebody waits for


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks when for the rows of which case, window and segment ("" for all rows of the window)."""

    by: str
    at: datetime
    case: str
    window: datetime
    segment: str = ""


def look_at_rows(monitor: Monitor, asked: Asked, resources: Resources) -> pa.Table:
    """Return up to MOST rows, once it is on record who looks at them.

    Raises ConfigError where the file does not say what is personal, for a window that is no bad one of the case, and
    for what is no segment; DataError and WarehouseError as the warehouse gives them. Nothing is on record then, for
    nothing was seen.
    """
    if why := why_no_sample(monitor):
        raise ConfigError(why)
    known = resources.ledger.incidents(monitor.name)
    case = next((one.case for one in known if one.id == asked.case and one.case), asked.case)
    if asked.window not in {start for one in known if case in (one.case, one.id) for start in one.breaches}:
        raise ConfigError(f"{asked.window:%Y-%m-%d %H:%M} UTC is no bad window of case {case} of {monitor.name}")
    window = Window(asked.window, asked.window + monitor.window)
    with _opened(monitor, resources) as engine:
        rows = sample(engine, monitor, window, asked.segment, pii_key=resources.pii_key, most=MOST)
    shown = ", ".join(rows.column_names)
    view = RowView(asked.at, asked.by, case, asked.window, asked.segment, rows.num_rows, shown)
    note_row_view(resources.ledger, monitor.name, view)
    return rows


@contextmanager
def _opened(monitor: Monitor, resources: Resources) -> Iterator[sa.Engine]:
    """Open the warehouse for one statement that is cancelled long before those of a run are."""
    engine = open_engine(resources.warehouse_source(monitor.source.connection), statement_timeout=PATIENCE)
    try:
        yield engine
    finally:
        engine.dispose()
