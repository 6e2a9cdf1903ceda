"""Summaries hold segments too and are kept as arrays: what is there is dropped, and made of the snapshots again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Replace the table; nothing in it is lost."""
    op.drop_table("summaries")
    op.create_table(
        "summaries",
        sa.Column("monitor", sa.Text, primary_key=True, nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), primary_key=True, nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("rows", sa.Text, nullable=False),
        sa.Column("layout", sa.LargeBinary, nullable=False),
        sa.Column("numbers", sa.LargeBinary, nullable=False),
        sa.Column("followed", sa.Boolean, nullable=False),
        comment="What the newest profile of a window says in a few numbers; made of the snapshots.",
    )
