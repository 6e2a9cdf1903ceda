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
from benchmarks.case_runs import LATER, hindsight, night, plain
from hindsight.warehouse.dialects.postgresql import conninfo

Way = Literal["alter", "widen", "replace"]
WAYS: tuple[Way, ...] = ("alter", "widen", "replace")
SHAPE = {"drift", "out_of_range", "stuck", "unit", "new_categories"}
RULES = {
    "nulls": {"null_rate"},
    "sentinel": {"sentinel"},
    "renamed column": {"schema"},
    "dropped column": {"schema"},
    "type change": {"schema"},
    "new column": set(),
    "category spelling": {"new_categories"},
    "unit change": {"unit"},
    "stuck value": {"stuck", "drift"},
    "swapped columns": SHAPE,
    "lost category": SHAPE,
    "score": SHAPE,
    "class balance": SHAPE | {"label_drift"},
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
    size: timedelta = timedelta(days=1)

    @property
    def windows(self) -> set[datetime]:
        """The starts of the windows it lies in."""
        return {self.start + k * self.size for k in range((self.end - self.start) // self.size)}


def planted(case: Case) -> list[Planted]:
    """What incidents.csv says was broken, and when; SystemExit for a kind that no rule is known to name."""
    rows = rows_of(case.folder / "incidents.csv")
    if unknown := sorted({row["kind"] for row in rows} - RULES.keys()):
        raise SystemExit(f"{case.folder}/incidents.csv: unknown kinds {unknown}; expected some of {sorted(RULES)}")
    return [
        Planted(
            moment(row["start"]), moment(row["end"]), row["column"] if _is_column(row) else "", row["kind"], case.size
        )
        for row in rows
    ]


def _is_column(row: Mapping[str, str]) -> bool:
    return row["kind"] not in ("duplicates", "volume", "service")


def replay(case: Case, url: sa.URL, way: Way, days: Container[str] | None = None) -> list[dict[str, Any]]:
    """Load file after file and run the windows each completes, then the labels; return the incidents as listed.

    `days`, such as 2024-03-21, are those whose windows are run; the others are only loaded.
    """
    done, last = case.span
    files = list(feed(case))
    for number, (begin, table) in enumerate(files):
        load_day(url, case.name, table, way if number else "replace")
        until = files[number + 1][0] if number + 1 < len(files) else last
        ready = done + (until - done) // case.size * case.size
        if ready > done and (days is None or f"{begin:%Y-%m-%d}" in days):
            hindsight("run", case.name, "--start", done.isoformat(), "--end", ready.isoformat(), "--json")
        done = ready
    night(case, LATER)
    return list(json.loads(hindsight("incidents", case.name, "--json")))


def feed(case: Case) -> Iterator[tuple[datetime, pa.Table]]:
    """The files of `predictions_daily` in order, dt= a day or the hour each begins, with its own columns and types."""
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
    """Change the table in the database so that it holds the day's columns, and the day so that it fits into it."""
    there = {column["name"]: _kind_of(column["type"]) for column in sa.inspect(engine).get_columns(name)}
    changes = [f"DROP COLUMN {_quoted(c)}" for c in there if c not in table.column_names and way == "alter"]
    for place, field in enumerate(table.schema):
        was = there.get(field.name)
        now = was or "text" if pa.types.is_null(field.type) else _kind(field.type)
        wanted = now if way == "alter" or was is None else _widest(was, now)
        if was is None:
            changes.append(f"ADD COLUMN {_quoted(field.name)} {wanted}")
        elif was != wanted:
            changes.append(
                f"ALTER COLUMN {_quoted(field.name)} TYPE {wanted} USING {_converted(field.name, was, wanted)}"
            )
        if field.type != ARROW[wanted]:
            table = table.set_column(place, field.name, table.column(place).cast(ARROW[wanted]))
    with engine.begin() as connection:
        for change in changes:
            connection.execute(sa.DDL(f"ALTER TABLE {_quoted(name)} {change}".replace("%", "%%")))
    return table


ARROW = {
    "text": pa.string(),
    "double precision": pa.float64(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "timestamp with time zone": pa.timestamp("us", "UTC"),
}


def _kind(kind: pa.DataType) -> str:
    """The database's type of a column of a file."""
    if pa.types.is_timestamp(kind):
        return "timestamp with time zone"
    return next((name for name, arrow in ARROW.items() if kind == arrow), "text")


def _kind_of(kind: sa.types.TypeEngine[Any]) -> str:
    """The same of a column that is there."""
    known = {sa.Float: "double precision", sa.Integer: "bigint", sa.Boolean: "boolean"}
    known[sa.DateTime] = "timestamp with time zone"
    return next((name for one, name in known.items() if isinstance(kind, one)), "text")


def _widest(was: str, now: str) -> str:
    return was if was == now else "double precision" if {was, now} == {"bigint", "double precision"} else "text"


def _converted(column: str, was: str, wanted: str) -> str:
    """What becomes of the rows that are there: texts that are no number become null."""
    name = _quoted(column)
    if was == "text" and wanted in ("double precision", "bigint"):
        return f"CASE WHEN {name} ~ '^-?[0-9]+(\\.[0-9]+)?$' THEN {name}::double precision::{wanted} END"
    return (
        f"CASE WHEN {name} IN ('true', 'false') THEN {name}::boolean END"
        if wanted == "boolean"
        else f"{name}::{wanted}"
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def missed(known: Sequence[Planted], found: Sequence[Mapping[str, Any]]) -> list[Planted]:
    """The breakages that incidents of their kind do not name: their column in every one of their windows."""
    named = {one: {start for incident in found for start in _named(incident, one)} for one in known}
    return [one for one in known if RULES[one.kind] and not one.windows <= named[one]]


OUTPUTS = ("prediction", "score")


def beyond(known: Sequence[Planted], found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The incidents that name no breakage; news of its column, or of what the model made of it, names it too."""
    return [
        incident for incident in found if not any(_names(incident, one) or _is_news_of(incident, one) for one in known)
    ]


def _is_news_of(incident: Mapping[str, Any], one: Planted) -> bool:
    rule, feature = incident["series"]["rule"], incident["series"]["feature"]
    during = one.windows & {datetime.fromisoformat(start) for start in incident["breaches"]}
    return rule == "news" and feature in (one.feature, *OUTPUTS) and bool(during)


def _names(incident: Mapping[str, Any], one: Planted) -> bool:
    return bool(_named(incident, one))


def _named(incident: Mapping[str, Any], one: Planted) -> set[datetime]:
    """The windows of a breakage that an incident names."""
    if incident["series"]["rule"] not in RULES[one.kind] or incident["series"]["feature"] != one.feature:
        return set()
    return one.windows & {datetime.fromisoformat(start) for start in incident["breaches"]}


def as_line(incident: Mapping[str, Any]) -> str:
    """One incident on one line."""
    days = [start[5:10] for start in incident["breaches"]]
    span = days[0] if len(days) == 1 else f"{days[0]}…{days[-1]}"
    return f"{incident['severity']} {span:12} {incident['series']['rule']:16} {incident['what']}"
