"""Stream: the answer to one statement as Arrow batches, so that memory does not grow with the answer.

PostgreSQL answers by ADBC (binary COPY straight into Arrow); every other database row by row through SQLAlchemy.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import lru_cache
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from hindsight.errors import DataError
from hindsight.warehouse.connect import conninfo, reading

Statement = sa.Select[*tuple[Any, ...]]
ROWS_AT_ONCE = 20_000
BYTES_AT_ONCE = 4 * 2**20  # a quarter of the default: as quick, and the heap stays smaller


def batches(
    engine: sa.Engine, statement: Statement, schema: pa.Schema, connection: str
) -> Generator[pa.RecordBatch, None, None]:
    """Yield the rows of `statement`, cast to `schema`; raise WarehouseError or DataError naming `connection`."""
    source = _by_arrow if engine.dialect.name == "postgresql" else _by_row
    with reading(engine, connection):
        yield from source(engine, statement, schema)


def _by_arrow(engine: sa.Engine, statement: Statement, schema: pa.Schema) -> Generator[pa.RecordBatch, None, None]:
    from adbc_driver_manager import AdbcConnection, AdbcStatement
    from adbc_driver_postgresql import StatementOptions

    with AdbcConnection(_database(conninfo(engine))) as connection, AdbcStatement(connection) as asked:
        asked.set_options(**{StatementOptions.BATCH_SIZE_HINT_BYTES.value: str(BYTES_AT_ONCE)})
        asked.set_sql_query(_literal(engine, statement))
        answer, _ = asked.execute_query()
        for batch in pa.RecordBatchReader.from_stream(answer):
            yield batch.cast(schema)


@lru_cache(maxsize=8)
def _database(conninfo: str) -> Any:
    """The driver's knowledge of a server's types: reading it takes ten times as long as connecting, so it is kept."""
    import adbc_driver_postgresql

    return adbc_driver_postgresql.connect(conninfo)


def _literal(engine: sa.Engine, statement: Statement) -> str:
    """The statement with its values rendered by the dialect: ADBC streams by COPY, and COPY takes no parameters."""
    _introduce(engine)
    compiled = statement.compile(dialect=engine.dialect, compile_kwargs={"literal_binds": True})
    return str(compiled) % ()  # the dialect doubles % for a driver that takes parameters


@lru_cache(maxsize=8)
def _introduce(engine: sa.Engine) -> None:
    """Let the dialect learn the server's rules for string literals, as it does on the first connection."""
    engine.connect().close()


def _by_row(engine: sa.Engine, statement: Statement, schema: pa.Schema) -> Generator[pa.RecordBatch, None, None]:
    with engine.connect() as connection:
        result = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(statement)
        for rows in result.partitions():
            arrays = [_array(values, field) for values, field in zip(zip(*rows, strict=True), schema, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(values: tuple[object, ...], field: pa.Field) -> pa.Array:
    try:
        if pa.types.is_boolean(field.type):
            return pa.array([None if value is None else bool(value) for value in values], field.type)
        return pa.array(values, field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        message = f"column {field.name!r} holds values that are not of its type ({field.type}): cast it in a view"
        raise DataError(message) from None  # Arrow's own message quotes the value, which may be personal
