"""Recall which incidents stood open at a past moment: the same fold as ever, over the verdicts as they were then.

Late labels may have moved, resolved or withdrawn an incident since; what was known at a moment does not change by that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cache

from hindsight.monitors.model import Monitor
from hindsight.monitors.rules import Rule
from hindsight.pipeline.judge.verdicts import verdicts_of_night, verdicts_of_run
from hindsight.pipeline.resources import Resources
from hindsight.verdicts.incidents import fold_from, refold
from hindsight.verdicts.judge import waits_for_labels
from hindsight.verdicts.model import Incident, Series, Verdict
from hindsight.vocabulary.windows import Window


def open_incidents(monitor: Monitor, resources: Resources, as_of: datetime | None) -> list[Incident]:
    """Return the incidents that are open or, at a moment, were by what could be known then; oldest start first.

    Those of rules that the file has no more cannot be judged again and are left out of the past; one that was merged
    since goes by the id it was merged into.
    """
    recorded = resources.ledger.incidents(monitor.name)
    if as_of is None:
        return [incident for incident in recorded if incident.stands]
    by_series: dict[Series, list[Incident]] = defaultdict(list)
    for incident in recorded:
        by_series[incident.series].append(incident)
    rules = {rule.id: rule for rule in monitor.rules}
    known = {series: some for series, some in by_series.items() if series.rule in rules}
    found = _folded(monitor, rules, known, as_of, resources)
    return sorted(found, key=lambda incident: (incident.started, incident.id))


def _folded(
    monitor: Monitor,
    rules: dict[str, Rule],
    recorded: dict[Series, list[Incident]],
    as_of: datetime,
    resources: Resources,
) -> Iterator[Incident]:
    since = {
        series: fold_from(rules[series.rule], min(i.started for i in some), some, size=monitor.window)
        for series, some in recorded.items()
    }
    histories = resources.ledger.histories(monitor.name, since, min(since.values())) if since else {}
    judged = _as_judged(monitor, as_of, resources)
    for series, history in histories.items():
        known = [v for v in history if v.window.start >= since[series] and v.window.end <= as_of]
        then = [verdict for v in known if (verdict := v if v.as_of <= as_of else judged(rules, v))]
        folded = refold(monitor.name, rules[series.rule], series, then, recorded[series]) if then else []
        yield from (i for i in folded if i.stands and i.breaches[-1] >= then[0].window.start)


def _as_judged(
    monitor: Monitor, as_of: datetime, resources: Resources
) -> Callable[[dict[str, Rule], Verdict], Verdict | None]:
    """Return how to find what a revised verdict said at a moment, from the snapshots of that time."""

    @cache
    def of_window(window: Window, *, labelled: bool) -> Sequence[Verdict]:
        return (verdicts_of_night if labelled else verdicts_of_run)(monitor, window, as_of, resources)

    def then(rules: dict[str, Rule], verdict: Verdict) -> Verdict | None:
        known = of_window(verdict.window, labelled=waits_for_labels(monitor, rules[verdict.series.rule]))
        return next((v for v in known if v.series == verdict.series), None)

    return then
