"""Read a monitor's reference rows, a relative path in its file being one below the root of the settings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.settings import Settings
from hindsight.warehouse.reference import ReferenceRows, collect_reference


def read_reference(
    monitor: Monitor, resources: Resources, *, folder: Path, as_of: datetime, needed: Sequence[str] = ()
) -> ReferenceRows:
    """Return the reference rows with the labels known at `as_of`; the caller closes them.

    Raises DataError where a column `needed` is not there.
    """
    return collect_reference(
        resources.warehouse(monitor.source.connection),
        located(monitor, resources.settings),
        folder=folder,
        pii_key=resources.pii_key,
        as_of=as_of,
        needed=needed,
    )


def located(monitor: Monitor, settings: Settings) -> Monitor:
    """Return the monitor with its reference file where it lies."""
    reference = monitor.reference
    if reference is None or reference.parquet is None or "://" in reference.parquet:
        return monitor
    place = str(settings.root / Path(reference.parquet).expanduser())
    return monitor.model_copy(update={"reference": reference.model_copy(update={"parquet": place})})
