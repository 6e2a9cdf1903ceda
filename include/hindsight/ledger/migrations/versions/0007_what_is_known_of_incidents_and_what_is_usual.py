"""When an incident was seen to be over and what people know of it, and what people said is usual from now on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the columns, empty: of what was told before, all that is on record of it is known."""
    op.add_column("incidents", sa.Column("settled", sa.DateTime(timezone=True), nullable=True))
    op.add_column("incidents", sa.Column("heard", sa.JSON, nullable=True))
    op.add_column("incidents", sa.Column("number", sa.Text, nullable=False, server_default=""))
