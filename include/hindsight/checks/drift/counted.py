"""Counted: drift of a window whose rows stay in the warehouse, from columns that were counted at the frozen borders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from hindsight.checks.drift.drift import NO_SEGMENT, Column, compared, profiled, settled, unknown
from hindsight.checks.drift.outputs import reference_shares, shares
from hindsight.checks.reference.baseline import Baseline
from hindsight.checks.reference.columns import AnyColumn, Role, sample_of
from hindsight.checks.reference.confidence import UNSURE
from hindsight.checks.reference.fitting import roles
from hindsight.checks.reference.profile import Moments
from hindsight.checks.statistics.rates import mean_of
from hindsight.checks.values.counted import CountedColumn, CountedGroup, CountedNumbers
from hindsight.checks.values.groups import Group
from hindsight.checks.values.samples import Texts
from hindsight.monitors.model import OF_THE_CLOCK, Monitor
from hindsight.vocabulary.measurement import Measurement

MANY_SCORES = "needs rows where there is a score for each class, and source.count_in is warehouse"


def counted_drift(
    columns: Mapping[str, CountedColumn],
    why_not: Mapping[str, str],
    groups: Sequence[CountedGroup],
    monitor: Monitor,
    baseline: Baseline,
    *,
    undecided: str = "",
) -> tuple[list[Measurement], list[Measurement]]:
    """Return the measurements of `drift`; `why_not` says of columns that were not counted what hindered it."""
    every = [one.group for one in groups]
    found = []
    for name, role, numeric in roles(monitor):
        known = baseline.column(name)
        if known is None or name in why_not or name not in columns:
            why = why_not.get(name) or baseline.skipped.get(name, "not in the reference")
            found.append(Column([unknown(name, role, group, numeric, why) for group in every]))
        else:
            said = undecided or (OF_THE_CLOCK if name in monitor.clocks else "")
            found.append(_compared(known, role, columns[name], every, monitor, baseline, said))
    drifts = [
        replace(row, model_version=group.model_version, segment=group.segment)
        for i, group in enumerate(every)
        for row in settled([column.findings[i] for column in found], group, monitor)
    ]
    return drifts, [row for column in found for row in column.profiles]


def _compared(
    known: AnyColumn,
    role: Role,
    column: CountedColumn,
    groups: Sequence[Group],
    monitor: Monitor,
    baseline: Baseline,
    undecided: str,
) -> Column:
    values, findings = baseline.values(known.name), []
    profiles: list[Measurement] = []
    for group in reversed(groups):
        theirs, current = baseline.column(known.name, group.segment), column.samples.get(group)
        if theirs is None or current is None:
            findings.append(unknown(known.name, role, group, known.numeric, NO_SEGMENT))
            continue
        findings.append(compared(theirs, sample_of(theirs, values), current, monitor.drift, undecided=undecided))
        profiles += profiled(theirs, current, group)
    return Column(findings[::-1], profiles)


def counted_outputs(
    columns: Mapping[str, CountedColumn], groups: Sequence[CountedGroup], monitor: Monitor, baseline: Baseline
) -> list[Measurement]:
    """Return the measurements of `outputs`; of scores for many classes no confidence, which is told by rows."""
    name = monitor.source.predictions.prediction
    if monitor.model.task == "regression" or name not in columns:
        return []
    found = []
    for group in (one.group for one in groups):
        said = columns[name].samples[group]
        rows = list(shares(said, monitor, reference_shares(baseline, name, group))) if isinstance(said, Texts) else []
        rows += _sureness(columns, group, monitor, baseline)
        found += [replace(row, model_version=group.model_version, segment=group.segment) for row in rows]
    return found


def _sureness(
    columns: Mapping[str, CountedColumn], group: Group, monitor: Monitor, baseline: Baseline
) -> list[Measurement]:
    score, known = monitor.source.predictions.score, baseline.confidence.get(group.segment)
    if isinstance(score, dict):
        return [Measurement("confidence", None, note=MANY_SCORES, reference=known)]
    sample = columns[score].samples.get(group) if score is not None and score in columns else None
    if not isinstance(sample, CountedNumbers):
        return []
    sure = _confidence(sample)
    return [replace(mean_of("confidence", sure.n, sure.mean, sure.deviations, nothing=UNSURE), reference=known)]


def _confidence(sample: CountedNumbers) -> Moments:
    """The moments of max(p, 1 - p) over scores between 0 and 1, which are parted at a half."""
    found = Moments(0, 0.0, 0.0)
    cells = sample.cells.between(0.0, 1.0)
    for place in np.flatnonzero(cells.n).tolist():
        n, mean = int(cells.n[place]), float(cells.total[place] / cells.n[place])
        found += Moments(n, mean if cells.starts[place] >= 0.5 else 1 - mean, float(cells.squares[place]))
    return found
