"""Lent: the warehouse's own engine in the hands of Great Expectations, which makes two of its own from a URL.

What it asks goes over one connection, in sessions that can only read, and no URL and no password is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa


@contextmanager
def lent(context: Any, engine: sa.Engine) -> Iterator[Any]:
    """Yield a datasource of the context that asks through the engine; raise what SQLAlchemy and the driver raise."""
    from great_expectations.datasource.fluent.sql_datasource import SQLDatasource

    asking = _asking(engine)  # before it connects: it teaches SQLite's connections functions

    class _Lent(SQLDatasource):  # whose name begins so is not registered for everyone
        def get_engine(self) -> sa.Engine:
            return engine

        def get_execution_engine(self) -> Any:
            return asking

    with engine.connect() as asking.lent:
        bare = sa.URL.create(engine.dialect.name, database="warehouse").render_as_string()
        yield context.add_datasource(datasource=_Lent(name="warehouse", connection_string=bare))


def _asking(engine: sa.Engine) -> Any:
    """What the library executes by: it fetches answers late, and DuckDB's are gone once a connection is given back."""
    from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine

    class Asking(SqlAlchemyExecutionEngine):
        lent: sa.Connection

        @contextmanager
        def get_connection(self) -> Iterator[sa.Connection]:
            self.lent.rollback()  # or what failed before, perhaps while it was fetched, takes this along
            yield self.lent

        def close(self) -> None:
            """Leave the engine alone: it is not the library's."""

    return Asking(engine=engine, create_temp_table=False)
