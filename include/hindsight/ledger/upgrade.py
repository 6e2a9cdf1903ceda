"""Upgrade: bring the tables of a ledger, whatever Hindsight made them, to the form this one needs; never back."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from hindsight.errors import LedgerError
from hindsight.ledger.tables import HEAD, VERSION_TABLE

if TYPE_CHECKING:
    from alembic.config import Config

FIRST = "0001"  # the tables as they were before there were steps; they said so in a table of their own
_BEFORE = sa.table("schema_version", sa.column("version", sa.Integer))
_NOW = sa.table(VERSION_TABLE, sa.column("version_num", sa.String))


def is_current(connection: sa.Connection) -> bool:
    """Whether the tables are already as this Hindsight needs them."""
    return _present(connection, VERSION_TABLE) and connection.scalar(sa.select(_NOW.c.version_num)) == HEAD


def known_steps() -> list[str]:
    """Return the versions of the tables that this Hindsight can bring to its own, oldest first, and its own."""
    from alembic.script import ScriptDirectory

    walked = ScriptDirectory.from_config(_config()).walk_revisions()
    return [step.revision for step in walked][::-1]


def upgrade(connection: sa.Connection, to: str = HEAD) -> None:
    """Take the steps that are missing, in the open transaction; the caller holds the lock on the tables.

    A new database gets all of them, up to the version `to`. Raises LedgerError, not transient, for tables that another
    program or a newer Hindsight made.
    """
    from alembic import command

    config = _config(connection)
    _refuse_newer(connection, known_steps())
    if _made_before_there_were_steps(connection):
        command.stamp(config, FIRST)
        connection.execute(sa.schema.DropTable(sa.Table(_BEFORE.name, sa.MetaData())))
    command.upgrade(config, to)


def _config(connection: sa.Connection | None = None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _present(connection: sa.Connection, table: str) -> bool:
    return sa.inspect(connection).has_table(table)


def _refuse_newer(connection: sa.Connection, known: Collection[str]) -> None:
    found = connection.scalar(sa.select(_NOW.c.version_num)) if _present(connection, VERSION_TABLE) else None
    if found is not None and found not in known:
        raise LedgerError(
            f"the ledger's tables are of version {found}, which a newer Hindsight made, and this one knows up to {HEAD}"
            " - install the newer one again, or restore the backup made before it: tables are never taken back",
            transient=False,
        )


def _made_before_there_were_steps(connection: sa.Connection) -> bool:
    """Whether these are the first tables; raises LedgerError for tables of the same names that are not ours."""
    if _present(connection, VERSION_TABLE):
        return False
    if not _present(connection, _BEFORE.name):
        if _present(connection, "outbox") or _present(connection, "incidents"):
            raise LedgerError(
                "the ledger's database has tables of our names that say no version"
                " - point connection hindsight_ledger at an empty database",
                transient=False,
            )
        return False
    version = connection.scalar(sa.select(sa.func.max(_BEFORE.c.version)))
    if version != 1:
        raise LedgerError(
            f"the ledger's tables are of version {version}, which no released Hindsight made"
            " - point connection hindsight_ledger at an empty database",
            transient=False,
        )
    return True
