"""Age: how long before a window the reference ends, and whether it still speaks of the same model."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hindsight.checks.reference.baseline import Baseline
from hindsight.checks.values.groups import groups
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import Rows
from hindsight.vocabulary.windows import Window

DAY = timedelta(days=1)
OVERLAP = "the window is part of the reference"


def overlap(monitor: Monitor, window: Window) -> str:
    """Return why a window must not be judged against the reference: rows of it are in there. "" where none are."""
    reference = monitor.reference
    if reference is None or reference.start is None or reference.end is None:
        return ""
    return OVERLAP if window.start < reference.end and reference.start < window.end else ""


def age(rows: Rows, monitor: Monitor, window: Window, baseline: Baseline) -> Measurement:
    """Return `aged` of the versions in these rows."""
    versions = [group.model_version for group in groups(rows, monitor) if group.model_version]
    return aged(versions, monitor, window, baseline)


def aged(versions: Sequence[str], monitor: Monitor, window: Window, baseline: Baseline) -> Measurement:
    """Return `reference_age_days`, from the newest row of the reference to the start of the window.

    `note` says where it is older than `reference.max_age` or holds nothing of a model version that the window has.
    """
    days = None if baseline.newest is None else (window.start - baseline.newest) / DAY
    nothing = "the rows of the reference have no time" if baseline.n else "the reference has no rows to compare with"
    notes = [] if days is not None else [nothing]
    limit = monitor.reference.max_age / DAY if monitor.reference else None
    if days is not None and limit is not None and days > limit:
        notes.append(f"the reference is {days:,.0f} days older than the window, reference.max_age is {limit:,.0f}")
    if unknown := _unknown_versions(versions, baseline):
        notes.append(f"the reference holds nothing of version {', '.join(unknown)}")
    return Measurement("reference_age_days", days, baseline.n, note="; ".join(notes))


def _unknown_versions(found: Sequence[str], baseline: Baseline) -> list[str]:
    """The versions of the window that the reference neither holds nor is pinned to."""
    known = {*baseline.versions, baseline.model_version}
    return [version for version in found if version not in known] if baseline.versions else []
