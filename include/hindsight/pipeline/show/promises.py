"""What was promised of the windows on a page: how good a model was offline, and what is left of error budgets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from hindsight.ledger.slo_counts import slo_counts
from hindsight.ledger.transaction import Transaction
from hindsight.monitors.model import Monitor
from hindsight.monitors.slos import LEFT
from hindsight.pipeline.judge.slos import reach, tallies
from hindsight.pipeline.resources import Resources
from hindsight.reports.charts import Chart, Line, Mark, Point
from hindsight.training.registry import ModelVersion
from hindsight.verdicts.error_budget import Standing, standing
from hindsight.verdicts.judge import INTERVAL


def with_offline(charts: Iterable[Chart], versions: Sequence[ModelVersion]) -> Iterator[Chart]:
    """Yield the charts, those of the metric that versions were compared by with what each had on rows held out.

    A version counts for the windows that start while it was champion, oldest promotion first.
    """
    promoted = sorted((one for one in versions if one.promoted_at), key=lambda one: one.promoted_at or one.created_at)
    for chart in charts:
        kind, _, metric = chart.key.partition(".")
        asked = promoted if kind == "performance" else []
        found = tuple(_offline(asked, metric, point.start) for point in chart.points)
        line = Line("offline", found)
        yield replace(chart, more=(*chart.more, line)) if any(one.value is not None for one in found) else chart


def _offline(promoted: Sequence[ModelVersion], metric: str, start: datetime) -> Point:
    """Return what the champion of a moment had offline: its 95 % interval is that of the mean of the rows held out."""
    champion = next((one for one in reversed(promoted) if one.promoted_at and one.promoted_at <= start), None)
    value = champion.metrics.get(metric) if champion else None
    if champion is None or value is None:
        return Point(start, None)
    se = champion.metrics.get("se")
    lower, upper = (None, None) if se is None else (value - INTERVAL * se, value + INTERVAL * se)
    said = f"{champion.version} on rows held out"
    return Point(start, value, lower, upper, note=said, n=champion.metrics.get("n", 0))


def budgets(
    monitor: Monitor, resources: Resources, marks: Sequence[Mark], first: datetime, last: datetime
) -> Iterator[Chart]:
    """Yield for each SLO what was left of its budget at the end of each window that starts in [first, last]."""
    if not monitor.slos:
        return
    with resources.ledger.reading() as connection:
        since = first - reach(monitor) - monitor.labels.matures_after
        counts = slo_counts(Transaction(connection, monitor.name), since, last + monitor.window)
    for name, tally in tallies(monitor, counts).items():
        starts = [start for start in tally.starts if first <= start <= last]
        found = tuple(
            _left(name, standing(monitor.slos[name], tally, start, monitor.window), start) for start in starts
        )
        if found:
            yield Chart(f"error budget left: {name}", "share", found, 0.0, tuple(marks), f"slo.{name}")


def _left(name: str, now: Standing, start: datetime) -> Point:
    (fact,) = (one for one in now.facts(name) if one.metric == LEFT)
    return Point(start, fact.value, note=fact.note, n=fact.n)
