"""Alembic runs this file: the steps go into the transaction that `upgrade` holds open, all of them or none."""

from __future__ import annotations

from alembic import context

from hindsight.ledger.tables import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    render_as_batch=True,  # SQLite alters a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
