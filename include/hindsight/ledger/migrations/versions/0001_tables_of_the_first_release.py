"""The tables as they were when steps began: verdicts, incidents, the outbox, requests, nights and reports."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make every table."""
    _verdicts()
    _incidents()
    _outbox()
    _requests()
    _nights_and_reports()


def _verdicts() -> None:
    op.create_table(
        "verdicts",
        _text("monitor"),
        *_series(),
        _moment("window_start"),
        _moment("window_end"),
        _moment("as_of"),
        _moment("due"),
        _text("status"),
        sa.Column("value", sa.Double),
        sa.Column("threshold", sa.Double),
        sa.Column("n", sa.BigInteger, nullable=False),
        _text("note"),
        _moment("judged_at"),
        sa.PrimaryKeyConstraint("monitor", "rule", "model_version", "segment", "feature", "window_start"),
        comment="The newest verdict of each series and window.",
    )
    op.create_index("verdicts_by_window", "verdicts", ["monitor", "window_start"])
    breached = sa.column("status") == "breach"
    op.create_index(
        "verdicts_breached",
        "verdicts",
        ["monitor", "rule", "model_version", "segment", "feature"],
        postgresql_where=breached,
        sqlite_where=breached,
    )


def _incidents() -> None:
    op.create_table(
        "incidents",
        _text("id", primary_key=True),
        _text("monitor", index=True),
        *_series(),
        _text("severity"),
        _text("state"),
        _moment("started"),
        _moment("ended", nullable=True),
        sa.Column("breaches", sa.JSON, nullable=False),
        sa.Column("value", sa.Double),
        sa.Column("threshold", sa.Double),
        sa.Column("told", sa.Text),
        _text("reason"),
        _moment("changed_at"),
    )
    op.create_table(
        "incident_events",
        sa.Column("id", _ID, primary_key=True),
        _text("incident", index=True),
        _moment("at"),
        sa.Column("from_state", sa.Text),
        _text("to_state"),
        _text("reason"),
        comment="Every change of an incident's state, in the order it was judged.",
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", _ID, primary_key=True),
        _text("dedup_key", unique=True),
        _text("monitor", index=True),
        _text("cause"),
        _text("recipient"),
        _text("message_id"),
        _text("severity"),
        _text("subject"),
        _text("text"),
        _text("html"),
        sa.Column("png", sa.LargeBinary),
        _text("state"),
        sa.Column("attempts", sa.Integer, nullable=False, default=0),
        sa.Column("ambiguous", sa.Integer, nullable=False, default=0),
        _moment("next_at"),
        _moment("lease_until", nullable=True),
        _text("last_error", default=""),
        _moment("created_at"),
        _moment("sent_at", nullable=True),
        comment="One row per mail and recipient: a promise made in the transaction that judged.",
    )
    op.create_index("outbox_due", "outbox", ["state", "next_at"])
    op.create_table(
        "outbox_incidents",
        sa.Column("mail", _ID, sa.ForeignKey("outbox.id"), primary_key=True),
        _text("incident", primary_key=True, index=True),
        _text("state"),
        comment="Which state of which incident a mail tells.",
    )


def _requests() -> None:
    op.create_table(
        "retrain_requests",
        _text("key", primary_key=True),
        _text("monitor", index=True),
        _text("dag"),
        sa.Column("incidents", sa.JSON, nullable=False),
        _moment("as_of"),
        _moment("requested_at"),
        sa.Column("approval", sa.Boolean, nullable=False),
        _text("run_id"),
        _text("state"),
        _text("claimed_by", default=""),
        _moment("started_at", nullable=True),
        _moment("finished_at", nullable=True),
        _text("note", default=""),
    )
    op.create_table(
        "dag_requests",
        _text("key", primary_key=True),
        _text("monitor", index=True),
        _text("dag"),
        sa.Column("conf", sa.JSON, nullable=False),
        _moment("requested_at"),
        _text("state"),
        _moment("started_at", nullable=True),
        _text("note", default=""),
    )


def _nights_and_reports() -> None:
    op.create_table(
        "nights",
        _text("monitor", primary_key=True),
        _moment("as_of", primary_key=True),
        _moment("committed_at"),
        sa.Column("windows", sa.Integer, nullable=False),
    )
    op.create_table(
        "reports",
        _text("id", primary_key=True),
        _text("monitor", index=True),
        _moment("window_start"),
        _moment("window_end"),
        _text("kind"),
        _text("uri"),
        _moment("created_at"),
    )


def _text(name: str, **rest: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, **rest)


def _series() -> tuple[sa.Column[str], ...]:
    return tuple(_text(name) for name in ("rule", "model_version", "segment", "feature"))


def _moment(name: str, *, nullable: bool = False, **rest: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, **rest)
