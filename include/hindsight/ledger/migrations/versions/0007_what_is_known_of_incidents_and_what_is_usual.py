"""What people know of an incident, what was estimated of windows, and what people said is usual."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add columns and tables, empty: of what was told before, all that is on record of it is known."""
    op.add_column("incidents", sa.Column("settled", sa.DateTime(timezone=True), nullable=True))
    op.add_column("incidents", sa.Column("heard", sa.JSON, nullable=True))
    op.add_column("incidents", sa.Column("number", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "estimates",
        sa.Column("monitor", sa.Text, primary_key=True, nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), primary_key=True, nullable=False),
        *(sa.Column(name, sa.Double, nullable=False) for name in ("value", "lower", "upper", "reference")),
        comment="What the accuracy, or mae, of a window was estimated at before its labels came.",
    )
    op.create_table(
        "acceptances",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("monitor", "rule", "segment", "feature")),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("accepted_by", "comment")),
        comment="What people said is usual, or was to be expected for a while: dated facts, never changed.",
    )
    op.create_index("ix_acceptances_monitor", "acceptances", ["monitor"])
