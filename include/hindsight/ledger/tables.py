"""The tables of the ledger, the same on PostgreSQL and SQLite; every moment in them is aware UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

VERSION_TABLE = "ledger_version"  # not Alembic's own name: the ledger may share a database with Airflow, which has that
HEAD = "0015"  # the newest step in migrations/versions


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware UTC datetime: naive ones are refused, and SQLite, which knows no zones, stores and returns UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Turn an aware moment into what the database stores; raise ValueError for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"the ledger keeps aware times only, got {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Turn what the database stored into an aware UTC moment."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite counts up in INTEGER keys only
metadata = sa.MetaData()


def _text(name: str, **rest: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, **rest)


def _series() -> tuple[sa.Column[str], ...]:
    return tuple(_text(name) for name in ("rule", "model_version", "segment", "feature"))


def _moment(name: str, *, nullable: bool = False, **rest: Any) -> sa.Column[datetime]:
    return sa.Column(name, Moment, nullable=nullable, **rest)


def _verdict() -> tuple[sa.Column[Any], ...]:
    moments = (_moment(name) for name in ("window_start", "window_end", "as_of", "due"))
    numbers = (sa.Column(name, sa.Double) for name in ("value", "threshold"))
    n = sa.Column("n", sa.BigInteger, nullable=False)
    return (*_series(), *moments, _text("status"), *numbers, n, _text("note"))


verdicts = sa.Table(
    "verdicts",
    metadata,
    _text("monitor"),
    *_verdict(),
    _moment("judged_at"),
    sa.PrimaryKeyConstraint("monitor", "rule", "model_version", "segment", "feature", "window_start"),
    comment="The newest verdict of each series and window.",
)
sa.Index("verdicts_by_window", verdicts.c.monitor, verdicts.c.window_start)
sa.Index(
    "verdicts_breached",
    verdicts.c.monitor,
    *(verdicts.c[name] for name in ("rule", "model_version", "segment", "feature")),
    postgresql_where=verdicts.c.status == "breach",
    sqlite_where=verdicts.c.status == "breach",
)

incidents = sa.Table(
    "incidents",
    metadata,
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
    _text("case_id", server_default=""),
    _moment("settled", nullable=True),
    sa.Column("heard", sa.JSON(none_as_null=True)),
    _text("number", server_default=""),
    _moment("changed_at"),
)

incident_events = sa.Table(
    "incident_events",
    metadata,
    sa.Column("id", Id, primary_key=True),
    _text("incident", index=True),
    _moment("at"),
    sa.Column("from_state", sa.Text),
    _text("to_state"),
    _text("reason"),
    comment="Every change of an incident's state, in the order it was judged.",
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", Id, primary_key=True),
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
    _moment("retried_at", nullable=True),
    comment="One row per mail and recipient: a promise made in the transaction that judged.",
)
sa.Index("outbox_due", outbox.c.state, outbox.c.next_at)

outbox_incidents = sa.Table(
    "outbox_incidents",
    metadata,
    sa.Column("mail", Id, sa.ForeignKey("outbox.id"), primary_key=True),
    _text("incident", primary_key=True, index=True),
    _text("state"),
    comment="Which state of which incident a mail tells.",
)

mail_holds = sa.Table(
    "mail_holds",
    metadata,
    _text("connection", primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    _moment("until"),
    _text("why"),
    comment="Mail connections that failed for all mail alike, and until when none is tried.",
)

retrain_requests = sa.Table(
    "retrain_requests",
    metadata,
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
    _text("asked_by", server_default=""),
    _text("why", server_default=""),
    _text("decided_by", server_default=""),
    _moment("started_at", nullable=True),
    _moment("finished_at", nullable=True),
    _text("note", default=""),
)

dag_requests = sa.Table(
    "dag_requests",
    metadata,
    _text("key", primary_key=True),
    _text("monitor", index=True),
    _text("dag"),
    sa.Column("conf", sa.JSON, nullable=False),
    _moment("requested_at"),
    _text("state"),
    _moment("started_at", nullable=True),
    _text("note", default=""),
)

nights = sa.Table(
    "nights",
    metadata,
    _text("monitor", primary_key=True),
    _moment("as_of", primary_key=True),
    _moment("committed_at"),
    sa.Column("windows", sa.Integer, nullable=False),
)

horizons = sa.Table(
    "horizons",
    metadata,
    _text("monitor", primary_key=True),
    _moment("before"),
    _moment("moved_at"),
    comment="The start of the first window that has not expired: nothing before it is measured or judged again.",
)

reports = sa.Table(
    "reports",
    metadata,
    _text("id", primary_key=True),
    _text("monitor", index=True),
    _moment("window_start"),
    _moment("window_end"),
    _text("kind"),
    _text("uri"),
    _moment("created_at"),
)

definitions = sa.Table(
    "definitions",
    metadata,
    _text("monitor", primary_key=True),
    _text("kind", primary_key=True),
    _moment("window_start", primary_key=True),
    _moment("as_of"),
    sa.Column("revision", sa.Integer, nullable=False),
    _text("definition"),
    comment="What the newest snapshot of a window was measured by; made of what the files say of it.",
)
sa.Index("definitions_by", definitions.c.monitor, definitions.c.kind, definitions.c.definition)

summaries = sa.Table(
    "summaries",
    metadata,
    _text("monitor", primary_key=True),
    _moment("window_start", primary_key=True),
    _moment("as_of"),
    sa.Column("revision", sa.Integer, nullable=False),
    _text("rows"),
    sa.Column("layout", sa.LargeBinary, nullable=False),
    sa.Column("numbers", sa.LargeBinary, nullable=False),
    sa.Column("followed", sa.Boolean, nullable=False),
    comment="What the newest profile of a window says in a few numbers; made of the snapshots.",
)

estimates = sa.Table(
    "estimates",
    metadata,
    _text("monitor", primary_key=True),
    _moment("window_start", primary_key=True),
    *(sa.Column(name, sa.Double, nullable=False) for name in ("value", "lower", "upper", "reference")),
    comment="What the accuracy, or mae, of a window was estimated at before its labels came.",
)

acceptances = sa.Table(
    "acceptances",
    metadata,
    sa.Column("id", Id, primary_key=True),
    _text("monitor", index=True),
    _text("rule"),
    _text("segment"),
    _text("feature"),
    _moment("accepted_at"),
    _moment("until", nullable=True),
    _text("accepted_by"),
    _text("comment"),
    comment="What people said is usual, or was to be expected for a while: dated facts, never changed.",
)

silences = sa.Table(
    "silences",
    metadata,
    sa.Column("id", Id, primary_key=True),
    _text("monitor", index=True),
    _text("rule"),
    _text("segment"),
    _text("feature"),
    _moment("since"),
    _moment("until"),
    sa.Column("starts", sa.Boolean, nullable=False),
    _moment("asked_at"),
    _text("asked_by"),
    _text("comment"),
    _text("ended_by"),
    comment="What people asked not to be told of, until when and why; ended early it ends there.",
)

acknowledgements = sa.Table(
    "acknowledgements",
    metadata,
    sa.Column("id", Id, primary_key=True),
    _text("monitor", index=True),
    _text("case_id"),
    _moment("at"),
    _text("acknowledged_by"),
    _text("comment"),
    comment="Which cases people said they look after: dated facts, never changed.",
)

heartbeats = sa.Table(
    "heartbeats",
    metadata,
    _text("part", primary_key=True),
    _moment("at"),
    comment="When the relay and the maintenance were last at work.",
)

rollbacks = sa.Table(
    "rollbacks",
    metadata,
    sa.Column("id", Id, primary_key=True),
    _text("monitor", index=True),
    _moment("at"),
    _text("by"),
    _text("why"),
    _text("left"),
    _text("restored"),
    comment="Who put which model version back in production, in place of which, and why.",
)

deploys = sa.Table(
    "deploys",
    metadata,
    _text("monitor", primary_key=True),
    _text("version", primary_key=True),
    _moment("window_start"),
    comment="Of each model version the first window in which it made a noticeable share of the rows.",
)

slo_counts = sa.Table(
    "slo_counts",
    metadata,
    _text("monitor", primary_key=True),
    _text("slo", primary_key=True),
    _moment("window_start", primary_key=True),
    _text("definition"),
    _moment("as_of"),
    sa.Column("bad", sa.BigInteger, nullable=False),
    sa.Column("total", sa.BigInteger),
    sa.Column("judged", sa.Boolean, nullable=False),
    comment="What of a window was bad by each SLO, of how much (null while labels come); made of the snapshots.",
)

revised_verdicts = sa.Table(
    "revised_verdicts",
    metadata,
    sa.Column("id", Id, primary_key=True),
    _text("monitor", index=True),
    *_verdict(),
    _text("became"),
    _moment("revised_at"),
    comment="What was said of a window before it was judged otherwise: breaches that came or went.",
)

undelivered = sa.Table(
    "undelivered",
    metadata,
    _text("monitor", primary_key=True),
    _text("run", primary_key=True),
    _moment("judged_at"),
    comment="Runs that judged their window and have not told it yet: tried again they only tell.",
)

row_views = sa.Table(
    "row_views",
    metadata,
    sa.Column("id", Id, primary_key=True),
    _text("monitor", index=True),
    *map(_text, ("looked_by", "case_id", "segment", "shown")),
    *map(_moment, ("at", "window_start")),
    sa.Column("n", sa.BigInteger, nullable=False),
    comment="Who looked at how many rows of which window and segment, and at which columns; never the rows.",
)

renames = sa.Table(
    "renames",
    metadata,
    _text("old", primary_key=True),
    _text("new", index=True),
    _moment("at"),
    sa.Column("emptied", sa.Boolean, nullable=False),
    comment="Names whose history moved to another: nothing is written under them any more.",
)
