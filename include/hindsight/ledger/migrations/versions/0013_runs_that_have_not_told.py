"""Runs that judged their window and have not told it yet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the table, empty."""
    op.create_table(
        "undelivered",
        sa.Column("monitor", sa.Text, primary_key=True),
        sa.Column("run", sa.Text, primary_key=True),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=False),
        comment="Runs that judged their window and have not told it yet: tried again they only tell.",
    )
