"""Names whose history moved to another."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the table, empty."""
    op.create_table(
        "renames",
        sa.Column("old", sa.Text, primary_key=True),
        sa.Column("new", sa.Text, nullable=False, index=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("emptied", sa.Boolean, nullable=False),
        comment="Names whose history moved to another: nothing is written under them any more.",
    )
