"""Runs of a case: load it into a database, write its monitor file and run the command line over its windows."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa
from ruamel.yaml import YAML

from benchmarks.case import DAY, Case
from hindsight.warehouse.dialects.postgresql import conninfo

LATER = datetime(2100, 1, 1, tzinfo=UTC)  # when every label has come


def load(case: Case, url: sa.URL) -> None:
    """Load predictions and labels of a case into tables of its name, by ADBC."""
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(conninfo(sa.create_engine(url))) as connection, connection.cursor() as cursor:
        for table, file in ((case.name, "predictions"), (f"{case.name}_labels", "labels")):
            cursor.adbc_ingest(table, plain(pq.read_table(case.folder / f"{file}.parquet")), mode="replace")
        connection.commit()


def prepare(cases: Iterable[Case], url: sa.URL, folder: Path) -> dict[str, str]:
    """Write the monitor files into a folder; return the environment under which the command line finds everything."""
    monitors = folder / "monitors"
    monitors.mkdir(exist_ok=True)
    for case in cases:
        YAML().dump(case.monitor_file(), monitors / f"{case.name}.yml")
    return {
        "HINDSIGHT_DATA": str(folder / "data"),
        "HINDSIGHT_MONITORS": str(monitors),
        "AIRFLOW_CONN_WAREHOUSE": json.dumps(_connection(url)),
    }


def run(case: Case) -> None:
    """Run every window of a case."""
    start, end = case.span
    hindsight("run", case.name, "--start", start.isoformat(), "--end", end.isoformat(), "--json")


def night(case: Case, as_of: datetime = LATER) -> None:
    """Measure performance as it is known at a moment; by default when every label has come."""
    hindsight("labels", case.name, "--as-of", as_of.isoformat(), "--json")


def nights(case: Case) -> None:
    """Measure, in order, every night that the truth knows, such as 0, 1 and 7 days after the end of each window."""
    ends = [start + case.size for start in case.starts]
    for as_of in sorted({end + days * DAY for end in ends for days in case.days_after}):
        night(case, as_of)


def hindsight(*arguments: str) -> str:
    """Run the command line in this process and return what it printed; raise SystemExit where it fails."""
    from hindsight.cli import main

    with redirect_stdout(io.StringIO()) as printed:
        try:
            main(arguments)
        except SystemExit as exc:
            if exc.code:
                raise SystemExit(f"hindsight {' '.join(arguments)} failed") from exc
    return printed.getvalue()


def plain(table: pa.Table) -> pa.Table:
    """Give columns types that the driver's COPY takes."""
    return table.cast(pa.schema([field.with_type(_plain(field.type)) for field in table.schema]))


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_null(kind):
        return pa.string()
    return pa.int64() if pa.types.is_unsigned_integer(kind) else kind


def _connection(url: sa.URL) -> dict[str, Any]:
    host = url.query.get("host", url.host)
    return {
        "conn_type": "postgres",
        "host": host,
        "login": url.username,
        "password": url.password,
        "schema": url.database,
        "port": url.port,
    }
