"""Who looked at rows of the warehouse on a page: of which window and segment, how many, never the rows themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the table, empty."""
    texts = ("monitor", "looked_by", "case_id", "segment", "shown")
    op.create_table(
        "row_views",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in texts),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in ("at", "window_start")),
        sa.Column("n", sa.BigInteger, nullable=False),
        comment="Who looked at how many rows of which window and segment, and at which columns; never the rows.",
    )
    op.create_index("ix_row_views_monitor", "row_views", ["monitor"])
