"""Ledger: what Hindsight remembers between runs; whoever writes about a monitor holds that monitor's lock."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hindsight.ledger import records, tables
from hindsight.ledger.connect import lock, prepare, reaching
from hindsight.ledger.forgetting import settled
from hindsight.ledger.records import (
    DagProgress,
    DagRequest,
    Event,
    Mail,
    MailState,
    Measured,
    Progress,
    Report,
    RequestState,
)
from hindsight.ledger.renames import refuse_renamed
from hindsight.ledger.transaction import Transaction, in_parts
from hindsight.ledger.upgrade import is_current, upgrade
from hindsight.verdicts.model import STANDING, Incident, RetrainRequest, Series, State, Status, Verdict
from hindsight.vocabulary.severity import Severity
from hindsight.vocabulary.windows import Window


class Ledger:
    """The ledger in one database. Every method raises LedgerError where the database cannot be reached."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = prepare(engine)

    def create(self) -> None:
        """Make or upgrade the tables where it is due; any number of processes may do so at once.

        Raises LedgerError, not transient, where they were made by a newer Hindsight.
        """
        with self.reading() as connection:
            if is_current(connection):
                return
        with self.writing() as connection:
            lock(connection, "schema")
            if not is_current(connection):
                upgrade(connection)

    @contextmanager
    def locked(self, monitor: str) -> Iterator[Transaction]:
        """Hold the monitor's lock for one transaction: all that is written in it is kept, or none of it.

        Raises LedgerError, not transient, for a name whose history moved to another.
        """
        with self.writing() as connection:
            lock(connection, f"monitor {monitor}")
            refuse_renamed(connection, monitor)
            yield Transaction(connection, monitor)

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Open one transaction that is committed at the end, or rolled back by any error."""
        with reaching(self.engine), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Open a connection that reads what is committed and waits for no writer."""
        with reaching(self.engine), self.engine.connect().execution_options(reading=True) as connection:
            yield connection

    @contextmanager
    def at_one_moment(self) -> Iterator[sa.Connection]:
        """Open a connection all of whose reads see the ledger as it was at the first of them; no writer waits."""
        options: dict[str, Any] = {"reading": True}
        if self.engine.dialect.name == "postgresql":
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with reaching(self.engine), self.engine.connect().execution_options(**options) as connection:
            yield connection

    def _rows(self, query: sa.Select[Any]) -> list[records.Row]:
        with self.reading() as connection:
            return list(connection.execute(query))

    def incidents(
        self, monitor: str | None = None, *, open_only: bool = False, changed_since: datetime | None = None
    ) -> list[Incident]:
        """Return recorded incidents, oldest start first; with `open_only` those that are not over.

        With `changed_since` those that are not over, or on which something was written since that moment.
        """
        table = tables.incidents
        query = _of(sa.select(table), table, monitor).order_by(table.c.started, table.c.id)
        if open_only:
            query = query.where(table.c.state.in_([str(state) for state in STANDING]))
        if changed_since is not None:
            stands = table.c.state.in_([str(state) for state in STANDING])
            query = query.where(sa.or_(stands, table.c.changed_at >= changed_since))
        return [records.incident(row) for row in self._rows(query)]

    def histories(
        self, monitor: str, series: Collection[Series], since: datetime | None = None
    ) -> dict[Series, list[Verdict]]:
        """Return the newest verdicts of each series in window order, from the window that starts at `since` on."""
        with self.reading() as connection:
            return Transaction(connection, monitor).histories(series, since)

    def of_windows(self, monitor: str, starts: Collection[datetime]) -> list[Verdict]:
        """Return the newest verdicts of every series in the windows of a monitor that start at these moments."""
        with self.reading() as connection:
            return Transaction(connection, monitor).of_windows(starts)

    def notes(self, monitor: str) -> dict[tuple[Series, datetime], str]:
        """Return what was noted about each breach of a monitor, by series and start of its window."""
        table = tables.verdicts
        query = sa.select(table).where(table.c.status == str(Status.BREACH), table.c.note != "")
        rows = self._rows(query.where(table.c.monitor == monitor))
        return {(verdict.series, verdict.window.start): verdict.note for verdict in map(records.verdict, rows)}

    def events(self, incident: str) -> list[Event]:
        """Return the changes of an incident's state in the order they were judged."""
        table = tables.incident_events
        rows = self._rows(sa.select(table).where(table.c.incident == incident).order_by(table.c.id))
        return list(map(_event, rows))

    def events_of(self, monitor: str) -> list[Event]:
        """Return the changes of state of all incidents of a monitor in the order they were judged."""
        table, incidents = tables.incident_events, tables.incidents
        query = sa.select(table).join(incidents, incidents.c.id == table.c.incident)
        return list(map(_event, self._rows(query.where(incidents.c.monitor == monitor).order_by(table.c.id))))

    def last_night(self, monitor: str, before: datetime) -> datetime | None:
        """Return the greatest committed as-of before a moment; None where there is none."""
        nights = tables.nights
        query = sa.select(sa.func.max(nights.c.as_of, type_=tables.Moment))
        with self.reading() as connection:
            return connection.execute(query.where(nights.c.monitor == monitor, nights.c.as_of < before)).scalar()

    def nights(self, monitor: str, *, after: datetime) -> list[datetime]:
        """Return the committed as-ofs after a moment, oldest first."""
        nights = tables.nights
        query = sa.select(nights.c.as_of).where(nights.c.monitor == monitor, nights.c.as_of > after)
        return [row.as_of for row in self._rows(query.order_by(nights.c.as_of))]

    def horizon(self, monitor: str) -> datetime | None:
        """Return the start of the first window that has not expired; None where nothing has."""
        with self.reading() as connection:
            return Transaction(connection, monitor).horizon()

    def outbox(self, monitor: str | None = None, *, incident: str | None = None) -> list[Mail]:
        """Return the mails promised, oldest first; those that tell of one incident where it is named."""
        table = tables.outbox
        query = _of(sa.select(*(table.c[name] for name in Mail.__slots__)), table, monitor).order_by(table.c.id)
        if incident is not None:
            told = tables.outbox_incidents
            query = query.join(told, told.c.mail == table.c.id).where(told.c.incident == incident)
        return [_mail(row) for row in self._rows(query)]

    def bodies(self, before: datetime, monitor: str | None = None, *, but: Collection[str] = ()) -> int:
        """Return how many mails settled and made before a moment still have their text (see `forget_bodies`)."""
        query = sa.select(sa.func.count()).select_from(tables.outbox).where(settled(before, monitor, but))
        with self.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def forget_bodies(self, before: datetime, monitor: str | None = None, *, but: Collection[str] = ()) -> int:
        """Empty the text, HTML and chart of mails settled and made before a moment; return how many.

        Mails of one monitor or, where none is named, of all `but` some.
        """
        old = sa.update(tables.outbox).where(settled(before, monitor, but))
        with self.writing() as connection:
            return connection.execute(old.values(text="", html="", png=None)).rowcount

    def pending_requests(self) -> list[RetrainRequest]:
        """Return the retraining requests whose DAG run has not been started, oldest first."""
        table = tables.retrain_requests
        query = sa.select(table).where(table.c.state == str(RequestState.REQUESTED))
        return [records.request(row) for row in self._rows(query.order_by(table.c.requested_at, table.c.key))]

    def requests(self, monitor: str | None = None) -> list[Progress]:
        """Return every retraining request and what came of it, oldest first."""
        table = tables.retrain_requests
        query = _of(sa.select(table), table, monitor).order_by(table.c.requested_at, table.c.key)
        return [records.progress(row) for row in self._rows(query)]

    def mark_started(self, key: str, at: datetime) -> None:
        """Record that the request's DAG run exists; a request that is further already stays where it is."""
        self._advance(tables.retrain_requests, key, (RequestState.REQUESTED,), RequestState.STARTED, started_at=at)

    def put_off(self, key: str, why: str) -> None:
        """Record why the request's DAG run could not be started yet; the request stays pending."""
        self._advance(tables.retrain_requests, key, (RequestState.REQUESTED,), RequestState.REQUESTED, note=why)

    def claim(self, key: str, *, monitor: str, by: str) -> bool:
        """Take a monitor's request for the DAG run `by`: True for one run only, and for it whenever it asks again."""
        table = tables.retrain_requests
        query = sa.select(table.c.key).where(table.c.key == key, table.c.monitor == monitor)
        if not self._rows(query):
            return False
        unclaimed = (RequestState.REQUESTED, RequestState.STARTED)
        if self._advance(table, key, unclaimed, RequestState.CLAIMED, claimed_by=by):
            return True
        query = query.where(table.c.claimed_by == by)
        mine = bool(self._rows(query.where(table.c.state.in_([str(RequestState.CLAIMED), str(RequestState.FAILED)]))))
        if mine:  # a failed run that was cleared takes its request up again
            self._advance(table, key, (RequestState.FAILED,), RequestState.CLAIMED, finished_at=None)
        return mine

    def pending_dags(self) -> list[DagRequest]:
        """Return the requests for runs of users' DAGs that have not been started, oldest first."""
        table = tables.dag_requests
        query = sa.select(table).where(table.c.state == str(RequestState.REQUESTED)).order_by(table.c.requested_at)
        return [_dag(row) for row in self._rows(query)]

    def dags(self, monitor: str | None = None) -> list[DagProgress]:
        """Return every request for a run of a user's DAG and how far it has come, oldest first."""
        table = tables.dag_requests
        query = _of(sa.select(table), table, monitor).order_by(table.c.requested_at, table.c.key)
        return [DagProgress(_dag(row), RequestState(row.state), row.note) for row in self._rows(query)]

    def mark_dag_started(self, key: str, at: datetime) -> None:
        """Record that the run of a user's DAG exists."""
        self._advance(tables.dag_requests, key, (RequestState.REQUESTED,), RequestState.STARTED, started_at=at)

    def put_dag_off(self, key: str, why: str) -> None:
        """Record why the run of a user's DAG could not be started yet; the request stays pending."""
        self._advance(tables.dag_requests, key, (RequestState.REQUESTED,), RequestState.REQUESTED, note=why)

    def _advance(
        self, table: sa.Table, key: str, before: tuple[RequestState, ...], after: RequestState, **fields: Any
    ) -> bool:
        states = [str(state) for state in before]
        update = sa.update(table).where(table.c.key == key, table.c.state.in_(states))
        with self.writing() as connection:
            return connection.execute(update.values(state=str(after), **fields)).rowcount == 1

    def measured_otherwise(self, monitor: str, kind: str, than: str) -> list[Measured]:
        """Return the windows on record that another definition than this one measured, as far as that is known."""
        table = tables.definitions
        query = sa.select(table).where(table.c.monitor == monitor, table.c.kind == kind)
        rows = self._rows(query.where(table.c.definition.not_in(["", than])))
        return [records.measured(row) for row in rows]

    def measured(self, monitor: str, kind: str, starts: Collection[datetime]) -> list[Measured]:
        """Return those of the windows that start at these moments of which it is on record what measured them."""
        table = tables.definitions
        query = sa.select(table).where(table.c.monitor == monitor, table.c.kind == kind)
        found = (self._rows(query.where(table.c.window_start.in_(some))) for some in in_parts(sorted(starts)))
        return [records.measured(row) for rows in found for row in rows]

    def add_report(self, report: Report) -> None:
        """Record where a report lies; one that is on record already stays as it is."""
        row = {
            "id": report.id,
            "monitor": report.monitor,
            "window_start": report.window.start,
            "window_end": report.window.end,
            "kind": report.kind,
            "uri": report.uri,
            "created_at": report.created_at,
        }
        with self.locked(report.monitor) as tx:
            there = sa.select(tables.reports.c.id).where(tables.reports.c.id == report.id)
            if tx.connection.execute(there).first() is None:
                tx.connection.execute(sa.insert(tables.reports).values(row))

    def report(self, id: str) -> Report | None:
        """Return the report of this id; None for any other text."""
        found = self._rows(sa.select(tables.reports).where(tables.reports.c.id == id.replace("\0", "")))
        return _report(found[0]) if found else None

    def reports(self, monitor: str | None = None) -> list[Report]:
        """Return the reports on record, oldest first."""
        table = tables.reports
        query = _of(sa.select(table), table, monitor).order_by(table.c.created_at, table.c.id)
        return [_report(row) for row in self._rows(query)]


def _of(query: sa.Select[Any], table: sa.Table, monitor: str | None) -> sa.Select[Any]:
    return query if monitor is None else query.where(table.c.monitor == monitor)


def _mail(row: records.Row) -> Mail:
    fields = dict(row._mapping)
    return Mail(**fields | {"severity": Severity(row.severity), "state": MailState(row.state)})


def _dag(row: records.Row) -> DagRequest:
    return DagRequest(row.key, row.monitor, row.dag, row.conf, row.requested_at)


def _report(row: records.Row) -> Report:
    window = Window(row.window_start, row.window_end)
    return Report(row.id, row.monitor, window, row.kind, row.uri, row.created_at)


def _event(row: records.Row) -> Event:
    return Event(row.incident, row.at, row.from_state and State(row.from_state), State(row.to_state), row.reason)
