"""What the newest snapshot of each window was measured by, so that asking does not open every file."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the table; of the windows that are there it is learnt when their files are folded, or asked for."""
    op.create_table(
        "definitions",
        sa.Column("monitor", sa.Text, primary_key=True, nullable=False),
        sa.Column("kind", sa.Text, primary_key=True, nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), primary_key=True, nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("definition", sa.Text, nullable=False),
        comment="What the newest snapshot of a window was measured by; made of what the files say of it.",
    )
    op.create_index("definitions_by", "definitions", ["monitor", "kind", "definition"])
