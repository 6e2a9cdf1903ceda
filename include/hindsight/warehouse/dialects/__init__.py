"""Dialects: what differs between databases, one file an engine, called as SQLAlchemy calls its dialect.

generic     any database of which no more is known   catalogue  tables and columns out of information_schema
postgresql  by ADBC, also behind a pooler            mysql      and mariadb: UTC, code points, read only
sqlite      times are texts, any row any type        duckdb     a file opened for reading, Arrow out
reflection  duckdb-engine with what does not work in it
snowflake   run on a stand-in alone           bigquery, databricks, mssql, redshift, trino: compiled and read, never run
hive        a Thrift server of Spark          spark       what it shares with Databricks

A file of an engine holds a class `Engine`, a `generic.Dialect` with what that engine does otherwise. Nothing outside
this folder asks which database it talks to; one that has no file here is spoken to in SQL that all understand.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec

import sqlalchemy as sa

from hindsight.warehouse.dialects.generic import Dialect


def dialect_of(engine: sa.Engine | sa.Connection) -> Dialect:
    """Return how the database behind an engine is spoken to."""
    return dialect_called(engine.dialect.name)


@cache
def dialect_called(name: str) -> Dialect:
    """Return how databases of this kind are spoken to; `name` is the first part of their URLs."""
    file = f"{__name__}.{'postgresql' if name == 'postgres' else name}"
    if find_spec(file) is None:
        return Dialect()
    found: Dialect = import_module(file).Engine()
    return found
