"""SLOs: count windows by their snapshots, and judge them and all that look back on what is counted otherwise now."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from hindsight.ledger.slo_counts import SloCount, note_slo_counts, slo_counts
from hindsight.ledger.transaction import Transaction
from hindsight.monitors.model import Monitor
from hindsight.monitors.slos import BURN_SHORT, Slo
from hindsight.pipeline.judge.knowledge import Known, known
from hindsight.pipeline.measure.windows import as_of_run
from hindsight.pipeline.resources import Resources
from hindsight.verdicts.error_budget import NOTHING, Count, Standing, Tally, counted, standing, sustained
from hindsight.verdicts.judge import judge, needs_labels
from hindsight.verdicts.model import Verdict
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.windows import Window

BURNING = f"{Kind.SLO}.{BURN_SHORT}"
MATURE = f"{Kind.LABELS}.mature"
_Place = tuple[str, datetime]  # an SLO and the start of a window
_Counts = Mapping[_Place, SloCount]


def reach(monitor: Monitor) -> timedelta:
    """How far back counts are added up: the longest period of an SLO."""
    return max((slo.period for slo in monitor.slos.values()), default=timedelta())


def counts_labels(monitor: Monitor) -> bool:
    """Say whether any SLO counts what waits for labels."""
    return any(needs_labels(monitor, slo.metric) for slo in monitor.slos.values())


def verdicts_of_slos(
    monitor: Monitor, windows: Collection[Window], as_of: datetime, tx: Transaction, resources: Resources
) -> list[Verdict]:
    """Return the verdicts on the SLOs of windows just measured and, where their counts changed, of all that look back.

    A window is counted by the newest of its numbers that a judgement of it knew, so it does not matter in which order
    windows and nights come; those before it that nobody counted yet are counted by what was known at `as_of`. What
    waits for labels is counted, and judged, once they are in.
    """
    if not windows or not monitor.slos:
        return []
    starts, back = {window.start for window in windows}, reach(monitor)
    first, last = min(starts), max(starts) + monitor.window
    before = _by_place(slo_counts(tx, first - back, last + back))
    span = {window.start for window in monitor.grid.starting_in(first - back, last)}
    renewed = _by_place(_renewed(monitor, starts, span, before, as_of, resources))
    changed = {place[1] for place, one in renewed.items() if _is_news(one, before.get(place))}
    now = before | renewed
    due = starts | _looking_back(changed, now, back)
    if min(due) < first:  # what these look back on
        before |= _by_place(slo_counts(tx, min(due) - back, first - back))
        now = before | renewed
    sums = tallies(monitor, now.values())
    found = [verdict for start in sorted(due) for verdict in _verdicts(monitor, start, sums)]
    fresh = {place: replace(one, judged=one.judged or place[1] in starts) for place, one in renewed.items()}
    note_slo_counts(tx, [one for place, one in fresh.items() if one != before.get(place)])
    return found


def tallies(monitor: Monitor, counts: Iterable[SloCount]) -> dict[str, Tally]:
    """Return the counts of each SLO added up; those of another file, and of windows whose labels come, are left out."""
    found: dict[str, dict[datetime, Count]] = {name: {} for name in monitor.slos}
    definitions = _definitions(monitor)
    for one in counts:
        if one.total is not None and definitions.get(one.slo) == one.definition:
            found[one.slo][one.window_start] = Count(one.bad, one.total)
    return {name: Tally(some, monitor.slos[name].budget) for name, some in found.items()}


def _by_place(counts: Iterable[SloCount]) -> dict[_Place, SloCount]:
    return {(one.slo, one.window_start): one for one in counts}


def _definitions(monitor: Monitor) -> dict[str, str]:
    return {name: slo.definition(monitor.window) for name, slo in monitor.slos.items()}


def _is_news(count: SloCount, before: SloCount | None) -> bool:
    """Whether windows that look back on a count must be judged again: one of another file stands for what it was."""
    if before is None or before.definition != count.definition:
        return before is None
    return (before.bad, before.total) != (count.bad, count.total)


def _looking_back(changed: Collection[datetime], now: _Counts, back: timedelta) -> set[datetime]:
    """Return the windows that were judged and look back on one that changed."""
    judged, ordered = {start for (_, start), one in now.items() if one.judged}, sorted(changed)
    last_before = ((start, bisect_left(ordered, start) - 1) for start in judged)
    return {start for start, place in last_before if place >= 0 and start < ordered[place] + back}


def _renewed(
    monitor: Monitor,
    starts: Collection[datetime],
    span: Collection[datetime],
    before: _Counts,
    as_of: datetime,
    resources: Resources,
) -> Iterator[SloCount]:
    """Count the windows that start at `starts` anew, and those of the span that this file has not counted."""
    wanted: dict[tuple[tuple[Kind, ...], datetime], list[_Place]] = defaultdict(list)
    for name, definition in _definitions(monitor).items():
        kinds = _kinds(monitor, monitor.slos[name])
        for start in span:
            old = before.get((name, start))
            if start in starts or old is None or old.definition != definition:
                wanted[kinds, max(as_of, old.as_of) if old else as_of].append((name, start))
    for (kinds, until), places in wanted.items():
        facts = known(monitor, resources, as_of=until, windows={start for _, start in places}, kinds=kinds)
        yield from filter(None, (_counted(monitor, place, facts, until, before.get(place)) for place in places))


def _kinds(monitor: Monitor, slo: Slo) -> tuple[Kind, ...]:
    own = Kind(slo.metric.partition(".")[0])
    return (own, Kind.LABELS) if needs_labels(monitor, slo.metric) and own is not Kind.LABELS else (own,)


def _counted(monitor: Monitor, place: _Place, facts: Known, until: datetime, old: SloCount | None) -> SloCount | None:
    """Count a window; None where it was never measured."""
    name, start = place
    slo = monitor.slos[name]
    waits = needs_labels(monitor, slo.metric)
    if old is None and not (facts.fact(start, MATURE) if waits else facts.windows.get(start)):
        return None
    is_in = not waits or facts.is_final(start)
    found = counted(slo, facts.fact(start, slo.metric)) if is_in else NOTHING
    definition = slo.definition(monitor.window)
    judged = old is not None and old.judged and old.definition == definition
    return SloCount(name, start, definition, until, found.bad, found.total if is_in else None, judged)


def _verdicts(monitor: Monitor, start: datetime, sums: Mapping[str, Tally]) -> Iterator[Verdict]:
    for name, slo in monitor.slos.items():
        if start in sums[name]:
            yield from _judged(monitor, name, start, standing(slo, sums[name], start, monitor.window))


def _judged(monitor: Monitor, name: str, start: datetime, stands: Standing) -> Iterator[Verdict]:
    """Judge one SLO at the end of a window; of labels it is due, and can be known, when the window matures."""
    window = Window(start, start + monitor.window)
    waits = needs_labels(monitor, monitor.slos[name].metric)
    due = window.end + monitor.labels.matures_after if waits else as_of_run(monitor, window)
    burning = {rule.id for rule in monitor.rules if rule.metric == BURNING}
    for verdict in judge(monitor, window, due, {Kind.SLO: list(stands.facts(name))}):
        confirmed = sustained(verdict, stands) if verdict.series.rule in burning else verdict
        yield replace(confirmed, due=due)
