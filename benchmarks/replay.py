"""Replay the feed of a case as it came: one day after another into PostgreSQL, the table changing as the feed did.

`replay` runs the command line for each day once its rows are there, and then the night when all labels have come.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from benchmarks.case import Case, moment, rows_of
from benchmarks.cases import LATER, hindsight, night, plain
from hindsight.warehouse.connect import conninfo

Way = Literal["alter", "widen", "replace"]
WAYS: tuple[Way, ...] = ("alter", "widen", "replace")
RULES = {
    "nulls": {"null_rate"},
    "sentinel": {"sentinel"},
    "renamed column": {"schema"},
    "dropped column": {"schema"},
    "type change": {"schema"},
    "category spelling": {"new_categories"},
    "unit change": {"unit"},
    "stuck value": {"stuck"},
    "duplicates": {"duplicates"},
    "volume": {"volume", "no_data"},
    "service": {"latency_p95", "health_warning", "health_critical"},
}


@dataclass(frozen=True, slots=True)
class Planted:
    """One breakage of incidents.csv: when, of which column ("" is all), and of what kind."""

    start: datetime
    end: datetime
    feature: str
    kind: str


def planted(case: Case) -> list[Planted]:
    """What incidents.csv says was broken, and when."""
    return [
        Planted(moment(row["start"]), moment(row["end"]), row["column"] if _is_column(row) else "", row["kind"])
        for row in rows_of(case.folder / "incidents.csv")
    ]


def _is_column(row: Mapping[str, str]) -> bool:
    return row["kind"] not in ("duplicates", "volume", "service")


def replay(case: Case, url: sa.URL, way: Way, days: Container[str] | None = None) -> list[dict[str, Any]]:
    """Load and run day after day, then the labels; return the incidents as the command line lists them.

    `days`, such as 2024-03-21, are those that are run; the others are only loaded.
    """
    for number, (day, table) in enumerate(feed(case)):
        load_day(url, case.name, table, way if number else "replace")
        if days is not None and f"{day:%Y-%m-%d}" not in days:
            continue
        hindsight("run", case.name, "--start", f"{day:%Y-%m-%d}", "--end", f"{day + case.size:%Y-%m-%d}", "--json")
    night(case, LATER)
    return list(json.loads(hindsight("incidents", case.name, "--json")))


def feed(case: Case) -> Iterator[tuple[datetime, pa.Table]]:
    """The days of `predictions_daily`, each with its own columns and types."""
    for file in sorted((case.folder / "predictions_daily").glob("dt=*/*.parquet")):
        yield moment(file.parent.name.removeprefix("dt=")), plain(pq.read_table(file, partitioning=None))


def load_day(url: sa.URL, name: str, table: pa.Table, way: Way) -> None:
    """Add a day to the table: altered to what the day has, widened to hold every day, or made anew for this one."""
    from adbc_driver_postgresql import dbapi

    engine = sa.create_engine(url, poolclass=sa.NullPool)
    mode: Literal["append", "replace"] = "replace" if way == "replace" else "append"
    table = table if way == "replace" else _fitted(engine, name, table, way)
    with dbapi.connect(conninfo(engine)) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest(name, table, mode=mode)
        connection.commit()


def _fitted(engine: sa.Engine, name: str, table: pa.Table, way: Way) -> pa.Table:
    there = {column["name"]: column["type"] for column in sa.inspect(engine).get_columns(name)}
    changes = [f"ADD COLUMN {_quoted(c)} {_sql_type(table, c)}" for c in table.column_names if c not in there]
    if way == "alter":
        changes += [f"DROP COLUMN {_quoted(c)}" for c in there if c not in table.column_names]
    for column in table.column_names:
        is_text, was_text = _sql_type(table, column) == "text", isinstance(there.get(column), sa.Text)
        if column in there and is_text != was_text and (is_text or way == "alter"):
            kind = _sql_type(table, column)
            changes.append(f"ALTER COLUMN {_quoted(column)} TYPE {kind} USING {_quoted(column)}::{kind}")
        elif was_text and not is_text:
            place = table.column_names.index(column)
            table = table.set_column(place, column, table.column(column).cast(pa.string()))
    with engine.begin() as connection:
        for change in changes:
            connection.execute(sa.DDL(f"ALTER TABLE {_quoted(name)} {change}"))
    return table


def _sql_type(table: pa.Table, column: str) -> str:
    kind = table.schema.field(column).type
    return "text" if pa.types.is_string(kind) else "double precision" if pa.types.is_floating(kind) else "integer"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def missed(known: Sequence[Planted], found: Sequence[Mapping[str, Any]]) -> list[Planted]:
    """The breakages that no incident of their kind names: their column in every one of their windows."""
    return [one for one in known if not any(_covers(incident, one) for incident in found)]


def beyond(known: Sequence[Planted], found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The incidents that name no breakage."""
    return [incident for incident in found if not any(_names(incident, one) for one in known)]


def _names(incident: Mapping[str, Any], one: Planted) -> bool:
    return (
        incident["series"]["rule"] in RULES[one.kind]
        and incident["series"]["feature"] == one.feature
        and any(one.start <= datetime.fromisoformat(start) < one.end for start in incident["breaches"])
    )


def _covers(incident: Mapping[str, Any], one: Planted) -> bool:
    days = [one.start + timedelta(days=k) for k in range((one.end - one.start).days)]
    return _names(incident, one) and set(days) <= {datetime.fromisoformat(start) for start in incident["breaches"]}


def as_line(incident: Mapping[str, Any]) -> str:
    """One incident on one line."""
    days = [start[5:10] for start in incident["breaches"]]
    span = days[0] if len(days) == 1 else f"{days[0]}…{days[-1]}"
    return f"{incident['severity']} {span:12} {incident['series']['rule']:16} {incident['what']}"
