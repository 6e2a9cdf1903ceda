"""A few numbers of each window's profile, to judge what is new by, and the case that an incident is told as part of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the table, filled from the profiles when it is needed; an incident on record is a case of its own."""
    op.add_column("incidents", sa.Column("case_id", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "summaries",
        sa.Column("monitor", sa.Text, primary_key=True, nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), primary_key=True, nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("numbers", sa.Text, nullable=False),
        sa.Column("followed", sa.Boolean, nullable=False),
        comment="What the newest profile of a window says in a few numbers; made of the snapshots.",
    )
