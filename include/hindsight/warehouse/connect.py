"""Connections to the warehouse: read only, in UTC, with a time limit, failures sorted by whether a retry helps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import adbc_driver_manager
import sqlalchemy as sa

from hindsight.errors import ConfigError, DataError, HindsightError, WarehouseError
from hindsight.warehouse.times import utc_microseconds

STATEMENT_TIMEOUT = timedelta(minutes=30)
CONNECT_TIMEOUT_S = 10
# SQLSTATE classes: connection lost, transaction rolled back, out of resources, operator intervention, system error
_TRANSIENT = ("08", "40", "53", "57", "58")
# a refused login carries no SQLSTATE: the driver leaves only the server's sentence
_LOGIN = ("password", "authentication", "role", "user", "pg_hba.conf")
# words SQLite keeps for itself that SQLAlchemy does not quote
_SQLITE_WORDS = {"nothing", "returning"}
_PERMANENT = (*_LOGIN, "does not exist", "permission denied", "no such", "unable to open", "not a database", "readonly")


def open_engine(url: sa.URL, *, statement_timeout: timedelta = STATEMENT_TIMEOUT) -> sa.Engine:
    """Return an engine whose sessions can only read, keep UTC and, on PostgreSQL, stop at `statement_timeout`.

    Nothing is connected yet. Raises ConfigError when no driver for the URL is installed.
    """
    backend = url.get_backend_name()
    if backend in ("postgres", "postgresql"):
        url = _postgresql(url, statement_timeout)
    elif backend == "sqlite":
        url = _sqlite(url)
    try:
        engine = sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)
    except (sa.exc.NoSuchModuleError, ImportError) as exc:
        raise ConfigError(f"no driver for {backend!r} warehouses is installed: {exc}") from exc
    if backend == "sqlite":
        sa.event.listen(engine, "connect", _teach_time)
        preparer = engine.dialect.identifier_preparer
        preparer.reserved_words = preparer.reserved_words | _SQLITE_WORDS
    return engine.execution_options(hindsight_timeout=statement_timeout)


def conninfo(engine: sa.Engine) -> str:
    """Return libpq's connection string for a PostgreSQL engine; it holds the password."""
    from psycopg.conninfo import make_conninfo

    _, arguments = engine.dialect.create_connect_args(engine.url)
    arguments.pop("context", None)  # psycopg's own adapters, unknown to libpq
    return make_conninfo(**arguments)


@contextmanager
def reading(engine: sa.Engine, connection: str) -> Iterator[None]:
    """Turn any failure of the driver into WarehouseError (worth a retry) or DataError, naming connection and place.

    OSError is what ADBC raises when a stream breaks off: write no files of your own inside.
    """
    try:
        yield
    except sa.exc.DBAPIError as exc:
        raise _sorted_out(engine, connection, exc.orig or exc) from exc
    except (adbc_driver_manager.Error, OSError) as exc:
        raise _sorted_out(engine, connection, exc) from exc


def _sorted_out(engine: sa.Engine, connection: str, cause: BaseException) -> HindsightError:
    reason = " ".join(str(cause).split("\n\nQuery was")[0].split())
    state = getattr(cause, "sqlstate", None) or ""
    where = f"connection {connection!r} ({engine.url.set(query={}).render_as_string(hide_password=True)})"
    if state == "57014" or "statement timeout" in reason:
        limit = engine.get_execution_options().get("hindsight_timeout", "its limit")
        return DataError(
            f"{where}: a statement ran longer than {limit} and was cancelled - index the timestamp and id columns, "
            "or watch shorter windows"
        )
    if state.startswith(_TRANSIENT) or (not state and _may_pass(cause, reason)):
        return WarehouseError(f"{where}: the warehouse could not be reached or broke off: {reason}")
    hint = " - correct the connection's login" if any(word in reason for word in _LOGIN) else ""
    if "permission denied" in reason:
        hint = " - grant the connection's login the right to read it"
    return DataError(f"{where}: the warehouse refused: {reason}{hint}")


def _may_pass(cause: BaseException, reason: str) -> bool:
    if type(cause).__name__ in ("ProgrammingError", "DataError", "IntegrityError", "NotSupportedError"):
        return False
    if isinstance(cause, OSError):
        return "ERROR:" not in reason or "FATAL:" in reason
    return not any(phrase in reason for phrase in _PERMANENT)


def _postgresql(url: sa.URL, timeout: timedelta) -> sa.URL:
    settings = {
        "default_transaction_read_only": "on",
        "statement_timeout": f"{timeout / timedelta(milliseconds=1):.0f}",
        "timezone": "UTC",
    }
    given = url.query.get("options", "")
    options = [*([given] if isinstance(given, str) else given), *(f"-c {k}={v}" for k, v in settings.items())]
    query = {"connect_timeout": str(CONNECT_TIMEOUT_S), **url.query, "options": " ".join(options).strip()}
    return url.set(drivername="postgresql+psycopg", query=query)


def _sqlite(url: sa.URL) -> sa.URL:
    if url.database in (None, "", ":memory:"):
        return url
    database = str(url.database)
    if not database.startswith("file:"):
        database = Path(database).absolute().as_uri()
    return url.set(database=database, query={**url.query, "mode": "ro", "uri": "true"})


def _teach_time(connection: sa.engine.interfaces.DBAPIConnection, _: object) -> None:
    connection.create_function("utc_microseconds", 1, utc_microseconds, deterministic=True)
