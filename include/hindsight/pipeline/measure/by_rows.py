"""By rows: the numbers of a window that no counts can give: its suite, its estimates."""

from __future__ import annotations

from functools import partial

from hindsight.checks.estimate.estimate import estimate
from hindsight.checks.reference.baseline import Baseline
from hindsight.checks.suites.batches import Warehouse
from hindsight.checks.suites.expectations import suite_measurements
from hindsight.monitors.model import Monitor
from hindsight.pipeline.measure.baselines import calibration_of
from hindsight.pipeline.resources import Resources
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import Rows
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.dialects import dialect_of
from hindsight.warehouse.predictions import as_logged


def suite_of(monitor: Monitor, window: Window, rows: Rows, resources: Resources) -> list[Measurement]:
    """Run the monitor's suite on a window; nothing where it has none."""
    engine, root = resources.warehouse(monitor.source.connection), resources.settings.great_expectations
    warehouse = Warehouse(engine, partial(as_logged, engine, monitor, window), dialect_of(engine).times_are_text)
    return suite_measurements(monitor, window, root=root, warehouse=warehouse, rows=rows)


def estimated(rows: Rows, monitor: Monitor, baseline: Baseline) -> list[Measurement]:
    """Estimate the performance of a window; nothing for a model without any truth."""
    calibration = calibration_of(baseline)
    if not calibration.blocks and monitor.source.labels is None:
        return []
    return estimate(rows, monitor, calibration, reference=baseline.performance)
