"""Trials: a promoted version is graded once, by the labels of its first windows, against what promoted it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pyarrow.compute as pc
import sqlalchemy as sa

from hindsight.ledger.deploys import versions_seen
from hindsight.ledger.rollbacks import rollbacks
from hindsight.monitors.model import Monitor
from hindsight.pipeline.judge.knowledge import Known, known
from hindsight.pipeline.resources import Resources
from hindsight.training.grade import FEWEST, MIN_ROWS, Grade, grade, promise_of
from hindsight.training.registry import ModelVersion
from hindsight.verdicts.incidents import retire
from hindsight.verdicts.judge import judge
from hindsight.verdicts.model import Incident, State, Verdict
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.windows import Window

WEEK = timedelta(days=7)
KINDS = (Kind.PERFORMANCE, Kind.LABELS)


def trial(monitor: Monitor, promoted_at: datetime) -> Window:
    """Return the time in which a version is tried: the windows of a week from its promotion on, or three if longer."""
    first = monitor.grid.window_at(promoted_at)
    start = first.start if first.start == promoted_at else first.end
    count = max(-(-WEEK // monitor.window), FEWEST)
    return Window(start, start + count * monitor.window)


def due_at(monitor: Monitor, tried: Window) -> datetime:
    """Return when the labels of a trial are all in."""
    return tried.end + monitor.labels.matures_after


def verdicts_of_trial(
    monitor: Monitor, windows: Collection[Window], as_of: datetime, connection: sa.Connection, resources: Resources
) -> list[Verdict]:
    """Return the verdict on the champion where its trial is over and `windows`, measured now, are of it; else none.

    It is about the last window of the trial, and given again whenever late labels change a window of it.
    """
    champion = resources.registry.champion(monitor.name) if monitor.retrain and windows else None
    tried = tried_in(monitor, [champion], connection).get(champion.version) if champion else None
    if champion is None or tried is None or as_of < due_at(monitor, tried):
        return []
    if not any(tried.start <= window.start < tried.end for window in windows):
        return []
    last = Window(tried.end - monitor.window, tried.end)
    fact = _fact(champion, graded(monitor, champion, tried, as_of, resources))
    judged = judge(monitor, last, as_of, {Kind.PROMOTION: [fact]})
    return [replace(verdict, due=due_at(monitor, tried)) for verdict in judged]


def replaced(incidents: Sequence[Incident], monitor: Monitor, resources: Resources) -> list[Incident]:
    """Close what is open about a promoted version that is the champion no more: a rollback or a newer one told that."""
    grades = {rule.id for rule in monitor.rules if rule.metric.startswith(f"{Kind.PROMOTION}.")}
    about = [one for one in incidents if one.stands and one.series.rule in grades]
    champion = resources.registry.champion(monitor.name) if about else None
    gone = [one for one in about if champion is None or one.series.model_version != champion.version]
    ended = [retire(one, f"{one.series.model_version} is the champion no more") for one in gone]
    return [replace(one, told=State.WITHDRAWN) for one in ended]


def grades_of(
    monitor: Monitor, versions: Sequence[ModelVersion], now: datetime, resources: Resources
) -> dict[str, Grade | None]:
    """Return the grade of each version whose trial is over, by its name; None where the trial says too little.

    Where the log names no versions, one that was replaced during its trial has none.
    """
    with resources.ledger.reading() as connection:
        tried = tried_in(monitor, versions, connection)
    promoted = sorted(one.promoted_at for one in versions if one.promoted_at)
    named = monitor.source.predictions.model_version is not None
    found = {}
    for one in versions:
        span, since = tried.get(one.version), one.promoted_at
        if span is None or since is None or now < due_at(monitor, span):
            continue
        if named or not any(since < other < span.end for other in promoted):
            found[one.version] = graded(monitor, one, span, now, resources)
    return found


def tried_in(monitor: Monitor, versions: Iterable[ModelVersion], connection: sa.Connection) -> dict[str, Window]:
    """Return by its name when each version was or is tried, but those that never were.

    These are the ones that promised nothing, that are not in the log where it names versions, or that a rollback put
    back: what they promised was about another time. One that the log names is tried from when it is first seen there.
    """
    back = {(one.restored, one.at) for one in rollbacks(connection, monitor.name)}
    seen = {one.version: one.start for one in versions_seen(connection, monitor.name)}
    named = monitor.source.predictions.model_version is not None
    found = {}
    for one in versions:
        since = one.promoted_at
        is_tried = since is not None and (one.version, since) not in back and promise_of(one.metrics) is not None
        if since is not None and is_tried and (not named or one.version in seen):
            found[one.version] = trial(monitor, max(since, seen[one.version]) if named else since)
    return found


def graded(
    monitor: Monitor, version: ModelVersion, tried: Window, as_of: datetime, resources: Resources
) -> Grade | None:
    """Grade a version by what was known at `as_of` of the windows of its trial; None where they say too little."""
    promise = promise_of(version.metrics)
    starts = [window.start for window in monitor.grid.starting_in(tried.start, tried.end)]
    if promise is None:
        return None
    facts = known(monitor, resources, as_of=as_of, windows=starts, kinds=KINDS)
    named = version.version if monitor.source.predictions.model_version else ""
    found = [each for each in _realised(facts, promise.metric, named) if facts.is_final(each[0])]
    return grade([value for _, value, _ in found], [n for _, _, n in found], promise)


def _realised(facts: Known, metric: str, version: str) -> list[tuple[datetime, float, int]]:
    """Return a metric of one version by window, with the rows behind it."""
    table = facts.table
    wanted = pc.equal(table["kind"], str(Kind.PERFORMANCE))
    for column, value in {"metric": metric, "model_version": version, "segment": "", "feature": "", "bin": ""}.items():
        wanted = pc.and_(wanted, pc.equal(table[column], value))
    rows = table.filter(pc.and_(wanted, pc.is_valid(table["value"]))).select(["window_start", "value", "n"])
    return [(row["window_start"], row["value"], row["n"]) for row in rows.to_pylist() if row["n"]]


def _fact(version: ModelVersion, found: Grade | None) -> Measurement:
    if found is None:
        note = f"under {FEWEST} windows or {MIN_ROWS} labelled rows of its first windows are there"
        return Measurement("grade", None, model_version=version.version, note=note)
    return Measurement("grade", float(found.mark), found.n, model_version=version.version, note=str(found))
