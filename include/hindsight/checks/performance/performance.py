"""Performance: how right the predictions of a window were, by the labels known so far.

Rows are put into an order of content first, so the order in which they arrive changes no digit of any number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa

from hindsight.checks.performance.fairness import gaps
from hindsight.checks.performance.outcomes import outcomes_of
from hindsight.checks.values.groups import SMALLEST, groups
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import TableRows


def performance(labelled: pa.Table, monitor: Monitor, *, reference: Mapping[str, float]) -> list[Measurement]:
    """Return the realised performance of scored rows: of all, of each version and of each segment value.

    `labelled` has one row per scored prediction, with columns prediction, score (score__<class> for many classes),
    label (null where none is known), model_version and the segment columns. Groups of fewer than 20 labelled rows get
    no number. `reference` holds the same numbers on the reference, as `reference_values` makes them.
    """
    outcomes = outcomes_of(labelled, monitor)
    found: list[Measurement] = []
    for group in groups(TableRows(outcomes.table), monitor):
        view = outcomes.of(group.mask)
        if (group.model_version or group.segment) and np.count_nonzero(view.known) < SMALLEST:
            continue
        found += (
            replace(
                m,
                model_version=group.model_version,
                segment=group.segment,
                reference=_reference(m, group.segment, reference),
            )
            for m in view.measure()
        )
    return found + gaps(found, monitor.segments)


def reference_values(measurements: Iterable[Measurement]) -> dict[str, float]:
    """Return the mapping that `performance` takes as reference: metric, or "<segment> <metric>", to value."""
    return {
        f"{m.segment} {m.metric}".lstrip(): m.value
        for m in measurements
        if m.value is not None and not m.bin and not m.feature and not m.model_version
    }


def _reference(measurement: Measurement, segment: str, reference: Mapping[str, float]) -> float | None:
    return None if measurement.bin else reference.get(f"{segment} {measurement.metric}".lstrip())
