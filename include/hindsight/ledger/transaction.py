"""What may be written about one monitor while its lock is held; all of it is committed together or not at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from hindsight.ledger import records, tables
from hindsight.ledger.records import UNDECIDED, DagRequest, MailState, Measured, RequestState
from hindsight.ledger.revisions import note_revisions
from hindsight.verdicts.model import SPOKEN, Incident, RetrainRequest, Series, State, Status, Verdict
from hindsight.vocabulary.letters import Letter

_FEW = 20  # above this, reading all of a monitor is quicker than asking for each series
_AT_ONCE = 500  # series in one IN list: SQLite takes 32,766 parameters
Item = TypeVar("Item")
_VERDICT_KEY = ("monitor", "rule", "model_version", "segment", "feature", "window_start")


@dataclass(frozen=True, slots=True)
class Transaction:
    """The open transaction of one monitor; made by the ledger only, and to write by `Ledger.locked`."""

    connection: sa.Connection
    monitor: str

    def save_verdicts(self, verdicts: Iterable[Verdict], judged_at: datetime) -> dict[Series, datetime]:
        """Keep the newest verdict of each series and window; return per changed series its earliest changed window.

        An older as_of never overwrites a newer one. A verdict that says the same as of a later moment is kept with
        that moment and is no change; one by which a breach came or went leaves the older one on record as revised.
        """
        given = list(verdicts)
        known = self._known({verdict.window.start for verdict in given}, {verdict.series.rule for verdict in given})
        newer = [(verdict, known.get(_place(verdict))) for verdict in given]
        newer = [(verdict, old) for verdict, old in newer if old is None or verdict.as_of >= old.as_of]
        if newer:
            rows = [records.verdict_row(self.monitor, verdict, judged_at) for verdict, _ in newer]
            self._upsert(tables.verdicts, rows, _VERDICT_KEY)
            note_revisions(self.connection, self.monitor, [(old, new) for new, old in newer if old], judged_at)
        changed: dict[Series, datetime] = {}
        for verdict, old in newer:
            if old is None or _says(verdict) != _says(old):
                start = verdict.window.start
                changed[verdict.series] = min(start, changed.get(verdict.series, start))
        return changed

    def verdicts(self, series: Series, since: datetime | None = None) -> list[Verdict]:
        """Return the newest verdicts of a series in window order, from the window that starts at `since` on."""
        return self.histories([series], since).get(series, [])

    def histories(self, series: Collection[Series], since: datetime | None = None) -> dict[Series, list[Verdict]]:
        """Return `verdicts` of many series in few statements; a series without a verdict is left out."""
        found: dict[Series, list[Verdict]] = defaultdict(list)
        table = tables.verdicts
        query = sa.select(table).order_by(table.c.window_start)
        if since is not None:
            query = query.where(table.c.window_start >= since)
        for row in self._of(query, table, series):
            found[records.series_of(row)].append(records.verdict(row))
        return dict(found)

    def of_windows(self, starts: Collection[datetime], rules: Collection[str] | None = None) -> list[Verdict]:
        """Return the newest verdicts in the windows that start at these moments: of every series, or of some rules."""
        return list(self._known(starts, rules).values())

    def breached(self, series: Collection[Series]) -> set[Series]:
        """Return those of the series that have any breach on record: the others have nothing to fold."""
        table = tables.verdicts
        query = sa.select(*_series_columns(table)).distinct()
        query = query.where(table.c.monitor == self.monitor, table.c.status == str(Status.BREACH))
        return {records.series_of(row) for row in self.connection.execute(query)} & set(series)

    def spoken(self, since: datetime, *, due: datetime) -> set[Series]:
        """Return the series judged good or bad in a window that starts at `since` or later, `due` then or later."""
        table = tables.verdicts
        query = sa.select(*_series_columns(table)).distinct()
        query = query.where(table.c.monitor == self.monitor, table.c.status.in_([str(one) for one in SPOKEN]))
        query = query.where(table.c.window_start >= since, table.c.due >= due)
        return {records.series_of(row) for row in self.connection.execute(query)}

    def breaches_of(self, rules: Collection[str], since: datetime) -> list[Verdict]:
        """Return the breaches of some rules in the windows that start at `since` or later."""
        table = tables.verdicts
        query = sa.select(table).where(table.c.monitor == self.monitor, table.c.status == str(Status.BREACH))
        query = query.where(table.c.window_start >= since)
        return [records.verdict(row) for row in self.connection.execute(query.where(table.c.rule.in_(list(rules))))]

    def incidents(
        self, series: Series | Collection[Series] | None = None, states: Collection[State] | None = None
    ) -> list[Incident]:
        """Return the monitor's recorded incidents, oldest start first; of all series and in every state if not said."""
        table = tables.incidents
        query = sa.select(table).order_by(table.c.started, table.c.id)
        if states is not None:
            query = query.where(table.c.state.in_([str(state) for state in states]))
        wanted = {series} if isinstance(series, Series) else series
        if wanted is None or len(wanted) > _FEW:
            rows: Iterable[records.Row] = self.connection.execute(query.where(table.c.monitor == self.monitor))
        else:
            rows = self._of(query, table, wanted)
        found = map(records.incident, rows)
        return [incident for incident in found if wanted is None or incident.series in wanted]

    def save_incidents(self, incidents: Iterable[Incident], at: datetime) -> None:
        """Record incidents as they now are, and an event for each whose state changed."""
        rows = [records.incident_row(incident, at) for incident in incidents]
        if not rows:
            return
        table = tables.incidents
        ids = [row["id"] for row in rows]
        before = self.connection.execute(sa.select(table.c.id, table.c.state).where(table.c.id.in_(ids)))
        was: dict[str, str] = {row.id: row.state for row in before}
        self._upsert(table, rows, ("id",))
        events = [_event(row, was.get(row["id"]), at) for row in rows if was.get(row["id"]) != row["state"]]
        if events:
            self.connection.execute(sa.insert(tables.incident_events), events)

    def queue(self, letters: Iterable[Letter], at: datetime, *, unsent: str = "") -> int:
        """Promise letters, due at once; return how many are new. A key that is there already is promised already.

        With `unsent`, the reason, they are on record and never sent.
        """
        return sum(self._promise(letter, at, unsent) for letter in letters)

    def _promise(self, letter: Letter, at: datetime, unsent: str = "") -> bool:
        settled = {"state": str(MailState.SUPPRESSED), "last_error": unsent} if unsent else {}
        insert = self._insert(tables.outbox).values(_letter_row(letter, at) | settled)
        insert = insert.on_conflict_do_nothing(index_elements=["dedup_key"])
        mail = self.connection.execute(insert.returning(tables.outbox.c.id)).scalar()
        if mail is not None and letter.facts:
            told = [{"mail": mail, "incident": incident, "state": str(state)} for incident, state in letter.facts]
            self.connection.execute(sa.insert(tables.outbox_incidents), told)
        return mail is not None

    def request_retraining(self, request: RetrainRequest, *, claimed_by: str = "") -> bool:
        """Ask for a retraining; False where a request of this key is there already.

        Where a DAG run asks itself, it has claimed its request from the start: no other run is started for it.
        """
        row = records.request_row(request)
        if claimed_by:
            row |= {"claimed_by": claimed_by, "state": str(RequestState.CLAIMED), "started_at": request.requested_at}
        return self._ask(tables.retrain_requests, row)

    def finish_retraining(self, key: str, outcome: RequestState, *, at: datetime, note: str = "", by: str = "") -> bool:
        """Record what was decided about a retraining, `by` whom where a person did; False where it was done already.

        What is done stays done; what was kept, refused or failed may still be done by a run that was cleared.
        """
        table = tables.retrain_requests
        update = sa.update(table).where(table.c.key == key, table.c.state != str(RequestState.DONE))
        decided = update.values(state=str(outcome), finished_at=at, note=note, decided_by=by)
        return self.connection.execute(decided).rowcount == 1

    def give_up_retraining(self, key: str, *, by: str, at: datetime, note: str) -> bool:
        """Record that the run `by` failed; False where its request is decided already, or is another run's."""
        table = tables.retrain_requests
        update = sa.update(table).where(table.c.key == key, table.c.state.in_([str(state) for state in UNDECIDED]))
        mine = update.where(table.c.claimed_by.in_(["", by]))
        failed = mine.values(state=str(RequestState.FAILED), finished_at=at, note=note)
        return self.connection.execute(failed).rowcount == 1

    def request_dag(self, request: DagRequest) -> bool:
        """Ask for a run of a user's DAG; False where a request of this key is there already."""
        row = {field: getattr(request, field) for field in ("key", "monitor", "dag", "conf", "requested_at")}
        return self._ask(tables.dag_requests, row | {"state": str(RequestState.REQUESTED)})

    def retrain_requests(
        self, since: datetime | None = None, *, but: Collection[RequestState] = ()
    ) -> list[RetrainRequest]:
        """Return the monitor's retraining requests made at or after `since`, oldest first, but those in some states."""
        table = tables.retrain_requests
        query = sa.select(table).where(table.c.monitor == self.monitor).order_by(table.c.requested_at, table.c.key)
        if since is not None:
            query = query.where(table.c.requested_at >= since)
        if but:
            query = query.where(table.c.state.not_in([str(state) for state in but]))
        return [records.request(row) for row in self.connection.execute(query)]

    def last_night(self, until: datetime) -> datetime | None:
        """Return the greatest committed as-of up to a moment; None where there is none."""
        nights = tables.nights
        query = sa.select(sa.func.max(nights.c.as_of, type_=tables.Moment))
        return self.connection.execute(query.where(nights.c.monitor == self.monitor, nights.c.as_of <= until)).scalar()

    def horizon(self) -> datetime | None:
        """Return the start of the first window that has not expired; None where nothing has."""
        table = tables.horizons
        return self.connection.execute(sa.select(table.c.before).where(table.c.monitor == self.monitor)).scalar()

    def commit_night(self, as_of: datetime, at: datetime, windows: int) -> None:
        """Record that the night `as_of` is done and how many windows it judged anew; again is no error."""
        row = {"monitor": self.monitor, "as_of": as_of, "committed_at": at, "windows": windows}
        self._upsert(tables.nights, [row], ("monitor", "as_of"))

    def note_definitions(self, kind: str, found: Iterable[Measured]) -> None:
        """Record what windows were measured by; of one window the newest as-of stays, and of that the last revision."""
        table = tables.definitions
        rows = [{"monitor": self.monitor, "kind": kind, **asdict(one)} for one in found]
        insert = self._insert(table)
        new, newer = insert.excluded, sa.tuple_(insert.excluded.as_of, insert.excluded.revision)
        fresh = {column: new[column] for column in ("as_of", "revision", "definition")}
        upsert = insert.on_conflict_do_update(
            index_elements=["monitor", "kind", "window_start"],
            set_=fresh,
            where=newer >= sa.tuple_(table.c.as_of, table.c.revision),
        )
        if rows:
            self.connection.execute(upsert, rows)

    def forget_definitions(self, kind: str) -> None:
        """Take what the monitor's windows were measured by off the record."""
        table = tables.definitions
        self.connection.execute(sa.delete(table).where(table.c.monitor == self.monitor, table.c.kind == kind))

    def _known(
        self, starts: Collection[datetime], rules: Collection[str] | None = None
    ) -> dict[tuple[Series, datetime], Verdict]:
        table = tables.verdicts
        query = sa.select(table).where(table.c.monitor == self.monitor)
        if rules is not None:  # a night judges few of them, in many windows
            query = query.where(table.c.rule.in_(sorted(rules)))
        rows = (
            row
            for some in in_parts(sorted(starts))
            for row in self.connection.execute(query.where(table.c.window_start.in_(some)))
        )
        return {_place(verdict): verdict for verdict in map(records.verdict, rows)}

    def _of(self, query: sa.Select[Any], table: sa.Table, series: Collection[Series]) -> Iterator[records.Row]:
        query = query.where(table.c.monitor == self.monitor)
        columns = sa.tuple_(*_series_columns(table))
        for some in in_parts(sorted(series)):
            wanted = [(one.rule, one.model_version, one.segment, one.feature) for one in some]
            yield from self.connection.execute(query.where(columns.in_(wanted)))

    def _ask(self, table: sa.Table, row: Mapping[str, Any]) -> bool:
        insert = self._insert(table).values(**row).on_conflict_do_nothing(index_elements=["key"])
        return self.connection.execute(insert.returning(table.c.key)).scalar() is not None

    def _upsert(self, table: sa.Table, rows: list[dict[str, Any]], key: tuple[str, ...]) -> None:
        insert = self._insert(table)
        fresh = {column: insert.excluded[column] for column in rows[0] if column not in key}
        self.connection.execute(insert.on_conflict_do_update(index_elements=list(key), set_=fresh), rows)

    def _insert(self, table: sa.Table) -> postgresql.Insert:
        return insert_into(self.connection, table)


def insert_into(connection: sa.Connection, table: sa.Table) -> postgresql.Insert:
    """Return the INSERT of the database, which can say what to do about rows that are there."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)  # type: ignore[return-value]  # the same construct under another class
    return postgresql.insert(table)


def in_parts(items: list[Item]) -> Iterator[list[Item]]:
    """Cut a list into parts that a statement can take."""
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))


def _series_columns(table: sa.Table) -> tuple[sa.Column[Any], ...]:
    return table.c.rule, table.c.model_version, table.c.segment, table.c.feature


def _place(verdict: Verdict) -> tuple[Series, datetime]:
    return verdict.series, verdict.window.start


def _says(verdict: Verdict) -> tuple[object, ...]:
    return verdict.status, verdict.value, verdict.threshold, verdict.n, verdict.note


def _event(row: Mapping[str, Any], before: str | None, at: datetime) -> dict[str, Any]:
    return {
        "incident": row["id"],
        "at": at,
        "from_state": before,
        "to_state": row["state"],
        "reason": row["reason"],
    }


def _letter_row(letter: Letter, at: datetime) -> dict[str, Any]:
    message = letter.message
    return {
        "dedup_key": letter.dedup_key,
        "monitor": letter.monitor,
        "cause": letter.cause,
        "recipient": letter.recipient,
        "message_id": letter.message_id,
        "severity": str(message.severity),
        "subject": message.subject,
        "text": message.text,
        "html": message.html,
        "png": message.png,
        "state": str(MailState.PENDING),
        "next_at": at,
        "created_at": at,
    }
