"""Counted: a window whose rows stay in the warehouse: every column asked for once, the same kinds of snapshots made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path

import pyarrow as pa

from hindsight.checks.drift.age import aged, overlap
from hindsight.checks.drift.counted import counted_drift, counted_outputs
from hindsight.checks.estimate.estimate import METRICS
from hindsight.checks.operations.counted import counted_operations, owing
from hindsight.checks.quality.counted import HASHED, TOLD_BY_ROWS, counted_quality, quality_cuts
from hindsight.checks.quality.norms import Norm, norm_of
from hindsight.checks.quality.schema import Expected
from hindsight.checks.reference.baseline import Baseline
from hindsight.checks.reference.columns import CategoryBaseline, Role
from hindsight.checks.reference.control import UNKNOWN, mean_control
from hindsight.checks.reference.cuts import frozen_cuts
from hindsight.checks.reference.fitting import roles
from hindsight.checks.reference.scores import METRIC, score_mistaken
from hindsight.checks.values.counted import (
    CountedColumn,
    CountedGroup,
    Cuts,
    counted_groups,
    counted_numbers,
    counted_texts,
)
from hindsight.monitors.model import Monitor
from hindsight.pipeline.measure.baselines import baseline_for, calibration_of, control_of
from hindsight.pipeline.measure.by_rows import estimated, suite_of
from hindsight.pipeline.measure.kpis import kpis_of_run
from hindsight.pipeline.resources import Resources
from hindsight.vocabulary.counts import CountedRows
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.rows import Scalar
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.counts import counting
from hindsight.warehouse.predictions import collect, strangers

Measured = dict[Kind, list[Measurement]]
HALF = 0.5  # where a score changes from one class to the other


def measure_counted(
    monitor: Monitor,
    window: Window,
    resources: Resources,
    folder: Path,
    *,
    as_of: datetime,
    expected: Callable[..., float | None],
) -> tuple[int, Measured]:
    """Count a window in the warehouse; return its requests and the numbers that need no labels.

    What only rows can tell is not evaluated and says so or, with `source.allow_rows`, is told by rows that are read.
    """
    engine = resources.warehouse(monitor.source.connection)
    baseline = baseline_for(monitor, window, resources, as_of=as_of)
    with counting(engine, monitor, window) as counted:
        n = counted.n
        found = _counted(counted, monitor, window, baseline, resources, expected(n=n))
    found[Kind.KPI] = kpis_of_run(monitor, window, None, resources, as_of=as_of)
    by_rows = _off(monitor, n, baseline) if monitor.source.rows_stay else None
    if by_rows is None:
        with collect(engine, monitor, window, folder=folder, pii_key=resources.pii_key) as rows:
            guessed = estimated(rows, monitor, baseline) if baseline else []
            by_rows = score_mistaken(rows, monitor) + suite_of(monitor, window, rows, resources), guessed
    found[Kind.QUALITY] += by_rows[0]
    found[Kind.ESTIMATE] = by_rows[1]
    return n, found


def _counted(
    counted: CountedRows,
    monitor: Monitor,
    window: Window,
    baseline: Baseline | None,
    resources: Resources,
    expected: float | None,
) -> Measured:
    control = control_of(baseline) if baseline else UNKNOWN
    groups, owed = counted_groups(counted, monitor), owing(counted, monitor)
    asked = _Columns(counted, monitor, groups, baseline, owed)
    columns = asked.every()
    others = cache(partial(strangers, resources.warehouse(monitor.source.connection), monitor, window))
    drifted: list[Measurement] = []
    profiled: list[Measurement] = []
    if baseline:
        undecided = overlap(monitor, window)
        drifted, profiled = counted_drift(columns, asked.why_not, groups, monitor, baseline, undecided=undecided)
        drifted += counted_outputs(columns, groups, monitor, baseline)
        versions = [one.group.model_version for one in groups if one.group.model_version]
        drifted.append(aged(versions, monitor, window, baseline))
        drifted += mean_control(drifted, control)
    return {
        Kind.OPERATIONS: counted_operations(
            counted, groups, monitor, window, owed=owed, expected_volume=expected, control=control
        ),
        Kind.QUALITY: counted_quality(
            counted, columns, partial(norm_of, baseline), monitor, control=control, strangers=others
        ),
        Kind.DRIFT: drifted,
        Kind.PROFILE: profiled,
    }


@dataclass(frozen=True)
class _Columns:
    """The columns of a window that are watched, each of which is asked for once."""

    counted: CountedRows
    monitor: Monitor
    groups: Sequence[CountedGroup]
    baseline: Baseline | None
    owed: Sequence[Scalar] | None

    @property
    def why_not(self) -> Mapping[str, str]:
        """Why columns are not counted."""
        found = ((name, self._fault(name, numeric)) for name, _, numeric in roles(self.monitor))
        return {name: fault for name, fault in found if fault}

    def every(self) -> dict[str, CountedColumn]:
        """Count all that can be."""
        refused = self.why_not
        there = [column for column in roles(self.monitor) if column[0] not in refused]
        found: dict[str, CountedColumn] = {}
        for owed, some in (
            (None, [column for column in there if column[1] == "feature"]),
            (self.owed, [column for column in there if column[1] != "feature"]),
        ):
            cuts = {name: self._cuts(name, role) for name, role, numeric in some if numeric}
            found |= counted_numbers(self.counted, cuts, self.groups, owed=owed)
            found |= {name: self._texts(name, owed) for name, _, numeric in some if not numeric}
        return {name: found[name] for name, _, _ in there}

    def _fault(self, name: str, numeric: bool) -> str:
        if name not in self.counted.schema.names:
            return f"the window has no column {name!r}"
        if name in self.monitor.pii.hash:
            return HASHED
        kind = self.counted.schema.field(name).type
        is_number = pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)
        return "" if is_number or not numeric else f"in this window: values of type {kind} are not counted as numbers"

    def _texts(self, name: str, owed: Sequence[Scalar] | None) -> CountedColumn:
        known = self.baseline.column(name) if self.baseline else None
        texts = known.bins.texts if isinstance(known, CategoryBaseline) else ()
        like = known.type if known else ""
        return counted_texts(self.counted, name, self.groups, like=like, known=texts, owed=owed)

    def _cuts(self, name: str, role: Role) -> Cuts:
        cuts = frozen_cuts(self.baseline, name) if self.baseline else {}
        norm: Norm | None = norm_of(self.baseline, name)
        cuts[""] = [*cuts.get("", []), *quality_cuts(Expected(name, role, True, norm))]
        if role == "score":  # whose confidence is told of segments that are new, too
            segments = {one.group.segment for one in self.groups}
            cuts = {segment: [*cuts.get(segment, ()), 0.0, HALF, 1.0 + 2.0**-52] for segment in segments}
        return cuts


def _off(monitor: Monitor, n: int, baseline: Baseline | None) -> tuple[list[Measurement], list[Measurement]]:
    """Return what only rows can tell as not evaluated: of quality, and of the estimates."""
    source, checked, guessed = monitor.source.predictions, [], []
    if source.score and monitor.model.task != "regression":
        feature = source.score if isinstance(source.score, str) else ""
        checked.append(Measurement(METRIC, None, n, feature=feature, note=TOLD_BY_ROWS))
    if monitor.quality is not None:
        checked.append(Measurement("expectations_failed", None, n, note=f"the suite {TOLD_BY_ROWS}"))
    if baseline and (calibration_of(baseline).blocks or monitor.source.labels):
        guessed = [Measurement(name, None, n, note=TOLD_BY_ROWS) for name in METRICS[monitor.model.task]]
    return checked, guessed
