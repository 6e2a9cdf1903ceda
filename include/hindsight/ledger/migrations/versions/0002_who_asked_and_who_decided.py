"""Who asked for a retraining and why, and who decided what came of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns; of the requests that are there nobody knows."""
    with op.batch_alter_table("retrain_requests") as table:
        for name in ("asked_by", "why", "decided_by"):
            table.add_column(sa.Column(name, sa.Text, nullable=False, server_default=""))
