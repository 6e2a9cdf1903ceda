"""Mail connections that fail for all mail alike are held, and a mail that was given up can be asked for again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the table of holds, and to the outbox when a mail was asked for again."""
    op.create_table(
        "mail_holds",
        sa.Column("connection", sa.Text, primary_key=True, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        comment="Mail connections that failed for all mail alike, and until when none is tried.",
    )
    op.add_column("outbox", sa.Column("retried_at", sa.DateTime(timezone=True), nullable=True))
