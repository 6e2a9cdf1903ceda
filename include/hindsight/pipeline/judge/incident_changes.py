"""What labels alone opened, ended and withdrew between two moments: incidents folded again from what was known then.

The ledger holds incidents as they stand now; the report of a past night needs them as they stood.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hindsight.monitors.model import Monitor
from hindsight.pipeline.judge.knowledge import Known
from hindsight.pipeline.judge.verdicts import NIGHT_KINDS
from hindsight.verdicts.against import against
from hindsight.verdicts.incidents import refold
from hindsight.verdicts.judge import judge, waits_for_labels
from hindsight.verdicts.model import Incident, Series, Verdict
from hindsight.vocabulary.windows import Window


@dataclass(frozen=True, slots=True)
class Turns:
    """The incidents about labels that are open at the later moment, and those whose state is not what it was."""

    opened: tuple[Incident, ...]
    turned: tuple[Incident, ...]


def turns(monitor: Monitor, before: Known, now: Known, revised: Collection[datetime]) -> Turns:
    """Return what changed between two moments; the windows that start at `revised` were measured again between them."""
    current = _verdicts(monitor, now)
    earlier = {start: found for start, found in current.items() if start not in revised} | _verdicts(monitor, before)
    stood = _folded(monitor, earlier, {})
    stands = _folded(monitor, current, stood)
    was = {incident.id: incident.told_as for incidents in stood.values() for incident in incidents}
    found = sorted((i for incidents in stands.values() for i in incidents), key=lambda i: (i.severity, i.started, i.id))
    return Turns(
        tuple(i for i in found if i.stands),
        tuple(i for i in found if i.told_as is not was.get(i.id)),
    )


def _verdicts(monitor: Monitor, known: Known) -> dict[datetime, list[Verdict]]:
    """Judge each window with labels, as of when what is known of it was known."""
    rules = {rule.id: rule for rule in monitor.rules}
    facts = known.of_rules(monitor, NIGHT_KINDS)
    found = {
        start: [
            verdict
            for verdict in judge(monitor, Window(start, start + monitor.window), as_of, facts.get(start, {}))
            if waits_for_labels(monitor, rules[verdict.series.rule])
        ]
        for start, as_of in known.as_of.items()
    }
    numbers = {(verdict.series, start): verdict for start, verdicts in found.items() for verdict in verdicts}
    return {start: against(monitor, verdicts, numbers) for start, verdicts in found.items()}


def _folded(
    monitor: Monitor,
    verdicts: Mapping[datetime, Iterable[Verdict]],
    recorded: Mapping[Series, Sequence[Incident]],
) -> dict[Series, list[Incident]]:
    rules = {rule.id: rule for rule in monitor.rules}
    histories: dict[Series, list[Verdict]] = defaultdict(list)
    for start in sorted(verdicts):
        for verdict in verdicts[start]:
            histories[verdict.series].append(verdict)
    return {
        series: refold(monitor.name, rules[series.rule], series, history, recorded.get(series, ()))
        for series, history in histories.items()
    }
