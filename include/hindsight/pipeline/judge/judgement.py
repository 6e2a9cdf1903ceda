"""Judge windows and nights: verdicts, incidents, mail and requests that follow, written in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from hindsight.checks.drift.prior import feature_of
from hindsight.ledger.records import RequestState
from hindsight.ledger.transaction import Transaction
from hindsight.messages.night_note import NightNote
from hindsight.monitors.model import Monitor
from hindsight.monitors.rules import Rule
from hindsight.pipeline.judge.alerts import NightMail, promise, start_runs
from hindsight.pipeline.judge.checklist import checklist
from hindsight.pipeline.judge.comparisons import with_comparisons
from hindsight.pipeline.judge.deploys import note_deploys
from hindsight.pipeline.judge.harm import Quality, harmed, noted
from hindsight.pipeline.judge.incidents_to_tell import news_of, split, worse
from hindsight.pipeline.judge.news import news_of_run
from hindsight.pipeline.judge.ranking import effects_of
from hindsight.pipeline.judge.silences import remembered_for, silences_of
from hindsight.pipeline.judge.slos import counts_labels, verdicts_of_slos
from hindsight.pipeline.judge.trials import replaced, verdicts_of_trial
from hindsight.pipeline.judge.verdicts import verdicts_of_night, verdicts_of_run
from hindsight.pipeline.measure.horizon import refuse_window, unexpired
from hindsight.pipeline.measure.windows import as_of_run
from hindsight.pipeline.resources import Resources, remembering
from hindsight.verdicts.cases import grouped
from hindsight.verdicts.incidents import NEWS, fold_from, refold, retire
from hindsight.verdicts.judge import kind_of, waits_for_labels
from hindsight.verdicts.model import Incident, RetrainRequest, Series, State, Status, Verdict
from hindsight.verdicts.notices import told_now, told_with_its_case
from hindsight.verdicts.retraining import Refusal, decide
from hindsight.verdicts.silence import Silence, audible, hushing, no_longer_silent
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.columns import named

WEEK = timedelta(days=7)
Note = Callable[[datetime | None], NightNote | None]  # what a night changed since a moment, as a mail says it


@dataclass(frozen=True, slots=True)
class Judgement:
    """What judging came to: the verdicts, the incidents it touched, those told now, and the word on retraining."""

    verdicts: tuple[Verdict, ...]
    incidents: tuple[Incident, ...]
    told: tuple[Incident, ...]
    retraining: RetrainRequest | Refusal | None

    @property
    def breaches(self) -> list[Verdict]:
        """The verdicts that breach."""
        return [verdict for verdict in self.verdicts if verdict.status is Status.BREACH]

    def to_dict(self) -> dict[str, Any]:
        """How many verdicts breach, and the ids of the incidents."""
        touched = sorted({incident.id for incident in self.incidents})
        told = [incident.id for incident in self.told]
        return {"breaches": len(self.breaches), "incidents": touched, "told": told}


@remembering
def judge_window(
    monitor: Monitor,
    window: Window,
    resources: Resources,
    *,
    judged_at: datetime,
    link: str = "",
    quiet: bool = False,
    dry_run: bool = False,
) -> Judgement:
    """Judge what a run measured of a window and do what follows; a dry run writes nothing.

    `link` is where people read more, for the mail. A `quiet` one, of rows that came late, tells of nothing that opens
    and starts nothing; what it ends is told. Raises ExpiredError for a window that has expired.
    """
    refuse_window(monitor, window, resources)
    as_of = as_of_run(monitor, window)
    verdicts = verdicts_of_run(monitor, window, as_of, resources)
    has_nights = monitor.source.labels is not None
    digest = not has_nights and window.start.date() != window.end.date()  # else what is P2 would never be told

    cause = f"window {window}"
    return _settle(
        monitor,
        verdicts,
        as_of,
        cause,
        resources,
        judged_at,
        window=window,
        link=link,
        digest=digest and not quiet,
        quiet=quiet,
        dry_run=dry_run,
    )


@remembering
def settle_night(
    monitor: Monitor,
    as_of: datetime,
    windows: Sequence[Window],
    resources: Resources,
    *,
    judged_at: datetime,
    note: Note,
    link: str = "",
    dry_run: bool = False,
) -> Judgement:
    """Judge what a night measured again, do what follows, tell what waited for the digest, and commit the night.

    `note` writes what a mail says of the night, from a moment on or since the night before; `link` is where people
    read more. Windows that have expired are left out.
    """
    windows = unexpired(monitor, windows, resources)
    verdicts = [verdict for window in windows for verdict in verdicts_of_night(monitor, window, as_of, resources)]
    cause = f"night {as_of:%Y-%m-%dT%H:%MZ}"
    night = _Night(windows, note)
    return _settle(
        monitor, verdicts, as_of, cause, resources, judged_at, digest=True, night=night, link=link, dry_run=dry_run
    )


def _rules(monitor: Monitor) -> dict[str, Rule]:
    return {rule.id: rule for rule in monitor.rules}


def _settle(
    monitor: Monitor,
    verdicts: Sequence[Verdict],
    as_of: datetime,
    cause: str,
    resources: Resources,
    judged_at: datetime,
    *,
    digest: bool,
    night: _Night | None = None,
    window: Window | None = None,
    link: str = "",
    quiet: bool = False,
    dry_run: bool,
) -> Judgement:
    with resources.ledger.locked(monitor.name) as tx:
        estimated: list[datetime] = []
        if window is not None:
            note_deploys(monitor, tx, window, as_of, resources)
            verdicts = [*verdicts, *news_of_run(monitor, window, tx, resources)]
            estimated = noted(monitor, tx, window, as_of, resources)
        measured = [window] if window else night.windows if night and counts_labels(monitor) else []
        verdicts = [*verdicts, *verdicts_of_slos(monitor, measured, as_of, tx, resources)]
        nightly = night.windows if night else []
        verdicts = [*verdicts, *verdicts_of_trial(monitor, nightly, as_of, tx.connection, resources)]
        gone = _vanished(monitor, tx, verdicts)  # of the windows measured now, before others are judged again for them
        verdicts = with_comparisons(monitor, [*verdicts, *gone], tx)
        changed = tx.save_verdicts(verdicts, judged_at)
        known = tx.incidents()
        graver = [*estimated, *(changed[one] for one in Quality.of(monitor).rules if one in changed)]
        folded = [*_fold(monitor, tx, changed, known), *_retired(monitor, known), *replaced(known, monitor, resources)]
        incidents = _grouped(monitor, harmed(monitor, tx, folded, known, graver), known)
        tx.save_incidents(incidents, judged_at)
        needed = None if monitor.retrain else {verdict.series.rule for verdict in verdicts}
        newest = tx.of_windows({verdict.window.start for verdict in verdicts}, needed)
        silences = silences_of(monitor, tx.connection, judged_at, since=judged_at - remembered_for(monitor))
        retraining = _retraining(monitor, tx, newest, silences, as_of, judged_at) if verdicts and not quiet else None
        judged = {verdict.series for verdict in verdicts}
        current = [verdict for verdict in newest if verdict.series in judged]
        due = news_of(monitor, tx, current, judged_at, digest=digest)
        known_due = {one.id for one in due}
        due += [one for one in worse(monitor, incidents, judged_at) if one.id not in known_due]
        due = [one for one in due if not (quiet and one.state is State.OPEN)]
        due, silent = split(monitor, tx, due)
        due, missed = audible(due, silences, judged_at)
        told = tuple(told_now(one, judged_at) for one in due)
        moved = effects_of(monitor, due, resources)
        mail = _mail(monitor, night, as_of, tx, judged_at) if night else None
        why = no_longer_silent(due, silences, judged_at)
        checks = checklist(monitor, tx, due, resources)
        promise(
            monitor,
            due,
            tx,
            retraining,
            cause=cause,
            moved=moved,
            at=judged_at,
            night=mail,
            link=link,
            why_now=why,
            checks=checks,
        )
        if not quiet:
            start_runs(monitor, current, tx, cause=cause, at=judged_at, silences=silences)
        tx.save_incidents([*told, *map(told_with_its_case, silent), *missed], judged_at)
        if night is not None:
            tx.commit_night(as_of, judged_at, len(night.windows))
        if dry_run:
            tx.connection.rollback()
    return Judgement(tuple(verdicts), tuple(incidents), told, retraining)


@dataclass(frozen=True, slots=True)
class _Night:
    windows: Sequence[Window]
    note: Note


def _mail(monitor: Monitor, night: _Night, as_of: datetime, tx: Transaction, judged_at: datetime) -> NightMail:
    """Say what a mail may tell of the night; one about it alone is due once, where asked for, and while it is news."""
    wanted, last = monitor.alerts.report, tx.last_night(until=as_of)
    fresh = judged_at - as_of <= monitor.max_age and last != as_of
    weekly = wanted == "weekly"
    due = not weekly or last is None or last.isocalendar()[:2] != as_of.isocalendar()[:2]
    since = as_of - WEEK if weekly and due else None
    return NightMail(partial(night.note, since), asked=bool(wanted) and fresh and due)


def _grouped(monitor: Monitor, incidents: Sequence[Incident], known: Sequence[Incident]) -> list[Incident]:
    """Say of each incident which case it belongs to, and of all others on record whose case is another by that."""
    if not incidents:
        return []
    now = {incident.id for incident in incidents}
    others = {one.id: one for one in known if one.id not in now}
    found = grouped([*incidents, *others.values()], _rules(monitor), monitor.window)
    return [one for one in found if one.id in now or one.case != others[one.id].case]


def _vanished(monitor: Monitor, tx: Transaction, verdicts: Sequence[Verdict]) -> list[Verdict]:
    """What is on record of these windows but was not measured now, though others of its kind were: not evaluated.

    News is a kind of its own: that of later windows is judged again without what was measured of them.
    """
    kinds = {id: (kind_of(r), waits_for_labels(monitor, r), r.metric == NEWS) for id, r in _rules(monitor).items()}
    known = {(v.window.start, kinds[v.series.rule]): v.as_of for v in verdicts}
    alike = {kind for _, kind in known}
    of_kind = [id for id, kind in kinds.items() if kind in alike]
    spoken = {(v.series, v.window.start) for v in verdicts}
    gone = [
        (old, known.get((old.window.start, kinds[old.series.rule])))
        for old in tx.of_windows({v.window.start for v in verdicts}, of_kind)
        if (old.series, old.window.start) not in spoken
    ]
    return [_unmeasured(old, as_of) for old, as_of in gone if as_of is not None]


def _unmeasured(old: Verdict, as_of: datetime) -> Verdict:
    note = "no longer measured"
    return replace(old, as_of=as_of, status=Status.NO_DATA, value=None, threshold=None, n=0, note=note)


def _fold(
    monitor: Monitor, tx: Transaction, changed: Mapping[Series, datetime], known: Sequence[Incident]
) -> list[Incident]:
    """Fold the changed series again from where the change can matter; return their incidents as they now stand."""
    rules = _rules(monitor)
    recorded = _by_series(one for one in known if one.series in changed)
    lively = tx.breached(changed.keys()) | recorded.keys()
    since = {
        series: fold_from(rules[series.rule], changed[series], recorded.get(series, ()), size=monitor.window)
        for series in lively
    }
    histories = tx.histories(lively, min(since.values())) if since else {}
    return [
        incident
        for series in sorted(lively)
        for incident in refold(
            monitor.name,
            rules[series.rule],
            series,
            [v for v in histories.get(series, ()) if v.window.start >= since[series]],
            recorded.get(series, ()),
        )
    ]


def _retired(monitor: Monitor, known: Sequence[Incident]) -> list[Incident]:
    """Close the open incidents of what the file no longer has: a rule, a feature, a segment; nobody is told."""
    gone = [(incident, what) for incident in known if incident.stands and (what := _missing(monitor, incident.series))]
    return [
        replace(retire(incident, f"the monitor file no longer has its {what}"), told=State.WITHDRAWN)
        for incident, what in gone
    ]


def _missing(monitor: Monitor, series: Series) -> str:
    """Say what the file no longer has of what a series is about, or "" where it has all of it."""
    rule = _rules(monitor).get(series.rule)
    if rule is None or (series.segment and not rule.segments) or (series.model_version and not rule.versions):
        return "rule"
    if series.segment and series.segment.partition("=")[0] not in monitor.segments:
        return "segment"
    if rule.metric.startswith(f"{Kind.SLO}."):
        return "" if series.feature in monitor.slos else "SLO"
    in_suite = rule.metric.startswith("quality.expectation") and monitor.quality is not None
    return "" if not series.feature or in_suite or series.feature in _columns(monitor) else "feature"


def _columns(monitor: Monitor) -> set[str]:
    """Every column the file names, whatever for."""
    return {feature_of(monitor), *named(monitor)}


def _by_series(incidents: Iterable[Incident]) -> dict[Series, list[Incident]]:
    found: dict[Series, list[Incident]] = defaultdict(list)
    for incident in incidents:
        found[incident.series].append(incident)
    return dict(found)


def _retraining(
    monitor: Monitor,
    tx: Transaction,
    newest: Sequence[Verdict],
    silences: Sequence[Silence],
    as_of: datetime,
    judged_at: datetime,
) -> RetrainRequest | Refusal | None:
    if monitor.retrain is None:
        return None
    for rule in monitor.retrain.require:
        if (quiet := hushing(silences, Series(rule), judged_at)) is not None and not quiet.starts:
            return Refusal(f"{rule} is {quiet}")
    decided = decide(
        monitor,
        tx.incidents(states=[State.OPEN]),
        newest,
        tx.retrain_requests(but=[RequestState.FAILED]),  # what failed uses up neither cooldown nor budget
        as_of=as_of,
        decided_at=judged_at,
    )
    if isinstance(decided, RetrainRequest) and not tx.request_retraining(decided):
        return Refusal("a retraining was already requested for these incidents, and failed")
    return decided
