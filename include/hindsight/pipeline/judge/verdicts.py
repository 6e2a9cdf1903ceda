"""What the rules say of a window by the numbers known at a moment: snapshots in, verdicts out, nothing written."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from hindsight.ledger.acceptances import acceptances
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.verdicts.acceptance import accepted, may_be_accepted
from hindsight.verdicts.judge import LABELLED, judge, waits_for_labels
from hindsight.verdicts.model import Status, Verdict
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.windows import Window

RUN_KINDS = (Kind.OPERATIONS, Kind.QUALITY, Kind.DRIFT, Kind.ESTIMATE, Kind.KPI)
NIGHT_KINDS = (*LABELLED, Kind.KPI, Kind.OPERATIONS)


def verdicts_of_run(monitor: Monitor, window: Window, as_of: datetime, resources: Resources) -> list[Verdict]:
    """Return what the rules that need no labels say of a window by the numbers known at `as_of`."""
    return _judged(monitor, window, as_of, RUN_KINDS, resources, labelled=False)


def verdicts_of_night(monitor: Monitor, window: Window, as_of: datetime, resources: Resources) -> list[Verdict]:
    """Return what the rules that need labels say of a window by the numbers known at `as_of`."""
    return _judged(monitor, window, as_of, NIGHT_KINDS, resources, labelled=True)


def _judged(
    monitor: Monitor, window: Window, as_of: datetime, kinds: Iterable[Kind], resources: Resources, *, labelled: bool
) -> list[Verdict]:
    rules = {rule.id: rule for rule in monitor.rules}
    judged = judge(monitor, window, as_of, _facts(monitor, window, as_of, kinds, resources))
    if not labelled and any(v.status is Status.BREACH and may_be_accepted(rules[v.series.rule]) for v in judged):
        with resources.ledger.reading() as connection:
            judged = accepted(judged, acceptances(connection, monitor.name), rules)
    return [v for v in judged if waits_for_labels(monitor, rules[v.series.rule]) is labelled]


def _facts(
    monitor: Monitor, window: Window, as_of: datetime, kinds: Iterable[Kind], resources: Resources
) -> dict[Kind, list[Measurement]]:
    found = {kind: resources.store.measurements(monitor.name, kind, window, as_of) for kind in kinds}
    return {kind: facts for kind, facts in found.items() if facts}
