"""Ledgers whose tables are there already: the steps are taken once a session; `tests/ledger` holds what they make."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from hindsight.ledger import tables
from hindsight.ledger.connect import open_engine
from hindsight.ledger.ledger import Ledger
from hindsight.training.registry import Registry


def a_ledger(url: sa.URL) -> Ledger:
    """Return the ledger in an empty database, as `Ledger.create` and `Registry.create` would leave it."""
    if url.get_backend_name() == "sqlite":
        assert url.database
        path = Path(url.database)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_sqlite_file())
        return Ledger(open_engine(url))
    ledger = Ledger(open_engine(url))
    with ledger.writing() as connection:
        connection.execution_options(no_parameters=True).exec_driver_sql(_postgres_script())
    ledger.create()  # nothing is due
    Registry(ledger.engine).create()
    return ledger


@cache
def _sqlite_file() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "ledger.db")
        ledger = Ledger(open_engine(sa.URL.create("sqlite", database=str(path))))
        ledger.create()
        Registry(ledger.engine).create()
        ledger.engine.dispose()
        return path.read_bytes()


@cache
def _postgres_script() -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    made = [sa.schema.CreateTable(table) for table in tables.metadata.sorted_tables]
    made += [sa.schema.CreateIndex(index) for table in tables.metadata.sorted_tables for index in table.indexes]
    version = f"CREATE TABLE {tables.VERSION_TABLE} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
    says = f"INSERT INTO {tables.VERSION_TABLE} VALUES ('{tables.HEAD}')"
    return ";\n".join([*(str(one.compile(dialect=dialect)) for one in made), version, says])
