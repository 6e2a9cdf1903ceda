"""Audit: who did what, when and why, oldest first: people, and by the same rules whatever else changed something."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from hindsight.ledger.acceptances import acceptances
from hindsight.ledger.acknowledgements import acknowledgements
from hindsight.ledger.deploys import deploys
from hindsight.ledger.records import MailState, RequestState
from hindsight.ledger.revisions import revisions
from hindsight.ledger.rollbacks import rollbacks
from hindsight.ledger.row_views import row_views
from hindsight.ledger.silences import silences
from hindsight.messages.wording import moment, whose
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources

RULES = "the rules"
Found = Callable[[Monitor, Resources], Iterator["Deed"]]


@dataclass(frozen=True, slots=True, order=True)
class Deed:
    """One thing somebody or something did."""

    at: datetime
    monitor: str
    who: str
    what: str
    why: str

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON takes it."""
        return asdict(self)


def deeds(monitors: Iterable[Monitor], resources: Resources) -> list[Deed]:
    """Return what people did about monitors, oldest first."""
    return _of_all(monitors, _PEOPLE, resources)


def record(monitors: Iterable[Monitor], resources: Resources) -> list[Deed]:
    """Return all that is on record of monitors, oldest first: what people did, what was judged otherwise, what told."""
    return _of_all(monitors, (*_PEOPLE, _changed, _revised, _told, _started, _promoted), resources)


def _of_all(monitors: Iterable[Monitor], kinds: Iterable[Found], resources: Resources) -> list[Deed]:
    return sorted(deed for monitor in monitors for found in kinds for deed in found(monitor, resources))


def _changed(monitor: Monitor, resources: Resources) -> Iterator[Deed]:
    """Yield which verdicts opened, ended or withdrew an incident: by which number, against which limit."""
    incidents = {one.id: one for one in resources.ledger.incidents(monitor.name)}
    for event in resources.ledger.events_of(monitor.name):
        incident = incidents[event.incident]
        value, limit = (f"{x:.4g}" if x is not None else "" for x in (incident.value, incident.threshold))
        number = f"worst {value}" + f", limit {limit}" * bool(limit) if value else ""
        what = f"{incident.series.rule}{whose(incident.series)} {event.to_state} ({incident.id})"
        yield Deed(event.at, monitor.name, RULES, what, "; ".join(filter(None, (event.reason, number))))


def _revised(monitor: Monitor, resources: Resources) -> Iterator[Deed]:
    with resources.ledger.reading() as connection:
        found = revisions(connection, monitor.name)
    for one in found:
        said = one.said
        number = f" ({said.value:.4g} on {said.n:,})" if said.value is not None else ""
        when = moment(said.window.start, monitor.window)
        what = f"{said.series.rule}{whose(said.series)} of {when}: {said.status}{number} is {one.became} now"
        yield Deed(one.at, monitor.name, RULES, what, f"judged by what was known at {said.as_of:%Y-%m-%d %H:%M} UTC")


def _told(monitor: Monitor, resources: Resources) -> Iterator[Deed]:
    for mail in resources.ledger.outbox(monitor.name):
        verb = "told" if mail.state is MailState.SENT else f"message {mail.state} to"
        what = f"{verb} {mail.recipient}: {mail.subject}"
        yield Deed(mail.sent_at or mail.created_at, monitor.name, "hindsight", what, mail.cause)


def _started(monitor: Monitor, resources: Resources) -> Iterator[Deed]:
    for one in resources.ledger.dags(monitor.name):
        asked = one.request
        what = f"{'started' if one.state is RequestState.STARTED else 'asks for'} a run of {asked.dag}"
        yield Deed(asked.requested_at, monitor.name, "hindsight", what, str(asked.conf.get("cause", "")))


def _promoted(monitor: Monitor, resources: Resources) -> Iterator[Deed]:
    """Yield which versions became champion, by which approval and on what rows they were trained."""
    decided = {one.request.key: one.decided_by for one in resources.ledger.requests(monitor.name)}
    for one in resources.registry.versions(monitor.name):
        if one.promoted_at:
            who = decided.get(one.request_key or "") or "hindsight"
            why = f"trained on {one.n_rows:,} rows to {one.trained_to:%Y-%m-%d}, digest {one.sha256[:12]}"
            yield Deed(one.promoted_at, monitor.name, who, f"made {one.version} the champion", why)


def _accepted(monitor: Monitor, resources: Resources) -> Iterator[Deed]:
    with resources.ledger.reading() as connection:
        given = acceptances(connection, monitor.name)
    for one in given:
        series = [one.rule or "drift and news", *(f"of {one.feature}" for _ in [one] if one.feature)]
        series += [f"in {one.segment}" for _ in [one] if one.segment]
        said = f"expected until {one.until:%Y-%m-%d %H:%M} UTC" if one.until else "accepted as usual"
        yield Deed(one.accepted_at, monitor.name, one.by, f"{' '.join(series)} {said}", one.comment)


def _retraining(monitor: Monitor, resources: Resources) -> Iterator[Deed]:
    decided = {RequestState.DONE: "approved a retraining", RequestState.REFUSED: "refused a retraining"}
    for one in resources.ledger.requests(monitor.name):
        asked = one.request
        if asked.asked_by:
            yield Deed(asked.requested_at, monitor.name, asked.asked_by, "asked for a retraining", asked.why)
        if one.decided_by and one.finished_at and one.state in decided:
            yield Deed(one.finished_at, monitor.name, one.decided_by, decided[one.state], one.note)


def _silenced(monitor: Monitor, resources: Resources) -> Iterator[Deed]:
    with resources.ledger.reading() as connection:
        given = silences(connection, monitor.name)
    for one in given:
        what = f"silenced {one.about} from {one.since:%Y-%m-%d %H:%M} to {one.until:%Y-%m-%d %H:%M} UTC"
        yield Deed(one.asked_at or one.since, monitor.name, one.by, what, one.comment)
        if one.ended_by:
            yield Deed(one.until, monitor.name, one.ended_by, f"ended the silence of {one.about}", one.comment)


def _acknowledged(monitor: Monitor, resources: Resources) -> Iterator[Deed]:
    rules = {one.case: one.series.rule for one in resources.ledger.incidents(monitor.name)}
    with resources.ledger.reading() as connection:
        given = acknowledgements(connection, monitor.name)
    for one in given:
        yield Deed(one.at, monitor.name, one.by, f"acknowledged {rules.get(one.case, 'case')} {one.case}", one.comment)


def _rolled_back(monitor: Monitor, resources: Resources) -> Iterator[Deed]:
    with resources.ledger.reading() as connection:
        given = rollbacks(connection, monitor.name)
    for one in given:
        yield Deed(one.at, monitor.name, one.by, f"put {one.restored} back in the place of {one.left}", one.why)


def _looked(monitor: Monitor, resources: Resources) -> Iterator[Deed]:
    """Yield who looked at rows of the warehouse: of which window and segment, in which columns."""
    with resources.ledger.reading() as connection:
        seen = row_views(connection, monitor.name)
    for one in seen:
        where = f" of {one.segment}" if one.segment else ""
        when = moment(one.window_start, monitor.window)
        what = f"looked at {one.n} rows{where} in the window {when} (case {one.case_id})"
        yield Deed(one.at, monitor.name, one.looked_by, what, f"columns {one.shown}")


def _deployed(monitor: Monitor, resources: Resources) -> Iterator[Deed]:
    with resources.ledger.reading() as connection:
        found = deploys(connection, monitor.name)
    for one in found:
        yield Deed(one.start, monitor.name, "the log", f"shows version {one.version} for the first time", "")


_PEOPLE: tuple[Found, ...] = (_accepted, _retraining, _silenced, _acknowledged, _rolled_back, _looked, _deployed)
