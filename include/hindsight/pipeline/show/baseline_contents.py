"""Frozen: what the baselines of a monitor hold, for a person or a machine to read; and a new one on demand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

import numpy as np

from hindsight.checks.reference.columns import AnyColumn, CategoryBaseline, NumericBaseline
from hindsight.monitors.model import Monitor
from hindsight.pipeline.measure import baselines
from hindsight.pipeline.resources import Resources
from hindsight.snapshots.baselines import Manifest
from hindsight.vocabulary.windows import format_duration

TOP = 5
LOWEST = datetime.fromisoformat(baselines.ALWAYS)


@dataclass(frozen=True, slots=True)
class Held:
    """What is frozen of one column: of numbers how many bins, and which values have one of their own; of texts the
    most frequent with their shares. `threshold` is the drift it takes where it was learnt, `note` what is odd."""

    name: str
    role: str
    type: str
    rows: int
    null_share: float
    bins: int
    point_masses: tuple[float, ...] = ()
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    std: float | None = None
    top: tuple[tuple[str, float], ...] = ()
    threshold: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """One baseline on disk; `effective_from` None is from the beginning; `is_declared`: the file still asks for it."""

    id: str
    fitted_as_of: datetime
    effective_from: datetime | None
    model_version: str
    labels: str
    is_declared: bool


@dataclass(frozen=True, slots=True)
class Frozen:
    """The baseline in force at a moment and all that are kept; `id` "" where there is none yet.

    `labels` says whether those of the reference had matured, `calibration` what they are worth or why there is nothing,
    `mistaken` why its scores are not what the file says,
    `changed` what of the file has changed where baselines are kept and none is for it as it is now,
    `age` how long before the moment the newest row of the reference was made, None where rows have no time.
    """

    monitor: str
    reference: str
    as_of: datetime
    id: str = ""
    fitted_as_of: datetime | None = None
    effective_from: datetime | None = None
    model_version: str = ""
    labels: str = ""
    rows: int = 0
    rows_output: int = 0
    age: timedelta | None = None
    columns: tuple[Held, ...] = ()
    segments: tuple[str, ...] = ()
    skipped: Mapping[str, str] | None = None
    performance: Mapping[str, float] | None = None
    calibration: str = ""
    mistaken: str = ""
    kept: tuple[Kept, ...] = ()
    changed: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON takes it, durations in seconds."""
        facts = asdict(self) | {"age_s": self.age.total_seconds() if self.age is not None else None}
        return {key: value for key, value in facts.items() if key != "age"}


@dataclass(frozen=True, slots=True)
class Refitted:
    """What came of freezing anew: the baseline in force before and after, the same where nothing had changed."""

    before: Frozen
    after: Frozen

    @property
    def changes(self) -> list[str]:
        """What is different, in a few words each."""
        return list(_changes(self.before, self.after)) if self.before.id != self.after.id else []

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON takes it."""
        return {"before": self.before.id, "after": self.after.id, "changes": self.changes} | self.after.to_dict()


def frozen(monitor: Monitor, resources: Resources, *, as_of: datetime) -> Frozen:
    """Return what a window that starts at `as_of` is compared with, and every baseline kept."""
    manifest = baselines.in_force(monitor, resources, as_of)
    kept = tuple(_all(monitor, resources))
    if manifest is None:
        return Frozen(monitor.name, _declared(monitor), as_of, kept=kept, changed=_changed(monitor, resources))
    held = baselines.load(monitor, resources, manifest.id)
    calibration = baselines.calibration_of(held)
    return Frozen(
        monitor=monitor.name,
        reference=_declared(monitor),
        as_of=as_of,
        id=held.id,
        fitted_as_of=held.fitted_as_of,
        effective_from=_from(manifest),
        model_version=held.model_version,
        labels=manifest.pin["labels"],
        rows=held.n,
        rows_output=held.n_output,
        age=None if held.newest is None else as_of - held.newest,
        columns=tuple(_held(column) for column in held.columns.values()),
        segments=tuple(held.segments),
        skipped=dict(held.skipped),
        performance=dict(held.performance),
        calibration=calibration.note or f"learnt from {calibration.n:,} labels",
        mistaken=held.mistaken,
        kept=kept,
    )


def refit(monitor: Monitor, resources: Resources, *, as_of: datetime) -> Refitted:
    """Freeze the reference as it is now, for windows from `as_of` on; errors as for `baselines.refit`."""
    before = frozen(monitor, resources, as_of=as_of)
    baselines.refit(monitor, resources, as_of=as_of)
    return Refitted(before, frozen(monitor, resources, as_of=as_of))


def _changed(monitor: Monitor, resources: Resources) -> str:
    if not resources.baselines.ids(monitor.name):
        return ""
    if baselines.manifests(baselines.counted_otherwise(monitor), resources):
        return "the way windows are counted (source.count_in)"
    return "the file's reference"


def _all(monitor: Monitor, resources: Resources) -> Iterator[Kept]:
    declared = baselines.fingerprint(monitor)
    for id in resources.baselines.ids(monitor.name):
        manifest = resources.baselines.manifest(monitor.name, id)
        pin = manifest.pin
        yield Kept(
            id,
            manifest.fitted_as_of,
            _from(manifest),
            pin.get("model_version", ""),
            pin.get("labels", ""),
            pin.get("fingerprint") == declared,
        )


def _from(manifest: Manifest) -> datetime | None:
    moment = datetime.fromisoformat(manifest.pin.get("effective_from", baselines.ALWAYS))
    return None if moment == LOWEST else moment


def _declared(monitor: Monitor) -> str:
    reference = monitor.reference
    if reference is None:
        return ""
    if reference.parquet is not None:
        return reference.parquet
    if reference.trailing is not None:
        span, lag = format_duration(reference.trailing), format_duration(reference.lag)
        return f"the {span} that end {lag} before each window; shown is the first, which gave the bins"
    return f"{reference.start:%Y-%m-%d %H:%M} to {reference.end:%Y-%m-%d %H:%M}"


def _held(column: AnyColumn) -> Held:
    profile = column.profile
    share = profile.nulls / profile.n if profile.n else 0.0
    known: dict[str, Any] = {"rows": profile.n, "null_share": share, "threshold": column.threshold}
    if isinstance(column, NumericBaseline):
        return Held(column.name, column.role, column.type, bins=len(profile.labels) - 1, **known, **_numbers(column))
    return Held(column.name, column.role, column.type, bins=len(profile.labels) - 1, **known, **_texts(column))


def _numbers(column: NumericBaseline) -> dict[str, Any]:
    edges, ends, moments = column.bins.edges, column.profile.range, column.profile.moments
    masses = tuple(edges[:-1][edges[1:] == np.nextafter(edges[:-1], np.inf)].tolist())
    if ends is None or moments is None:
        return {"note": "null in every row" if column.profile.n == column.profile.nulls else "no finite value"}
    known = {"mean": moments.mean, "std": moments.std, "low": ends[0], "high": ends[1]}
    finite = {name: value if isfinite(value) else None for name, value in known.items()}
    return {"point_masses": masses, "note": "constant" if ends[0] == ends[1] else "", **finite}


def _texts(column: CategoryBaseline) -> dict[str, Any]:
    profile = column.profile
    counts = zip(column.bins.texts, profile.counts.tolist(), strict=False)
    top = tuple((text, count / profile.n) for text, count in counts if profile.n)[:TOP]
    few = len(column.bins.texts)
    empty = "null in every row" if profile.n == profile.nulls else "too many values to tell apart" if not few else ""
    return {"top": top, "note": empty or ("constant" if few == 1 and not profile.counts[-2] else "")}


def _changes(before: Frozen, after: Frozen) -> Iterator[str]:
    if not before.id:
        return
    if before.rows != after.rows:
        yield f"{before.rows:,} → {after.rows:,} rows"
    old, new = ({column.name: column for column in one.columns} for one in (before, after))
    differ = [name for name in new if name in old and new[name] != old[name]]
    for word, names in (
        ("changed", differ),
        ("added", [name for name in new if name not in old]),
        ("gone", [name for name in old if name not in new]),
    ):
        if names:
            yield f"{word}: {', '.join(names[:TOP])}{f' and {len(names) - TOP} more' if len(names) > TOP else ''}"
    if before.performance != after.performance:
        yield "performance of the reference"
