"""Stream: the answer to one statement as Arrow batches, so that memory does not grow with the answer."""

from __future__ import annotations

from collections.abc import Generator

import pyarrow as pa
import sqlalchemy as sa

from hindsight.warehouse.connect import reading
from hindsight.warehouse.dialects import dialect_of
from hindsight.warehouse.dialects.generic import Statement

__all__ = ["Statement", "batches"]


def batches(
    engine: sa.Engine, statement: Statement, schema: pa.Schema, connection: str
) -> Generator[pa.RecordBatch, None, None]:
    """Yield the rows of `statement`, cast to `schema`; raise WarehouseError or DataError naming `connection`."""
    with reading(engine, connection):
        yield from dialect_of(engine).batches(engine, statement, schema)
