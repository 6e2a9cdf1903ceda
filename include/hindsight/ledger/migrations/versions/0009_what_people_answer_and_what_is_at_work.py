"""What people asked not to be told of and said they look after, and when each part was last at work."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the tables, empty."""
    op.create_table(
        "silences",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("monitor", "rule", "segment", "feature")),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("starts", sa.Boolean, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("asked_by", "comment", "ended_by")),
        comment="What people asked not to be told of, until when and why; ended early it ends there.",
    )
    op.create_index("ix_silences_monitor", "silences", ["monitor"])
    op.create_table(
        "acknowledgements",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("monitor", "case_id")),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("acknowledged_by", "comment")),
        comment="Which cases people said they look after: dated facts, never changed.",
    )
    op.create_index("ix_acknowledgements_monitor", "acknowledgements", ["monitor"])
    op.create_table(
        "heartbeats",
        sa.Column("part", sa.Text, primary_key=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        comment="When the relay and the maintenance were last at work.",
    )
    op.create_table(
        "rollbacks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("monitor", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("by", "why", "left", "restored")),
        comment="Who put which model version back in production, in place of which, and why.",
    )
    op.create_index("ix_rollbacks_monitor", "rollbacks", ["monitor"])
