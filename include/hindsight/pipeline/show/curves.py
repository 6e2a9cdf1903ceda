"""Gather the time series of a monitor's page: what is selected of the snapshots, and the charts made of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from hindsight.monitors.kpis import is_labelled_metric
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.reports.charts import Chart, Line, Mark, Point, Unit
from hindsight.reports.heat import Drift
from hindsight.reports.selection import Choices, Selection
from hindsight.vocabulary.measurement import Kind

CHARTED = 90  # windows on each chart where no range is asked for
MOST_OF_DRIFT = 200  # windows whose drift is read; of more, every second, third, … one
_KINDS = (Kind.OPERATIONS, Kind.ESTIMATE, Kind.PERFORMANCE, Kind.LABELS, Kind.KPI)
_UNITS: dict[str, Unit] = {"total_requests": "count", "rows_raw": "count", "n_labeled": "count", "freshness_s": "s"}
_SHARES = ("rate", "share", "accuracy", "f1", "coverage", "precision", "recall", "_left")
_ORDER = "window_start"
_SOME = "One window in {} is read here; choose a shorter range to see all."
_WHOLE = ("model_version", "segment", "feature", "bin")
_Wanted = tuple[str, str, str, tuple[tuple[str, str], ...]]  # metric, title, name of its line, other lines
_SERVICE: tuple[_Wanted, ...] = (
    ("drift.drift_share", "drift share", "", ()),
    ("operations.total_requests", "total requests", "requests", (("expected", "operations.expected_requests"),)),
    (
        "operations.latency_p95_ms",
        "latency",
        "p95",
        (("p50", "operations.latency_p50_ms"), ("p99", "operations.latency_p99_ms")),
    ),
    ("operations.error_rate", "error rate", "", ()),
    ("operations.cost_per_prediction", "cost per prediction", "", ()),
    ("operations.freshness_s", "freshness", "", ()),
)
_OF_FEATURES = ("drift.psi", "drift.js_distance", "quality.null_rate", "quality.new_category_share")


def unit_of(metric: str) -> Unit:
    """Return how a metric of this name is written: a count, a share of one, milliseconds, seconds or a bare number."""
    if metric in _UNITS:
        return _UNITS[metric]
    if metric.endswith("_ms"):
        return "ms"
    return "share" if metric.endswith(_SHARES) else "number"


def history(monitor: Monitor, resources: Resources, newest: datetime | None, selection: Selection) -> pa.Table:
    """Return the numbers of the windows selected, oldest first, of all versions, segments and features.

    Of more windows than MOST_OF_DRIFT the drift of some is left out; every other number is there.
    """
    start, end = selection.bounds(newest, monitor.window, CHARTED) if newest else (None, None)
    of_features = [Kind.DRIFT, *([Kind.QUALITY] if selection.feature else [])]
    if start and newest and newest - start < MOST_OF_DRIFT * monitor.window:
        return resources.store.read(monitor.name, kinds=[*_KINDS, *of_features], start=start, end=end).sort_by(_ORDER)
    known = resources.store.read(monitor.name, kinds=_KINDS, start=start, end=end)
    starts = sorted(pc.unique(known["window_start"]).to_pylist())
    some = starts[:: -step_of(len(starts))] if len(starts) > MOST_OF_DRIFT else None
    drift = resources.store.read(monitor.name, kinds=of_features, start=start, end=end, windows=some)
    return pa.concat_tables([known, drift]).sort_by(_ORDER)


def step_of(windows: int) -> int:
    """Return that of so many windows every how many-th has its drift read."""
    return -(-windows // MOST_OF_DRIFT)


def choices(monitor: Monitor, table: pa.Table) -> Choices:
    """Return what can be selected in these numbers."""
    found = (sorted(filter(None, pc.unique(table[name]).to_pylist())) for name in ("model_version", "segment"))
    versions, segments = map(tuple, found)
    features = sorted({*monitor.features, *filter(None, pc.unique(table["feature"]).to_pylist())})
    return Choices(versions, segments, tuple(features))


def of_rows(table: pa.Table, version: str = "", segment: str = "", feature: str = "") -> pa.Table:
    """Keep the numbers about these rows: of all of them, of a version, of a segment, of a column."""
    keep = pc.equal(table["bin"], "")
    for column, value in zip(_WHOLE, (version, segment, feature), strict=False):
        keep = pc.and_(keep, pc.equal(table[column], value))
    return table.filter(keep)


def points(table: pa.Table, metric: str, immature: Iterable[datetime] = ()) -> tuple[Point, ...]:
    """Return the series of a metric as rules name it, oldest window first."""
    kind, _, name = metric.partition(".")
    rows = table.filter(pc.and_(pc.equal(table["metric"], name), pc.equal(table["kind"], kind)))
    hollow, starts = set(immature), _moments(rows)
    columns = (rows[name].to_pylist() for name in ("value", "lower", "upper", "note", "n"))
    return tuple(
        Point(start, value, lower, upper, start in hollow, note, n)
        for start, value, lower, upper, note, n in zip(starts, *columns, strict=True)
    )


def charts(monitor: Monitor, table: pa.Table, marks: Sequence[Mark], selection: Selection) -> Iterator[Chart]:
    """Yield the charts of what is selected: quality beside what is expected, KPIs, service, the feature asked for."""
    rows = of_rows(table, selection.version, selection.segment)
    limits = {rule.metric: rule.below if rule.above is None else rule.above for rule in monitor.rules}
    said = _SOME.format(every) if (every := step_of(len(pc.unique(table["window_start"])))) > 1 else ""
    immature = {point.start for point in points(of_rows(table), "labels.mature") if not point.value}
    for metric, title, name, more in _wanted(monitor):
        waits = metric.startswith("performance.") or is_labelled_metric(monitor, metric)
        first = points(rows, metric, immature if waits else ())
        others = tuple(Line(one, found) for one, path in more if _any(found := points(rows, path)))
        if first:
            unit = unit_of(metric.partition(".")[2])
            note = said if metric.startswith("drift.") else ""
            yield Chart(title, unit, first, limits.get(metric), tuple(marks), metric, name, others, note)
    yield from _of_feature(of_rows(table, selection.version, selection.segment, selection.feature), marks, selection)


def _wanted(monitor: Monitor) -> Iterator[_Wanted]:
    quality = "mae" if monitor.model.task == "regression" else "accuracy"
    yield f"performance.{quality}", quality, "measured", (("expected", f"estimate.{quality}"),)
    yield "performance.ece", "calibration error", "", ()
    yield "labels.coverage", "labels coverage", "", ()
    yield from ((f"kpi.{name}", name.replace("_", " "), "", ()) for name in monitor.kpis)
    yield from _SERVICE


def _any(found: Iterable[Point]) -> bool:
    return any(point.value is not None for point in found)


def _of_feature(rows: pa.Table, marks: Sequence[Mark], selection: Selection) -> Iterator[Chart]:
    for metric in _OF_FEATURES if selection.feature else ():
        name = metric.partition(".")[2]
        if found := points(rows, metric):
            title = f"{selection.feature}: {name.replace('_', ' ')}"
            yield Chart(title, unit_of(name), found, marks=tuple(marks), key=metric)


def drift_of(table: pa.Table, selection: Selection) -> Iterator[Drift]:
    """Yield how far each feature lay from its reference in each window, of the rows selected."""
    is_told = pc.is_in(table["metric"], pa.array(["psi", "drifted"]))
    rows = table.filter(pc.and_(pc.equal(table["kind"], Kind.DRIFT), is_told))
    for column, value in (("model_version", selection.version), ("segment", selection.segment), ("bin", "")):
        rows = rows.filter(pc.equal(rows[column], value))
    starts, features, metrics = _moments(rows), rows["feature"].to_pylist(), rows["metric"].to_pylist()
    values = dict(zip(zip(metrics, features, starts, strict=True), rows["value"].to_pylist(), strict=True))
    for (metric, feature, start), value in values.items():
        if metric == "psi":
            yield Drift(feature, start, value, bool(values.get(("drifted", feature, start))))


def _moments(rows: pa.Table) -> list[datetime]:
    """The start of each row's window; each moment is made once, for making them is what takes long."""
    coded = pc.dictionary_encode(rows["window_start"].combine_chunks())
    known = coded.dictionary.to_pylist()
    return [known[place] for place in coded.indices.to_numpy()]
