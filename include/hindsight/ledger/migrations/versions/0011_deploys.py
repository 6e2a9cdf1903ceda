"""When each version of a model was first seen in the log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the table, empty."""
    op.create_table(
        "deploys",
        sa.Column("monitor", sa.Text, primary_key=True, nullable=False),
        sa.Column("version", sa.Text, primary_key=True, nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False),
        comment="Of each model version the first window in which it made a noticeable share of the rows.",
    )
