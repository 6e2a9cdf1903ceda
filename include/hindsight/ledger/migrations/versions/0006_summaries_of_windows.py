"""A few numbers of each window's profile, so that judging what is new reads no profiles of the past."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the table; summaries of the windows that are there are made of their profiles when they are needed."""
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
