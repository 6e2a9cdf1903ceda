"""Lookup: the statement with which a person reads rows of a window themselves, its values bound beside it."""

from __future__ import annotations

import sqlalchemy as sa

from hindsight.monitors.model import Monitor
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.columns import named

SHOWN = 100  # rows


def rows_to_look_at(monitor: Monitor, window: Window, segment: str = "") -> str:
    """Return a statement for the logged rows of a window, of a segment such as 'region=EU', and its values.

    Names are quoted as standard SQL does, values are parameters. Columns the monitor file hashes or drops are left out.
    """
    source, hashed = monitor.source.predictions, set(monitor.pii.hash)
    schema, _, name = source.table.rpartition(".")
    at: sa.ColumnElement[object] = sa.column(source.timestamp)
    column, _, value = segment.partition("=")
    where = [at >= sa.bindparam("start"), at < sa.bindparam("end")]
    values = {"start": f"{window.start:%Y-%m-%d %H:%M:%S}", "end": f"{window.end:%Y-%m-%d %H:%M:%S} (UTC)"}
    if column and column not in hashed:
        where.append(sa.column(column) == sa.bindparam("segment"))
        values["segment"] = repr(value)
    columns: list[sa.ColumnElement[object]] = [sa.column(one) for one in _columns(monitor)]
    query = sa.select(*columns).select_from(sa.table(name, schema=schema or None)).where(*where)
    text = " ".join(str(query.limit(sa.bindparam("rows", type_=sa.Integer))).split())
    return f"{text}\n{', '.join(f':{key} = {said}' for key, said in values.items())}, :rows = {SHOWN}"


def _columns(monitor: Monitor) -> list[str]:
    hashed = set(monitor.pii.hash) - {monitor.source.predictions.timestamp}
    return [column for column in named(monitor) if column not in hashed]
