"""Connections to the warehouse: read only, in UTC, with a time limit, failures sorted by whether a retry helps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Protocol, cast

import adbc_driver_manager
import sqlalchemy as sa

from hindsight.errors import ConfigError, DataError, HindsightError, WarehouseError
from hindsight.warehouse.dialects import dialect_called, dialect_of
from hindsight.warehouse.pool import LendingPool
from hindsight.warehouse.rights import missing_right

STATEMENT_TIMEOUT = timedelta(minutes=30)
# the last is what a dialect raises that was made for another SQLAlchemy
_NO_DRIVER = (sa.exc.NoSuchModuleError, ImportError, AttributeError)
# SQLSTATE classes: connection lost, transaction rolled back, out of resources, operator intervention, system error
_TRANSIENT = ("08", "40", "53", "55P03", "57", "58")  # 55P03: a lock was not to be had
# a refused login carries no SQLSTATE: the driver leaves only the server's sentence
_LOGIN = ("password", "authentication", "role", "user", "pg_hba.conf")
_REFUSED = ("does not exist", "permission denied", "no such", "unable to open", "not a database", "readonly")
# somebody else writes: SQLite, DuckDB; said with the path and the user, who are no login
_LOCKED = ("is locked", "could not set lock", "conflicting lock")
_PERMANENT = (*_LOGIN, *_REFUSED, "unsupported startup parameter")


class Opener(Protocol):
    """Makes an engine with options of SQLAlchemy's, as the hook of a provider does."""

    def __call__(self, **options: Any) -> sa.Engine:
        """Return the engine, connected to nothing yet."""

    def __hash__(self) -> int:
        """Equal openers open the same warehouse."""


Source = sa.URL | Opener


def open_engine(source: Source, *, statement_timeout: timedelta = STATEMENT_TIMEOUT) -> sa.Engine:
    """Return an engine whose sessions can only read, keep UTC and stop a statement at `statement_timeout`.

    What of this a database cannot be told from here is said in a warning, or in its dialect's file. Nothing is
    connected yet, and a connection is closed once it was used, but within `connected`. Raises ConfigError when no
    driver for the source is installed.
    """
    options = {"poolclass": LendingPool, "pool_pre_ping": True, "hide_parameters": True}
    try:
        if isinstance(source, sa.URL):
            address = dialect_called(source.get_backend_name()).address(source, statement_timeout)
            engine = sa.create_engine(address, **options)
        else:
            engine = source(**options)
    except _NO_DRIVER as exc:
        raise ConfigError(_no_driver(source, exc)) from exc
    dialect_of(engine).prepare(engine, statement_timeout)
    return engine.execution_options(hindsight_timeout=statement_timeout)


def require_known(url: sa.URL, connection: str, provider: str) -> None:
    """Raise ConfigError with what to install where SQLAlchemy has no dialect for a URL; `provider` is Airflow's."""
    try:
        url.get_dialect()
    except _NO_DRIVER as exc:
        raise ConfigError(f"connection {connection!r}: {_no_driver(url, exc, provider)}") from exc


def _no_driver(source: Source, cause: Exception, provider: str = "") -> str:
    if isinstance(cause, AttributeError):
        return f"{_shown(source)}: its driver does not work with SQLAlchemy {sa.__version__}: {cause}"
    if not isinstance(source, sa.URL):
        return f"{_shown(source)}: its hook lacks a driver: {cause}"
    kind = source.get_backend_name()
    ways = [f"pip install {provider}, whose hook opens it" if provider else "", dialect_called(kind).cure]
    cure = ", or ".join(filter(None, ways))
    return f"no driver for {kind!r} warehouses is installed{f' - {cure}' if cure else f': {cause}'}"


def _shown(source: Source) -> str:
    return source.render_as_string(hide_password=True) if isinstance(source, sa.URL) else str(source)


@contextmanager
def connected(engine: sa.Engine) -> Iterator[None]:
    """Within it, one connection of each driver serves everything that is asked of the engine; then they are closed."""
    with cast(LendingPool, engine.pool).lending():
        yield


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
    state = dialect_of(engine).state(cause)
    where = f"connection {connection!r} ({engine.url.set(query={}).render_as_string(hide_password=True)})"
    if state == "57014" or "statement timeout" in reason:
        limit = engine.get_execution_options().get("hindsight_timeout", "its limit")
        return DataError(
            f"{where}: a statement ran longer than {limit} and was cancelled - index the timestamp and id columns, "
            "or watch shorter windows"
        )
    if _is_locked(reason):
        return WarehouseError(f"{where}: another process holds a lock, a retry will do once it lets go: {reason}")
    if state.startswith(_TRANSIENT) or (not state and _may_pass(cause, reason)):
        return WarehouseError(f"{where}: the warehouse could not be reached or broke off: {reason}")
    hint = missing_right(reason)
    if not hint and any(word in reason for word in _LOGIN):
        hint = " - correct the connection's login"
    if "unsupported startup parameter" in reason:
        hint = (
            " - let the pooler pass over it (PgBouncer: ignore_startup_parameters = options); "
            "each transaction is made read only and limited all the same"
        )
    return DataError(f"{where}: the warehouse refused: {reason}{hint}")


def _is_locked(reason: str) -> bool:
    return any(phrase in reason.casefold() for phrase in _LOCKED)


def _may_pass(cause: BaseException, reason: str) -> bool:
    if type(cause).__name__ in ("ProgrammingError", "DataError", "IntegrityError", "NotSupportedError"):
        return False
    if isinstance(cause, OSError):
        return "ERROR:" not in reason or "FATAL:" in reason
    return not any(phrase in reason for phrase in _PERMANENT)
