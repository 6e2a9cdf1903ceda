"""Rows of an earlier version of the ledger as they are after its upgrade: in a database of their own, made for that."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import sqlalchemy as sa

from hindsight.ledger.connect import open_engine
from hindsight.ledger.portable import insert_part, read_parts
from hindsight.ledger.tables import VERSION_TABLE
from hindsight.ledger.upgrade import upgrade

Rows = Callable[[sa.Table], Iterator[pa.Table]]


@contextmanager
def upgraded(version: str, parts: Mapping[str, Iterable[pa.Table]], others: Collection[sa.Table]) -> Iterator[Rows]:
    """Yield what gives the rows of a table of today, made of those of an earlier version: `parts` by name of table.

    `others` are the tables that may be there and that no step makes. Raises ValueError where the parts are not what a
    ledger of that version holds.
    """
    with TemporaryDirectory(prefix="hindsight-ledger-") as folder:
        engine = open_engine(sa.URL.create("sqlite", database=str(Path(folder) / "ledger.db")))
        with engine.begin() as connection:
            upgrade(connection, version)
            _fill(connection, parts, others)
            upgrade(connection)
            there = set(sa.inspect(connection).get_table_names())
            yield lambda table: read_parts(connection, table) if table.name in there else iter(())


def _fill(connection: sa.Connection, parts: Mapping[str, Iterable[pa.Table]], others: Collection[sa.Table]) -> None:
    tables = sa.MetaData()
    tables.reflect(connection)
    tables.remove(tables.tables[VERSION_TABLE])
    rest = {name: iter(some) for name, some in parts.items()}
    for table in tables.sorted_tables:
        for part in rest.pop(table.name, ()):
            insert_part(connection, table, part)
    for table in others:
        _add(connection, table, rest.pop(table.name, iter(())))
    if rest:
        raise ValueError(f"there was no table {min(rest)} then")


def _add(connection: sa.Connection, table: sa.Table, parts: Iterator[pa.Table]) -> None:
    """Make a table of the columns its rows had then, and insert them."""
    made = None
    for part in parts:
        if made is None:
            made = _with_columns(table, part.schema.names)
            made.create(connection)
        insert_part(connection, made, part)


def _with_columns(table: sa.Table, names: Collection[str]) -> sa.Table:
    columns = [
        sa.Column(column.name, column.type, primary_key=column.primary_key, nullable=column.nullable)
        for column in table.columns
        if column.name in names
    ]
    return sa.Table(table.name, sa.MetaData(), *columns)
