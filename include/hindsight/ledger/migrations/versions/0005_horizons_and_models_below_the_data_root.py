"""What has expired is remembered, and models are named by their place below the data root, which may move."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_versions = sa.table("model_versions", sa.column("monitor"), sa.column("version"), sa.column("artifact", sa.Text))


def upgrade() -> None:
    """Add the table of horizons; cut what comes before `models/<monitor>/` off the addresses of models."""
    op.create_table(
        "horizons",
        sa.Column("monitor", sa.Text, primary_key=True, nullable=False),
        sa.Column("before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        comment="The start of the first window that has not expired: nothing before it is measured or judged again.",
    )
    connection = op.get_bind()
    if sa.inspect(connection).has_table(_versions.name):
        for row in connection.execute(sa.select(_versions)).all():
            _shorten(connection, row)


def _shorten(connection: sa.Connection, row: sa.Row[tuple[str, str, str]]) -> None:
    root, found, rest = row.artifact.rpartition(f"/models/{row.monitor}/")
    if found and root:
        same = (_versions.c.monitor == row.monitor) & (_versions.c.version == row.version)
        relative = f"models/{row.monitor}/{rest}"
        connection.execute(sa.update(_versions).where(same).values(artifact=relative))
