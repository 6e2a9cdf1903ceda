"""Weigh what drifted by what is known of the model's quality in the same windows: estimates first, labels later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hindsight.ledger.estimates import estimates, note_estimate
from hindsight.ledger.transaction import Transaction
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.verdicts.harm import MOST, RAISED, Estimate, harmful, said, weighed
from hindsight.verdicts.model import SPOKEN, Incident, Series, Status
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.severity import Severity
from hindsight.vocabulary.windows import Window


@dataclass(frozen=True, slots=True)
class Quality:
    """The number a model's quality is judged by, its rules, and how long after its start a window's truth is known."""

    metric: str
    rules: tuple[Series, ...]
    known_after: timedelta

    @classmethod
    def of(cls, monitor: Monitor) -> Quality:
        """Return that of a monitor: accuracy, or mae of a regression."""
        metric = "mae" if monitor.model.task == "regression" else "accuracy"
        rules = tuple(Series(rule.id) for rule in monitor.rules if rule.metric == f"{Kind.PERFORMANCE}.{metric}")
        return cls(metric, rules, monitor.window + monitor.labels.matures_after)


def noted(monitor: Monitor, tx: Transaction, window: Window, as_of: datetime, resources: Resources) -> list[datetime]:
    """Keep what was estimated of a window; return its start where that is not what was known."""
    metric = Quality.of(monitor).metric
    for one in resources.store.measurements(monitor.name, Kind.ESTIMATE, window, as_of):
        if one.metric == metric and not (one.segment or one.model_version or one.bin):
            numbers = one.value, one.lower, one.upper, one.reference
            known = [number for number in numbers if number is not None]
            if len(known) == len(numbers) and note_estimate(tx, Estimate(window.start, *known)):
                return [window.start]
    return []


def harmed(
    monitor: Monitor,
    tx: Transaction,
    incidents: Sequence[Incident],
    known: Sequence[Incident],
    changed: Iterable[datetime],
) -> list[Incident]:
    """Return incidents with the severity that estimates and labels give those of drift and news.

    Besides the given ones, just folded, those of all `known` to which what changed in the windows that start at
    `changed` gives another severity.
    """
    rules, was, since = raised(monitor), {one.id: one for one in known}, min(changed, default=None)
    new = {one.id: one for one in incidents if one.series.rule in rules and one != was.get(one.id)}
    touched = [one for one in known if one.series.rule in rules and since is not None and one.breaches[-1] >= since]
    concerned = [*new.values(), *(one for one in touched if one.id not in new)]
    if not concerned:
        return list(incidents)
    harm = harm_since(monitor, tx, min(one.started for one in concerned))
    found = {one.id: one for one in weighed(concerned, rules, harm) if one != was.get(one.id)}
    own = [found.pop(one.id, was.get(one.id, one) if one.id in new else one) for one in incidents]
    return [*own, *found.values()]


def raised(monitor: Monitor) -> dict[str, Severity]:
    """Return the severity of the built-in rules that harm raises; a rule of the user's own is taken at its word."""
    return {rule.id: rule.severity for rule in monitor.rules if RAISED.get(rule.id) == rule.metric}


def harm_since(monitor: Monitor, tx: Transaction, since: datetime) -> dict[datetime, str]:
    """Return, by the start of each window from a moment on that is worse than it should be, who says so and how."""
    quality = Quality.of(monitor)
    first = since - quality.known_after - 2 * MOST * monitor.window
    histories = tx.histories(quality.rules, first)
    judged = [v for history in histories.values() for v in history if v.status in SPOKEN]
    truths = {v.window.start: v.value for v in judged if v.value is not None}
    found = harmful(estimates(tx, first), truths, loss=quality.metric == "mae", known_after=quality.known_after)
    by_estimate = {start: f"estimated {quality.metric} {text}" for start, text in found.items()}
    worse = {v.window.start: v for v in judged if v.status is Status.BREACH and v.value is not None}
    by_labels = {start: f"{quality.metric} {v.value:.3g} on {v.n:,} labels" for start, v in worse.items()}
    return by_estimate | by_labels


def does_it_hurt(monitor: Monitor, tx: Transaction, told: Iterable[Incident]) -> str:
    """Say, for a mail that tells of drift or news, what is known of the model's quality in the last such window."""
    rules = raised(monitor)
    windows = [one.breaches[-1] for one in told if one.series.rule in rules and one.stands]
    if not windows:
        return ""
    harm: Mapping[datetime, str] = harm_since(monitor, tx, min(windows))
    worst = [start for start in windows if start in harm]
    if worst:
        return f"It hurts: {harm[max(worst)]}."
    known = estimates(tx, max(windows), max(windows))
    name = Quality.of(monitor).metric
    return f"Estimated {name} {said(known[-1])}: no harm that can be trusted." if known else ""
