"""The frozen reference of a monitor: fitted when first needed, found by what it was fitted from, never changed."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import replace
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path

import pyarrow as pa

from hindsight.checks.drift.own_windows import own_windows
from hindsight.checks.drift.prior import VALUES, fit_labels
from hindsight.checks.estimate.calibration import Calibration, fit_calibration
from hindsight.checks.performance.performance import performance, reference_values
from hindsight.checks.reference.baseline import Baseline, fit
from hindsight.checks.reference.control import Control, fit_control
from hindsight.checks.reference.shelf import Tables
from hindsight.errors import ConfigError, Problem
from hindsight.monitors.model import Monitor
from hindsight.pipeline.measure.numbers import PAST, past_table
from hindsight.pipeline.measure.reference import read_reference
from hindsight.pipeline.resources import Resources
from hindsight.snapshots.baselines import BaselineFiles, Manifest
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.reference import SAMPLE

CONTROL = "control"
CALIBRATION, NO_LABELS = "calibration", "the reference has no matured labels to learn from"
ALWAYS = "0001-01-01T00:00:00+00:00"


def baseline_for(monitor: Monitor, window: Window, resources: Resources, *, as_of: datetime) -> Baseline | None:
    """Return what a window is compared with, as of a moment; None where the monitor declares no reference.

    A fixed reference is frozen once. If its labels had not matured by then it has no performance, and it is frozen
    again, once, when they have, for the windows and the version it was frozen for. A trailing one is fitted for each
    window, on the edges of the first. What has no rows yet is not frozen, but looked for again.
    """
    if monitor.reference is None:
        return None
    if monitor.reference.trailing is not None:
        return _trailing(monitor, window, resources)
    known = _newest(monitor, window, resources)
    if known is None:
        return freeze(monitor, resources, as_of=as_of)
    if known.pin["labels"] != "mature" and _mature(monitor, as_of):
        since = datetime.fromisoformat(known.pin["effective_from"])
        return freeze(monitor, resources, as_of=as_of, model_version=known.pin["model_version"], effective_from=since)
    baseline = _load(resources.baselines, monitor.name, known.id)
    return baseline if _mature(monitor, as_of) else _without_labels(baseline)


def freeze(
    monitor: Monitor,
    resources: Resources,
    *,
    as_of: datetime,
    model_version: str = "",
    effective_from: datetime | None = None,
) -> Baseline:
    """Fit the monitor's reference with the labels known at `as_of` and keep it for windows from `effective_from` on.

    A reference without rows is returned but not kept. Raises DataError where it lacks a declared feature that no
    earlier one had.
    """
    moment, since = min(as_of, matures_at(monitor) or as_of), _since(effective_from)
    baseline = _fit(monitor, resources, moment, like=_first(monitor, resources), version=model_version, since=since)
    return _keep(monitor, resources, baseline, as_of=as_of, since=since)


def _since(effective_from: datetime | None) -> str:
    return effective_from.isoformat() if effective_from else ALWAYS


def _keep(monitor: Monitor, resources: Resources, baseline: Baseline, *, as_of: datetime, since: str) -> Baseline:
    if not baseline.n:
        return baseline
    pin = {
        "fingerprint": fingerprint(monitor),
        "labels": "mature" if _mature(monitor, as_of) else "arriving",
        "effective_from": since,
        "model_version": baseline.model_version,
        **_counted(monitor),
    }
    tables = _tables(baseline, PAST)
    resources.baselines.write(monitor.name, baseline.id, tables, fitted_as_of=baseline.fitted_as_of, pin=pin)
    return _load(resources.baselines, monitor.name, baseline.id)


def refit(monitor: Monitor, resources: Resources, *, as_of: datetime) -> Baseline:
    """Freeze the reference as it is now for windows from `as_of` on; what is in force where nothing in it has changed.

    The first baseline of a reference is for all windows. Raises ConfigError without a reference or with a trailing one,
    and where another baseline already begins at the same moment.
    """
    if monitor.reference is None:
        raise ConfigError(Problem(f"monitor {monitor.name!r} declares no reference", field="reference"))
    if monitor.reference.trailing is not None:
        raise ConfigError(Problem("a trailing reference is fitted anew for every window", field="reference.trailing"))
    known = in_force(monitor, resources, as_of)
    if known is None:
        return freeze(monitor, resources, as_of=as_of)
    before = _load(resources.baselines, monitor.name, known.id)
    moment, version = min(as_of, matures_at(monitor) or as_of), known.pin["model_version"]
    since = _since(as_of)
    fitted = _fit(monitor, resources, moment, like=_first(monitor, resources), version=version, since=since)
    if _alike(before, fitted):
        return before
    frozen = _keep(monitor, resources, fitted, as_of=as_of, since=since)
    now = in_force(monitor, resources, as_of)
    if frozen.n and (now is None or now.id != frozen.id):
        raise ConfigError(f"another baseline of {monitor.name} begins at {as_of.isoformat()}; choose a later --as-of")
    return frozen


def in_force(monitor: Monitor, resources: Resources, moment: datetime) -> Manifest | None:
    """Return the baseline that a window starting at a moment is compared with, None where none is frozen yet."""
    return _newest(monitor, Window(moment, moment + monitor.window), resources)


def load(monitor: Monitor, resources: Resources, id: str) -> Baseline:
    """Return a baseline by its id; raise StoreError where there is none."""
    return _load(resources.baselines, monitor.name, id)


def _alike(one: Baseline, other: Baseline) -> bool:
    """Whether two baselines hold the same, whenever they were fitted."""
    if (one.n, one.performance, one.skipped) != (other.n, other.performance, other.skipped):
        return False
    ours, theirs = _tables(one), _tables(other)
    return ours.keys() == theirs.keys() and all(table.equals(theirs[name]) for name, table in ours.items())


def _without_labels(baseline: Baseline) -> Baseline:
    """Return the baseline as it was before its labels had matured: an old window rerun must not know more than then."""

    def load(name: str) -> pa.Table:
        return Calibration(note=NO_LABELS).to_table() if name == CALIBRATION else baseline.load(name)

    return replace(baseline, performance={}, labels={}, load=load)


def calibration_of(baseline: Baseline) -> Calibration:
    """Return what the reference's labels say a score or a prediction is worth."""
    return Calibration.from_table(baseline.load(CALIBRATION))


def control_of(baseline: Baseline) -> Control:
    """Return how much the reference's own windows vary."""
    return Control.from_table(baseline.load(CONTROL))


def manifests(monitor: Monitor, resources: Resources) -> list[Manifest]:
    """Return the manifests of the baselines fitted from the reference as the file declares it now, oldest first."""
    files = resources.baselines
    found = (files.manifest(monitor.name, id) for id in files.ids(monitor.name))
    return [manifest for manifest in found if manifest.pin.get("fingerprint") == fingerprint(monitor)]


def fingerprint(monitor: Monitor) -> str:
    """A hash of everything in the file that decides what a baseline holds; a change of it asks for a new one."""
    parts = monitor.model_dump(
        mode="json",
        include={"model", "source", "reference", "features", "segments", "drift", "pii"},
        exclude={
            "reference": {"max_age"},
            "features": {"__all__": {"importance", "clock"}},
            "source": {"allow_rows"} | ({"count_in"} if not monitor.source.counts else set()),
        },
    )
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def counted_otherwise(monitor: Monitor) -> Monitor:
    """Return the monitor with its windows counted where they are not now: in the warehouse, or by the worker."""
    elsewhere = monitor.source.model_copy(update={"count_in": "worker" if monitor.source.counts else "warehouse"})
    return monitor.model_copy(update={"source": elsewhere})


def _counted(monitor: Monitor) -> dict[str, str]:
    """What the manifest says of the way windows are counted; nothing where the worker does, as it always did."""
    return {"count_in": "warehouse", "fitted_from": f"at most {SAMPLE:,} rows"} if monitor.source.counts else {}


def matures_at(monitor: Monitor) -> datetime | None:
    """When the labels of a reference period are complete; None for a file, which holds all it will ever hold."""
    reference = monitor.reference
    return reference.end + monitor.labels.matures_after if reference and reference.end else None


def _mature(monitor: Monitor, as_of: datetime) -> bool:
    complete = matures_at(monitor)
    return complete is None or complete <= as_of


def _lags_enough(monitor: Monitor) -> bool:
    """Whether a trailing reference ends long enough ago for all its labels: the first ones are not like the rest."""
    reference = monitor.reference
    return reference is None or reference.trailing is None or reference.lag >= monitor.labels.matures_after


def _newest(monitor: Monitor, window: Window, resources: Resources) -> Manifest | None:
    fit_for = [
        m for m in manifests(monitor, resources) if datetime.fromisoformat(m.pin["effective_from"]) <= window.start
    ]
    return max(fit_for, key=lambda m: (m.pin["effective_from"], m.fitted_as_of), default=None)


def _first(monitor: Monitor, resources: Resources) -> Baseline | None:
    known = manifests(monitor, resources)
    return _load(resources.baselines, monitor.name, known[0].id) if known else None


def _trailing(monitor: Monitor, window: Window, resources: Resources) -> Baseline:
    first = _first(monitor, resources)
    baseline = _fit(monitor, resources, window.start, like=first)
    if first is not None or baseline.n < monitor.drift.min_rows:
        return baseline
    pin = {"fingerprint": fingerprint(monitor), "labels": "mature", "effective_from": ALWAYS, "model_version": ""}
    pin |= _counted(monitor)
    resources.baselines.write(monitor.name, baseline.id, _tables(baseline), fitted_as_of=baseline.fitted_as_of, pin=pin)
    return baseline


def _fit(
    monitor: Monitor,
    resources: Resources,
    as_of: datetime,
    *,
    like: Baseline | None,
    version: str = "",
    since: str = ALWAYS,
) -> Baseline:
    """Fit the reference; its id says too from when on it holds, for the same rows may be frozen for many times."""
    declared = fingerprint(monitor) if since == ALWAYS else f"{fingerprint(monitor)} {since}"
    with tempfile.TemporaryDirectory(prefix="hindsight-") as folder:
        needed = [name for name in monitor.features if like is None or name not in like.columns]
        rows = read_reference(monitor, resources, folder=Path(folder), as_of=as_of, needed=needed)
        baseline = fit(rows.rows, monitor, output=rows.output, fitted_as_of=as_of, model_version=version, like=like)
        labels = rows.labels if _mature(monitor, as_of) and _lags_enough(monitor) else None
        tables = {
            CALIBRATION: _calibration(monitor, labels).to_table(),
            CONTROL: fit_control(rows.rows, monitor).of_more_rows(rows.rows.every).to_table(),
            PAST: past_table(own_windows(rows.rows, monitor, baseline) if rows.rows.every == 1 else ()),
        }
        if labels is None:
            return baseline.measured({}, tables, declared=declared)
        truth, tables[VALUES] = fit_labels(labels, monitor, like)
        said = _performance(monitor, labels)
        return baseline.measured(said, tables, labels=truth, declared=declared)


def _tables(baseline: Baseline, *also: str) -> Tables:
    return baseline.to_tables(CALIBRATION, CONTROL, *([VALUES] if baseline.labels else []), *also)


def _performance(monitor: Monitor, labels: pa.Table) -> dict[str, float]:
    return reference_values(performance(labels, monitor, reference={})) if len(labels) else {}


def _calibration(monitor: Monitor, labels: pa.Table | None) -> Calibration:
    return Calibration(note=NO_LABELS) if labels is None else fit_calibration(labels, monitor)


@lru_cache(maxsize=32)
def _load(files: BaselineFiles, monitor: str, id: str) -> Baseline:
    return Baseline.from_tables(partial(files.table, monitor, id))
