"""Rows of a case on a page: read for who may edit the monitor's DAG, with the reason in words where they cannot be."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hindsight.errors import ConfigError, DataError, WarehouseError
from hindsight.monitors.loader import load_monitor
from hindsight.reports.rows import RowsView

if TYPE_CHECKING:
    from hindsight.monitors.model import Monitor
    from hindsight.pipeline import Resources

logger = logging.getLogger(__name__)
_AWAY = "The warehouse (connection {}) {}. Nothing was read. The log of Airflow's API server says more."


def rows_of_case(name: str, case: str, fields: Mapping[str, str], resources: Resources, by: str) -> RowsView:
    """Return the rows that were asked for; where the warehouse cannot give them, why not in words.

    Raises ConfigError for a request that cannot be: no moment, no bad window of the case, no segment.
    """
    from hindsight.pipeline.act.row_views import Asked, look_at_rows

    monitor, at = load_monitor(name, resources.settings.monitors), datetime.now(UTC)
    asked = Asked(by, at, case, _moment(fields.get("window", "")), _sent(fields.get("segment", "")))
    try:
        rows = look_at_rows(monitor, asked, resources)
    except (WarehouseError, DataError) as exc:
        logger.warning("rows cannot be read monitor=%s", name, exc_info=exc)
        return RowsView(name, case, asked.window, asked.segment, why_none=_why_none(monitor, exc))
    values = [list(row.values()) for row in rows.to_pylist()]
    hashed = tuple(column for column in rows.column_names if column in monitor.pii.hash)
    columns, dropped = tuple(rows.column_names), monitor.pii.drop
    return RowsView(name, case, asked.window, asked.segment, columns, values, hashed, dropped)


def _sent(text: str) -> str:
    """Return a name as it is: forms send each of its line breaks as two characters."""
    return text.replace("\r\n", "\n")


def _why_none(monitor: Monitor, error: Exception) -> str:
    said = "cannot be reached, or broke off" if isinstance(error, WarehouseError) else "did not answer as it should"
    return _AWAY.format(monitor.source.connection, said)


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as exc:
        raise ConfigError(f"window: expected its start, such as 2026-09-01T00:00+00:00, got {text!r}") from exc
    if found.tzinfo is None:
        raise ConfigError(f"window: expected a moment with a zone, such as 2026-09-01T00:00+00:00, got {text!r}")
    return found
