"""Promise what news and breaches call for: one mail a recipient, runs of the users' own DAGs; both happen later."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import inf

from hindsight.ledger.caps import HELD_BACK, promised
from hindsight.ledger.records import DagRequest
from hindsight.ledger.transaction import Transaction
from hindsight.messages.cap_mail import too_many
from hindsight.messages.chart import Point
from hindsight.messages.incident_mail import MOST, Check, Context, Told, compose, facts, ranked
from hindsight.messages.night_mail import compose_night
from hindsight.messages.night_note import NightNote
from hindsight.monitors.model import Monitor
from hindsight.monitors.rules import Rule
from hindsight.pipeline.judge.harm import does_it_hurt
from hindsight.pipeline.judge.ranking import DRIFTED, Moved
from hindsight.verdicts.effect import effect_of
from hindsight.verdicts.explain import GRADED
from hindsight.verdicts.model import STANDING, Incident, RetrainRequest, Series, State, Status, Verdict
from hindsight.verdicts.notices import is_stale
from hindsight.verdicts.retraining import Refusal
from hindsight.verdicts.silence import Silence, hushing
from hindsight.vocabulary.letters import Letter, letters
from hindsight.vocabulary.severity import Severity

CHARTED = 60  # windows in the chart of a mail


@dataclass(frozen=True, slots=True)
class NightMail:
    """What a mail may say of a night: `note` gathers it, `asked` says whether a mail is due for it alone."""

    note: Callable[[], NightNote | None]
    asked: bool


def promise(
    monitor: Monitor,
    news: Sequence[Incident],
    tx: Transaction,
    retraining: RetrainRequest | Refusal | None = None,
    *,
    cause: str,
    moved: Mapping[str, Sequence[Moved]],
    at: datetime,
    night: NightMail | None = None,
    link: str = "",
    why_now: str = "",
    checks: tuple[Check, ...] = (),
) -> None:
    """Write into the open transaction the mail that `news` calls for.

    One mail for each recipient tells all of it, and what a night changed besides; to whom there is no news that alone
    is told, where it is asked for. `moved` says by incident of drift what moved, the weightiest first, `link` where
    people read more, `why_now` why it is told now, `checks` what is known where something grave began.
    """
    rules = {rule.id: rule for rule in monitor.rules}
    mailed = [incident for incident in news if "email" in rules[incident.series.rule].then]
    ways, heard = _ways(monitor, mailed, rules), set[str]()
    if ways:
        bare = {i.id: _told(i, rules[i.series.rule], moved.get(i.id, ())) for i in mailed}
        spelt_out = {one.incident.id for some in ways for one in ranked(bare[id] for id in some)[:MOST]}
        histories = _histories(monitor, [i for i in mailed if i.id in spelt_out], tx, at)
        told = {id: _with_history(one, histories.get(one.incident.series, ())) for id, one in bare.items()}
        same_windows = tx.of_windows({start for incident in mailed for start in incident.breaches})
        context = Context(
            _likely_cause(monitor, mailed, same_windows),
            _next_step(monitor, mailed, retraining),
            link,
            night.note() if night else None,
            does_it_hurt(monitor, tx, mailed),
            why_now,
            checks,
        )
        letters_of = [_letters(monitor, [told[id] for id in some], context, cause, to) for some, to in ways.items()]
        heard = {receiver for some in letters_of for receiver in _queue(monitor, some, tx, at)}
    unheard = [address for address in monitor.alerts.email if address not in heard]
    if night and night.asked and unheard and (note := night.note()):
        message = compose_night(monitor, note, link=link)
        tx.queue(letters(message, monitor=monitor.name, cause=cause, recipients=unheard), at)


def _queue(monitor: Monitor, wanted: Sequence[Letter], tx: Transaction, at: datetime) -> list[str]:
    """Promise letters, those beyond what a receiver gets on a day only for the record: that there are more is told.

    Returns to whom one is sent.
    """
    had, cap = promised(tx.connection, monitor.name, at), monitor.alerts.cap
    full = {to for to, count in had.items() if count >= cap}
    held = [one for one in wanted if one.recipient in full and one.message.severity is not Severity.P0]
    sent = [one for one in wanted if one not in held]
    tx.queue(sent, at)
    cause, to = f"cap {at:%Y-%m-%d}", [one.recipient for one in held]
    tx.queue(held, at, unsent=f"{HELD_BACK}: {cap} messages that day")
    warned = letters(too_many(monitor, at), monitor=monitor.name, cause=cause, recipients=to)
    tx.queue(warned, at)
    return [one.recipient for one in sent]


def _ways(monitor: Monitor, mailed: Sequence[Incident], rules: Mapping[str, Rule]) -> dict[tuple[str, ...], list[str]]:
    """Return who is told of which incidents together: by the ids, those who are told of exactly these.

    Of one that became graver those hear as well who heard of it before.
    """
    of: dict[str, list[str]] = defaultdict(list)
    for incident in mailed:
        rule, segment = rules[incident.series.rule], incident.series.segment
        worst = incident.heard.severity if incident.heard else incident.severity
        for severity in sorted({rule.severity, incident.severity, worst}):
            for receiver in monitor.receivers(severity, rule.kind, rule.id, segment):
                if incident.id not in of[receiver]:
                    of[receiver].append(incident.id)
    found: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for receiver, ids in of.items():
        found[tuple(ids)].append(receiver)
    return dict(found)


def _letters(monitor: Monitor, told: Sequence[Told], context: Context, cause: str, to: Sequence[str]) -> list[Letter]:
    message = compose(monitor, told, context)
    nth = [one.incident.heard.n + 1 if one.incident.heard else 1 for one in told]
    return letters(message, monitor=monitor.name, cause=cause, recipients=to, facts=facts(told), nth=nth)


def start_runs(
    monitor: Monitor,
    verdicts: Iterable[Verdict],
    tx: Transaction,
    *,
    cause: str,
    at: datetime,
    silences: Sequence[Silence] = (),
) -> None:
    """Ask for the DAGs of every rule with an open incident and, among `verdicts`, a fresh breach of it.

    Who tells people of the breach, and when, makes no difference, but while it is silenced nothing is started unless
    the silence says so. One run an incident and DAG, however often asked for.
    """
    dags = {rule.id: rule.dags for rule in monitor.rules if rule.dags}
    breaches: dict[Series, set[datetime]] = defaultdict(set)
    for verdict in verdicts:
        is_news = not is_stale(verdict, max_age=monitor.max_age, judged_at=at)
        silence = hushing(silences, verdict.series, at)
        is_quiet = silence is not None and not silence.starts
        if verdict.series.rule in dags and verdict.status is Status.BREACH and is_news and not is_quiet:
            breaches[verdict.series].add(verdict.window.start)
    for incident in tx.incidents(series=breaches.keys(), states=STANDING) if breaches else ():
        if not breaches[incident.series].isdisjoint(incident.breaches):
            for dag in dags[incident.series.rule]:
                tx.request_dag(_dag_request(incident, dag, cause, at))


def _histories(
    monitor: Monitor, spelt_out: Sequence[Incident], tx: Transaction, at: datetime
) -> Mapping[Series, Sequence[Verdict]]:
    """Return what was said lately of the incidents that a mail spells out: of hundreds it only counts the others."""
    since = at - CHARTED * monitor.window - monitor.labels.matures_after
    return tx.histories({one.series for one in spelt_out}, min([since, *(one.started for one in spelt_out)]))


def _told(incident: Incident, rule: Rule, moved: Sequence[Moved]) -> Told:
    columns = tuple((one.name, one.psi) for one in moved)
    return Told(incident, rule, (), columns, moved[0].weight if moved and rule.metric == DRIFTED else inf)


def _with_history(told: Told, history: Sequence[Verdict]) -> Told:
    """Add what was said lately; a picture of a yes or no says nothing, so of drift it is that of its effect."""
    note = next((v.note for v in history if v.window.start == told.incident.breaches[-1]), "")
    lately = history[-CHARTED:]
    if told.rule.metric not in GRADED:
        return replace(told, points=tuple(_point(v, v.value) for v in lately), note=note)
    effects = [effect_of(v.note) for v in lately]
    points = tuple(_point(v, one.value if one else None) for v, one in zip(lately, effects, strict=True))
    return replace(told, points=points, note=note, measure=next((one.measure for one in effects if one), ""))


def _point(verdict: Verdict, value: float | None) -> Point:
    breached, waits = verdict.status is Status.BREACH, verdict.status is Status.IMMATURE
    return Point(verdict.window.start, value, breached, provisional=waits)


def _likely_cause(monitor: Monitor, told: Sequence[Incident], verdicts: Iterable[Verdict]) -> str:
    """Name the columns whose quality breached in the same windows: bad data explains most of what follows from it."""
    about_data = {rule.id for rule in monitor.rules if rule.metric.startswith("quality.")}
    bad = [v for v in verdicts if v.status is Status.BREACH and v.series.rule in about_data]
    if not bad or all(incident.series.rule in about_data for incident in told):
        return ""
    named = dict.fromkeys(f"{v.series.rule} on {v.series.feature or 'the table'}" for v in bad)
    return "bad data in the same window: " + ", ".join(named)


def _next_step(monitor: Monitor, told: Sequence[Incident], retraining: RetrainRequest | Refusal | None) -> str:
    if isinstance(retraining, RetrainRequest):
        waits = ", and a person approves the result" if retraining.approval else ""
        return f"A retraining was requested; Airflow starts {retraining.run_id} within minutes{waits}."
    required = monitor.retrain.require if monitor.retrain else ()
    if isinstance(retraining, Refusal) and any(i.series.rule in required and i.state is State.OPEN for i in told):
        return f"No retraining was requested: {retraining.reason}."
    return ""


def _dag_request(incident: Incident, dag: str, cause: str, at: datetime) -> DagRequest:
    key = hashlib.sha256(f"{incident.id}\0{dag}".encode()).hexdigest()[:16]
    conf = {"incident": incident.id, "monitor": incident.monitor, "rule": incident.series.rule, "cause": cause}
    return DagRequest(key, incident.monitor, dag, conf, at)
