"""Open the ledger's database and name its failures in our own words; a SQLite writer takes its lock as it begins."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from hindsight.errors import LedgerError

LOCK_WAIT_S = 120
_BROKEN = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.InternalError, sa.exc.TimeoutError)


def open_engine(url: sa.URL) -> sa.Engine:
    """Return an engine for the ledger at `url` (PostgreSQL through psycopg, or SQLite); nothing is connected yet.

    Statement parameters never reach an error message. A SQLite file's folder is made where it is missing.
    """
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:":
            return prepare(sa.create_engine(url, hide_parameters=True))
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        return prepare(sa.create_engine(url, hide_parameters=True, poolclass=sa.NullPool))  # no file is left open
    options = "-c timezone=UTC -c idle_in_transaction_session_timeout=600000"
    return sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        hide_parameters=True,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 10, "options": options},
    )


def prepare(engine: sa.Engine) -> sa.Engine:
    """Make SQLite keep what transactions promise: real BEGINs, one writer at a time, readers that do not wait.

    Without this the driver begins only before the first write, and two processes may both read, then both write.
    """
    if engine.dialect.name == "sqlite" and not sa.event.contains(engine, "connect", _on_connect):
        sa.event.listen(engine, "connect", _on_connect)
        sa.event.listen(engine, "begin", _on_begin)
        engine.dispose()
    return engine


def _on_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in (f"busy_timeout={LOCK_WAIT_S * 1000}", "journal_mode=WAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _on_begin(connection: sa.Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def lock(connection: sa.Connection, name: str) -> None:
    """Hold the lock called `name` until the transaction ends; on SQLite BEGIN IMMEDIATE has locked everything."""
    if connection.dialect.name != "postgresql":
        return
    key = int.from_bytes(hashlib.sha256(f"hindsight:{name}".encode()).digest()[:8], signed=True)
    connection.execute(sa.select(sa.func.set_config("lock_timeout", f"{LOCK_WAIT_S}s", True)))
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


@contextmanager
def reaching(engine: sa.Engine) -> Iterator[None]:
    """Turn what a driver raises when the ledger is out of reach, locked or gone into a transient LedgerError."""
    try:
        yield
    except _BROKEN as exc:
        place = engine.url.set(username=None, password=None, query={}).render_as_string()
        cause = str(getattr(exc, "orig", exc)).strip().partition("\n")[0]
        raise LedgerError(f"ledger {place}: {cause} - is it up, and connection hindsight_ledger right?") from exc
