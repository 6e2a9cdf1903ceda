"""What was said of a window before it was judged otherwise."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the table, empty."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "revised_verdicts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("monitor", sa.Text, nullable=False, index=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("rule", "model_version", "segment", "feature")),
        *(sa.Column(name, moment, nullable=False) for name in ("window_start", "window_end", "as_of", "due")),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("value", sa.Double),
        sa.Column("threshold", sa.Double),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("became", sa.Text, nullable=False),
        sa.Column("revised_at", moment, nullable=False),
        comment="What was said of a window before it was judged otherwise: breaches that came or went.",
    )
