"""Show: the state of a monitor and the story of its incidents, from snapshots and ledger, for terminal and pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal

from hindsight.ledger.acknowledgements import acknowledgements
from hindsight.ledger.records import DagProgress, Mail, MailState, Progress, RequestState
from hindsight.messages.wording import advice, clean, headline, whose
from hindsight.monitors.kpis import is_labelled_metric, kpis_of
from hindsight.monitors.model import Monitor
from hindsight.monitors.rules import Rule
from hindsight.pipeline.judge.past_incidents import open_incidents
from hindsight.pipeline.judge.ranking import moved
from hindsight.pipeline.judge.silences import silences_of
from hindsight.pipeline.measure.horizon import refuse_moment
from hindsight.pipeline.resources import Resources, remembering
from hindsight.verdicts.judge import LABELLED
from hindsight.verdicts.model import STANDING, Incident, Series, State
from hindsight.verdicts.muting import spokesmen
from hindsight.verdicts.notices import why_silent
from hindsight.verdicts.silence import hushing
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.windows import Window

Health = Literal["healthy", "warning", "critical", "unknown"]
LOOKED_BACK = 60
PROVISIONAL = "provisional"
GRADES: tuple[Health, ...] = ("healthy", "warning", "critical")
UNCHECKED = ("labels.misspelt_share", "labels.missing_share")  # what cuts predictions off from their truth
SHOWN = (Kind.OPERATIONS, Kind.KPI, Kind.QUALITY, Kind.DRIFT, Kind.ESTIMATE, Kind.PERFORMANCE, Kind.LABELS)


@dataclass(frozen=True, slots=True)
class Number:
    """One number of the latest window that has it: `metric` as rules name it, `about` the column it is about."""

    metric: str
    about: str
    value: float | None
    reference: float | None
    n: int
    window: datetime
    note: str


@dataclass(frozen=True, slots=True)
class MonitorState:
    """What there is to say about a monitor now, or as it was known at a moment; `open` counts by severity."""

    name: str
    state: str
    health: Health
    window: datetime | None
    open: dict[str, int]
    numbers: tuple[Number, ...]
    recovering: int = 0
    nights: str = ""  # when labels are looked for, as cron in UTC

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON takes it."""
        return asdict(self)


@remembering
def state_of(monitor: Monitor, resources: Resources, *, as_of: datetime | None = None) -> MonitorState:
    """Return the state of a monitor from its latest snapshots, those known at `as_of` if given.

    Raises ExpiredError for a moment of which the snapshots have expired.
    """
    if as_of is not None:
        refuse_moment(monitor, as_of, resources)
    numbers = _provisional(monitor, [number for kind in SHOWN for number in _latest(monitor, kind, resources, as_of)])
    numbers = _weightiest_first(numbers, monitor)
    found = {(number.metric, number.about): number for number in numbers}
    traffic = found.get(("operations.total_requests", ""))
    health = found.get(("operations.health", ""))
    standing = open_incidents(monitor, resources, as_of)
    return MonitorState(
        name=monitor.name,
        state=monitor.state,
        health=_health(monitor, health, standing),
        window=traffic.window if traffic else None,
        open=dict(sorted(Counter(str(i.severity) for i in standing if i.state is State.OPEN).items())),
        numbers=tuple(numbers),
        recovering=sum(incident.state is State.RECOVERING for incident in standing),
        nights=monitor.night_schedule if monitor.source.labels else "",
    )


def _health(monitor: Monitor, service: Number | None, standing: Iterable[Incident]) -> Health:
    """The health of the service; none is healthy whose predictions nobody can check, for labels do not reach them."""
    if service is None or service.value is None:
        return "unknown"
    unchecked = {rule.id for rule in monitor.rules if rule.metric in UNCHECKED}
    cut_off = any(incident.series.rule in unchecked for incident in standing)
    return GRADES[max(int(service.value), int(cut_off))]


def _weightiest_first(numbers: list[Number], monitor: Monitor) -> list[Number]:
    """Put drift of all columns together first among drift, then the columns that drifted, by what they weigh."""
    drift = [Measurement(n.metric.partition(".")[2], n.value, feature=n.about) for n in numbers if _is_drift(n)]
    order = {one.name: place for place, one in enumerate(moved(monitor, drift))}
    kinds = {kind: place for place, kind in enumerate(SHOWN)}

    def rank(number: Number) -> tuple[int, int]:
        place = order.get(number.about, len(order)) if _is_drift(number) else -1
        return kinds[Kind(number.metric.partition(".")[0])], place

    return sorted(numbers, key=rank)


def _is_drift(number: Number) -> bool:
    return number.metric.startswith(f"{Kind.DRIFT}.") and bool(number.about)


def _provisional(monitor: Monitor, numbers: list[Number]) -> list[Number]:
    """Say of what was measured on labels that are still arriving that it is provisional, and on what share."""
    labels = {number.metric: number.value for number in numbers if not number.about}
    if labels.get("labels.mature") != 0:
        return numbers
    note = f"{PROVISIONAL}: labels of {labels.get('labels.coverage') or 0:.0%}"
    return [
        replace(number, note=number.note or note)
        if number.metric.startswith("performance.") or is_labelled_metric(monitor, number.metric)
        else number
        for number in numbers
    ]


def _latest(monitor: Monitor, kind: Kind, resources: Resources, as_of: datetime | None) -> list[Number]:
    """Return the numbers of the newest window that has them; what waits for labels is known of older windows only."""
    window = resources.store.newest(monitor.name, kind, as_of=as_of)
    if window is None:
        return []
    if kind is not Kind.KPI:
        return _known(monitor, kind, window, resources, as_of, back=LOOKED_BACK if kind in LABELLED else 0)
    sorts = [kpis_of(monitor, labelled=labelled) for labelled in (False, True)]
    found = [_known(monitor, kind, window, resources, as_of, names=some, back=LOOKED_BACK) for some in sorts if some]
    return [number for some in found for number in some]


def _known(
    monitor: Monitor,
    kind: Kind,
    window: Window,
    resources: Resources,
    as_of: datetime | None,
    *,
    names: Collection[str] | None = None,
    back: int = 0,
) -> list[Number]:
    """Return what is known of a window or, where that is about no rows, of the last one before it that has some."""

    def measured(window: Window) -> list[Measurement]:
        known = resources.store.measurements(monitor.name, kind, window, as_of)
        return [m for m in known if names is None or m.metric in names]

    found = measured(window)
    for _ in range(back):  # windows without rows have no labels to tell of
        if any(m.n for m in found):
            break
        window = Window(window.start - monitor.window, window.start)
        found = measured(window)
    return [
        Number(f"{kind}.{m.metric}", m.feature, m.value, m.reference, m.n, window.start, m.note)
        for m in found
        if not (m.bin or m.segment or m.model_version)
    ]


@dataclass(frozen=True, slots=True)
class Story:
    """An incident, what happened in the words of a mail, and what was done about it, or why nobody was told."""

    incident: Incident
    what: str
    mails: tuple[Mail, ...]
    retraining: tuple[Progress, ...]
    runs: tuple[DagProgress, ...] = ()
    silence: str = ""
    acknowledged: str = ""
    advice: str = ""

    @property
    def done(self) -> str:
        """What was done, in a few words."""
        parts = [f"recorded silently: {self.silence}"] if self.silence else list(_mailed(self.mails))
        parts += [self.acknowledged] if self.acknowledged else []
        parts += [f"retraining {progress.outcome}" for progress in self.retraining]
        parts += [f"{run.request.dag} {_started(run)}" for run in self.runs]
        return ", ".join(parts) or "recorded silently"

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON takes it."""
        return asdict(self.incident) | {"what": self.what, "done": self.done, "advice": self.advice}


def _mailed(mails: Iterable[Mail]) -> Iterator[str]:
    """Count the mails by what became of them, with the reason of those that never went out."""
    unsent = (MailState.SUPPRESSED, MailState.DEAD, MailState.DROPPED)
    found = Counter((mail.state, clean(mail.last_error, 80) if mail.state in unsent else "") for mail in mails)
    for (state, why), count in found.items():
        yield f"{count} mail{'s' * (count != 1)} {state}" + (f" ({why})" if why else "")


def _started(run: DagProgress) -> str:
    return "started" if run.state is not RequestState.REQUESTED else f"waits ({run.note or 'for the relay'})"


def stories(monitor: Monitor, resources: Resources) -> list[Story]:
    """Return the incidents of a monitor, open ones first and of these the severe, with what was done about each."""
    ledger = resources.ledger
    requests, runs, notes = ledger.requests(monitor.name), ledger.dags(monitor.name), ledger.notes(monitor.name)
    rules = {rule.id: rule for rule in monitor.rules}
    with ledger.reading() as connection:
        answers = {one.case: str(one) for one in acknowledgements(connection, monitor.name)}
    found = []
    for incident in ledger.incidents(monitor.name):
        rule, mails = rules.get(incident.series.rule), tuple(ledger.outbox(incident=incident.id))
        found.append(
            Story(
                incident,
                _what(rule, incident, notes),
                mails,
                tuple(request for request in requests if incident.id in request.request.incidents),
                tuple(run for run in runs if run.request.conf.get("incident") == incident.id),
                _silence(incident, rule, monitor, resources) if rule and not mails else "",
                answers.get(incident.case, ""),
                advice(rule, "", monitor.name) if rule and incident.stands else "",
            )
        )
    return sorted(found, key=_rank)


def _silence(incident: Incident, rule: Rule, monitor: Monitor, resources: Resources) -> str:
    """Say why there is no mail about an incident."""
    last = resources.ledger.events(incident.id)[-1].at
    told = spokesmen(monitor, resources.ledger.of_windows(monitor.name, [incident.breaches[-1]])) if rule.dags else {}
    speaks = told.get(incident.series)
    with resources.ledger.reading() as connection:
        silence = hushing(silences_of(monitor, connection, last), incident.series, last)
    return why_silent(
        incident,
        rule,
        monitor,
        judged_at=last,
        spokesman=speaks.rule if speaks else "",
        silence=str(silence) if silence else "",
    )


def _rank(story: Story) -> tuple[int, str, datetime]:
    incident = story.incident
    place = STANDING.index(incident.state) if incident.stands else len(STANDING)
    return place, str(incident.severity) if incident.stands else "", incident.started


def standing(monitor: Monitor, told: Iterable[Story], resources: Resources, as_of: datetime | None) -> list[Story]:
    """Return those of the stories whose incident stood open at a moment (now without one), as they stood then."""
    then = {incident.id: incident for incident in open_incidents(monitor, resources, as_of)}
    rules, notes = {rule.id: rule for rule in monitor.rules}, resources.ledger.notes(monitor.name)
    return [
        replace(story, incident=incident, what=_what(rules.get(incident.series.rule), incident, notes))
        for story in told
        if (incident := then.get(story.incident.id))
    ]


def _what(rule: Rule | None, incident: Incident, notes: Mapping[tuple[Series, datetime], str]) -> str:
    if rule is None:
        return f"{incident.series.rule}{whose(incident.series)}, a rule of the past"
    return headline(rule, incident, notes.get((incident.series, incident.breaches[-1]), ""))
