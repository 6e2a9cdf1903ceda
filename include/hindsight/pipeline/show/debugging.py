"""Gather what whoever looks for a fault needs of one monitor: labels by age, cohorts, distributions, what failed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil

import pyarrow as pa

from hindsight.errors import ConfigError
from hindsight.ledger.records import MailState
from hindsight.monitors.loader import load_monitor
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources, remembering
from hindsight.pipeline.show.curves import CHARTED, of_rows, points
from hindsight.pipeline.show.distributions import address
from hindsight.reports.debug import Backlog, Cell, Cohort, DebugView, Histogram, Unanswered, Unsent
from hindsight.reports.distribution import Bin, bars
from hindsight.reports.pages import Link
from hindsight.reports.selection import Selection
from hindsight.snapshots.damage import leaving_out
from hindsight.vocabulary.measurement import STORED, Kind, Measurement
from hindsight.vocabulary.windows import Window

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
AGES = (HOUR, 6 * HOUR, DAY, 2 * DAY, 4 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 60 * DAY, 90 * DAY)
MOST_WINDOWS = 2000  # of which labels are counted
COHORTS, DRAWN, LISTED = 14, 12, 50
_Latest = tuple[Window | None, list[Measurement]]
_UNSENT = (MailState.PENDING, MailState.SENDING, MailState.DEAD)


def debug_view(name: str, resources: Resources, *, now: datetime) -> DebugView | None:
    """Return what there is to debug a monitor by, but for its runs, of which Airflow knows; None where there is none.

    Snapshots that cannot be read are named, and the rest is shown.
    """
    try:
        monitor = load_monitor(name, resources.settings.monitors)
    except ConfigError:
        return None
    with leaving_out() as damaged:
        view = _view(monitor, resources, now)
    return replace(view, damaged=tuple(damaged))


@remembering
def _view(monitor: Monitor, resources: Resources, now: datetime) -> DebugView:
    newest = resources.store.newest(monitor.name, Kind.OPERATIONS)
    labels = _labels(monitor, resources, newest)
    latest: dict[Kind, _Latest] = {kind: _newest(monitor, kind, resources) for kind in STORED}
    profiles = latest.pop(Kind.PROFILE)
    drawn = _histograms(monitor, profiles, latest[Kind.DRIFT])
    return DebugView(
        monitor=monitor.name,
        as_of=now,
        window=newest,
        labels=_looked_at(monitor, labels, newest),
        backlog=tuple(_backlog(monitor, labels, now)),
        ages=_ages(monitor),
        cohorts=tuple(_cohorts(monitor, labels, resources, now)),
        quality=_quality(monitor),
        histograms=tuple(drawn[:DRAWN]),
        columns=len(drawn),
        unanswered=tuple(_unanswered(latest)),
        expectations=tuple(_unmet(latest[Kind.QUALITY])),
        unsent=tuple(_unsent(monitor, resources)),
    )


def _quality(monitor: Monitor) -> str:
    return "mae" if monitor.model.task == "regression" else "accuracy"


def _labels(monitor: Monitor, resources: Resources, newest: Window | None) -> pa.Table:
    """Return what is known of the labels of the newest windows, twice as far back as they mature, or no rows."""
    matures = monitor.labels.matures_after
    back = min(max(CHARTED * monitor.window, 2 * matures), MOST_WINDOWS * monitor.window)
    start = newest.start - back if newest and monitor.source.labels else None
    kinds = [Kind.LABELS] if start else []
    return of_rows(resources.store.read(monitor.name, kinds=kinds, start=start).sort_by("window_start"))


def _looked_at(monitor: Monitor, labels: pa.Table, newest: Window | None) -> str:
    if monitor.source.labels is None:
        return "the file names no table of labels"
    if not len(labels) or newest is None:
        return "no night has looked at labels yet"
    last: datetime = labels["window_start"][-1].as_py()
    behind = round((newest.start - last) / monitor.window)
    return f"{behind} newer window{'s' * (behind != 1)} no night has looked at yet" if behind > 0 else ""


def _ages(monitor: Monitor) -> tuple[timedelta, ...]:
    """Return the ages of a window that are told apart, the last that at which it matures."""
    matures = monitor.labels.matures_after
    return (*(age for age in AGES if monitor.window <= age < matures), matures)


def _backlog(monitor: Monitor, labels: pa.Table, now: datetime) -> Iterator[Backlog]:
    """Yield windows by age, the youngest first; ages of no window are left out at the end only."""
    ages = _ages(monitor)
    parts = [Backlog(age, 0, 0, 0) for age in (*ages, None)]
    for start, known in _by_window(labels).items():
        age = now - start - monitor.window
        place = next((i for i, upto in enumerate(ages) if age <= upto), len(ages))
        parts[place] = _with(parts[place], known)
    yield from parts if any(part.windows for part in parts) else ()


def _by_window(labels: pa.Table) -> dict[datetime, dict[str, float | None]]:
    found: dict[datetime, dict[str, float | None]] = defaultdict(dict)
    for name in ("n_labeled", "n_unlabeled", "coverage", "expected_final_coverage"):
        for point in points(labels, f"labels.{name}"):
            found[point.start][name] = point.value
    return found


def _with(part: Backlog, known: dict[str, float | None]) -> Backlog:
    labelled, missing = int(known.get("n_labeled") or 0), int(known.get("n_unlabeled") or 0)
    scored, final, coverage = labelled + missing, known.get("expected_final_coverage"), known.get("coverage")
    due = None if final is None or coverage is None else max(final - coverage, 0.0) * scored + (part.to_come or 0.0)
    return replace(
        part,
        windows=part.windows + 1,
        scored=part.scored + scored,
        labelled=part.labelled + labelled,
        to_come=part.to_come if due is None else due,
    )


def _cohorts(monitor: Monitor, labels: pa.Table, resources: Resources, now: datetime) -> Iterator[Cohort]:
    """Yield some of the newest windows as they were known at each age: as many as tell how labels come."""
    ages = _ages(monitor)
    starts = sorted(_by_window(labels), reverse=True)
    every = max(ceil(1.25 * monitor.labels.matures_after / monitor.window / COHORTS), 1)
    some = starts[::every][:COHORTS]
    moments: dict[datetime, list[datetime]] = defaultdict(list)
    for start in some:
        for age in ages:
            if (moment := start + monitor.window + age) <= now:
                moments[moment].append(start)
    known = {moment: _known(monitor, moment, then, resources) for moment, then in moments.items()}
    for start in some:
        yield Cohort(start, tuple(known.get(start + monitor.window + age, {}).get(start) for age in ages))


def _known(
    monitor: Monitor, moment: datetime, starts: Sequence[datetime], resources: Resources
) -> dict[datetime, Cell]:
    """Return what was known of these windows at a moment; those of which nothing was are left out."""
    kinds = [Kind.LABELS, Kind.PERFORMANCE]
    table = of_rows(resources.store.read(monitor.name, kinds=kinds, windows=starts, as_of=moment))
    quality = {point.start: point.value for point in points(table, f"performance.{_quality(monitor)}")}
    return {one.start: Cell(one.value, quality.get(one.start)) for one in points(table, "labels.coverage")}


def _newest(monitor: Monitor, kind: Kind, resources: Resources) -> _Latest:
    """Return the newest window of a kind, and what was measured of all its rows."""
    window = resources.store.newest(monitor.name, kind)
    found = resources.store.measurements(monitor.name, kind, window) if window else []
    return window, [one for one in found if not (one.segment or one.model_version)]


def _histograms(monitor: Monitor, profiles: _Latest, drift: _Latest) -> list[Histogram]:
    """Return every column of the newest window over its frozen bins, the one that moved most first."""
    window, found = profiles
    if window is None:
        return []
    moved = {one.feature: one.value for one in drift[1] if one.metric == "psi"}
    counted: dict[str, list[Bin]] = defaultdict(list)
    for one in found:
        if one.metric == "bin_count" and one.feature:
            counted[one.feature].append(Bin(one.bin, one.reference, one.value))
    ordered = sorted(counted, key=lambda column: (-(moved.get(column) or 0.0), column))
    return [_histogram(monitor, column, window, moved.get(column), counted[column]) for column in ordered]


def _histogram(monitor: Monitor, column: str, window: Window, psi: float | None, counted: Sequence[Bin]) -> Histogram:
    href = f"../{monitor.name}/feature{address(column, window.start, Selection())}"
    return Histogram(Link(column, href), psi, bars(counted))


def _unanswered(latest: dict[Kind, _Latest]) -> Iterator[Unanswered]:
    """Yield the reasons for which numbers of the newest windows have no value, with these numbers."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for kind, (_, found) in latest.items():
        for one in found:
            if one.value is None and one.note:
                about = " ".join(part for part in (one.feature, one.bin) if part)
                by_reason[one.note].append(f"{kind}.{one.metric}" + (f" ({about})" if about else ""))
    for why, metrics in list(by_reason.items())[:LISTED]:
        yield Unanswered(why, tuple(metrics))


def _unmet(quality: _Latest) -> Iterator[str]:
    """Yield the expectations of the suite that the newest window did not meet."""
    unmet = [one for one in quality[1] if one.metric == "expectation_success" and one.value == 0]
    for one in unmet[:LISTED]:
        yield " - ".join(part for part in (one.bin, one.note) if part)


def _unsent(monitor: Monitor, resources: Resources) -> Iterator[Unsent]:
    """Yield the messages that wait or were given up, newest first; whom they are for is left out."""
    waiting = [mail for mail in resources.ledger.outbox(monitor.name) if mail.state in _UNSENT]
    for mail in waiting[::-1][:LISTED]:
        yield Unsent(mail.created_at, mail.subject, str(mail.state), mail.last_error)
