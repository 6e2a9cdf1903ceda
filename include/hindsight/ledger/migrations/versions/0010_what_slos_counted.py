"""What each SLO counted in a window, beside the verdicts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the table, empty: what it holds is made of the snapshots."""
    op.create_table(
        "slo_counts",
        sa.Column("monitor", sa.Text, primary_key=True, nullable=False),
        sa.Column("slo", sa.Text, primary_key=True, nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), primary_key=True, nullable=False),
        sa.Column("definition", sa.Text, nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("bad", sa.BigInteger, nullable=False),
        sa.Column("total", sa.BigInteger, nullable=True),
        sa.Column("judged", sa.Boolean, nullable=False),
        comment="What of a window was bad by each SLO, of how much (null while labels come); made of the snapshots.",
    )
