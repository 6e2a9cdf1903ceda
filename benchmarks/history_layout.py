"""A long history for the benchmark: one real night's snapshots of a small monitor, repeated with other numbers.

What `run_window` and `revise_windows` wrote of one window is the pattern; each window of the history has its rows,
with its own times and values moved by noise. It is laid as the files a run writes, or folded as maintenance leaves it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.ledger.connect import open_engine
from hindsight.ledger.ledger import Ledger
from hindsight.monitors.model import Monitor
from hindsight.settings import Settings
from hindsight.snapshots.compaction import MOST_ROWS, fold, heaps
from hindsight.snapshots.folds import Snapshot, encode_fold
from hindsight.snapshots.names import SPANS, FoldName, SnapshotName, Span, begin_of
from hindsight.snapshots.parquet import encode
from hindsight.snapshots.store import SnapshotStore, facts_of
from hindsight.training.registry import Registry
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.windows import Window

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
END = datetime(2026, 9, 17, 17, 40, tzinfo=UTC)
ROWS = 400  # predictions in the window that is the pattern
_FILE: dict[str, Any] = {
    "name": "history",
    "model": {"name": "history", "task": "binary", "positive_label": 1},
    "source": {
        "predictions": {
            "table": "inference_log",
            **{name: name for name in ("id", "timestamp", "prediction", "score", "latency_ms", "status_code")},
        },
        "labels": {"table": "ground_truth", "id": "id", "label": "label", "arrived_at": "arrived_at"},
    },
    "labels": {"matures_after": "1d"},
}


@dataclass(frozen=True, slots=True)
class Pattern:
    """What one window leaves: rows by kind, and how long after its end they were known."""

    rows: dict[Kind, pa.Table]
    known: dict[Kind, timedelta]


def monitor_file(window: timedelta, features: int) -> dict[str, Any]:
    """Return the file of a monitor with so many numeric features and windows of this length."""
    names = {f"f{k}": "numeric" for k in range(features)}
    begin = begin_of("day", END - 3 * DAY)
    reference = {"start": begin.isoformat(), "end": (begin + DAY).isoformat()}
    size = f"{int(window / timedelta(minutes=1))}m"
    return _FILE | {"window": size, "features": names, "reference": reference}


def a_monitor(window: timedelta, features: int) -> Monitor:
    """Return that monitor."""
    return Monitor.model_validate(monitor_file(window, features))


def open_resources(folder: Path) -> pipeline.Resources:
    """Return the resources of a store and a ledger below a folder."""
    ledger = Ledger(open_engine(sa.make_url(f"sqlite:///{folder}/ledger.db")))
    ledger.create()
    url = sa.make_url(f"sqlite:///{folder}/warehouse.db")
    settings = Settings(folder, str(folder / "data"), folder / "monitors", folder)
    registry = Registry(ledger.engine)
    registry.create()
    return pipeline.Resources(settings, lambda _: url, ledger, registry)


def a_pattern(folder: Path, monitor: Monitor) -> Pattern:
    """Measure one window and its labels, and return what was written of it."""
    folder.mkdir()
    resources = open_resources(folder)
    _load(sa.create_engine(resources.warehouse_source("warehouse"), poolclass=sa.NullPool), monitor)
    window = monitor.grid.window_at(END - DAY)
    pipeline.run_window(monitor, window, resources)
    pipeline.revise_windows(monitor, [window], window.end + 2 * DAY, resources)
    resources.warehouse("warehouse").dispose()
    resources.ledger.engine.dispose()
    index = resources.store.index(monitor.name)
    found = {file.kind: resources.store.single(file)[1] for file in index.files if isinstance(file, SnapshotName)}
    return Pattern(found, {kind: table["as_of"][0].as_py() - window.end for kind, table in found.items()})


def lay(store: SnapshotStore, monitor: Monitor, pattern: Pattern, *, months: float, folded: bool) -> int:
    """Write the history that ends at END; return how many windows it has."""
    windows = int(months * 30.4375 * DAY / monitor.window)
    for kind in pattern.rows:
        for (span, begin), blocks in _spans(_days(monitor, pattern, kind, windows)):
            if folded and begin != begin_of("day", END):
                _write_fold(store, monitor, kind, span, begin, blocks)
            else:
                _write_files(store, blocks)
        for now in (END - HOUR, END) if folded else ():  # maintenance of the day that is not over
            for span in SPANS:
                for heap in heaps(store.names(monitor.name, [kind]), span, now=now):
                    fold(store, heap, now=now)
    return windows


def _load(engine: sa.Engine, monitor: Monitor) -> None:
    rng = np.random.default_rng(5)
    starts = [begin_of("day", END - 3 * DAY) + k * HOUR for k in range(24)] + [monitor.grid.window_at(END - DAY).start]
    rows = [
        {"id": f"{start:%d%H}-{k}", "timestamp": start + timedelta(seconds=k / 2), "prediction": int(k % 3 == 0)}
        | {"score": float(rng.uniform()), "latency_ms": float(rng.gamma(2, 30)), "status_code": 200}
        | {name: float(rng.normal()) for name in monitor.features}
        for start in starts
        for k in range(ROWS)
    ]
    metadata = sa.MetaData()
    kinds = {str: sa.Text, int: sa.Integer, float: sa.Double, datetime: sa.DateTime}
    log = sa.Table("inference_log", metadata, *(sa.Column(n, kinds[type(v)]) for n, v in rows[0].items()))
    columns = (sa.Column("id", sa.Text), sa.Column("label", sa.Integer), sa.Column("arrived_at", sa.DateTime))
    truth = sa.Table("ground_truth", metadata, *columns)
    labels = [{"id": r["id"], "label": int(rng.uniform() < 0.3), "arrived_at": _naive(r["timestamp"])} for r in rows]
    with engine.begin() as connection:
        metadata.create_all(connection)
        connection.execute(log.insert(), [row | {"timestamp": _naive(row["timestamp"])} for row in rows])
        connection.execute(truth.insert(), labels)


def _naive(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)


def _days(monitor: Monitor, pattern: Pattern, kind: Kind, windows: int) -> Iterator[tuple[list[Snapshot], pa.Table]]:
    """Yield the snapshots and rows of each day of the history, oldest first."""
    rng, table = np.random.default_rng(7), pattern.rows[kind]
    first = END - windows * monitor.window
    found: list[Window] = []
    for number in range(windows):
        start = first + number * monitor.window
        if found and start.date() != found[0].start.date():
            yield _block(monitor, kind, table, found, pattern.known[kind], rng)
            found = []
        found.append(Window(start, start + monitor.window))
    yield _block(monitor, kind, table, found, pattern.known[kind], rng)


def _block(
    monitor: Monitor, kind: Kind, table: pa.Table, windows: list[Window], known: timedelta, rng: np.random.Generator
) -> tuple[list[Snapshot], pa.Table]:
    """Return the rows of a pattern once for each window, with its times and with values of its own."""
    n = len(table)
    rows = pa.concat_tables([table] * len(windows))
    times = {
        "window_start": [window.start for window in windows],
        "window_end": [window.end for window in windows],
        "as_of": [window.end + known for window in windows],
    }
    of_window = pa.array(np.repeat(np.arange(len(windows)), n))
    for name, values in times.items():
        place = rows.schema.get_field_index(name)
        rows = rows.set_column(
            place, rows.schema.field(name), pa.array(values, rows.schema.field(name).type).take(of_window)
        )
    moved = _moved(rows["value"].to_numpy(zero_copy_only=False), rng)
    place = rows.schema.get_field_index("value")
    rows = rows.set_column(place, rows.schema.field("value"), pa.array(moved, pa.float64(), from_pandas=True))
    names = [SnapshotName(monitor.name, kind, window.start, window.end + known, 1) for window in windows]
    return [Snapshot(name, window.end, "") for name, window in zip(names, windows, strict=True)], rows


def _moved(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return counts drawn anew around what they were, and other numbers moved by a twentieth."""
    whole = (values >= 0) & (values == np.round(values))
    return np.where(whole, rng.poisson(np.where(whole, values, 0)), values * (1 + rng.normal(0, 0.05, len(values))))


Block = tuple[list[Snapshot], pa.Table]


def _spans(days: Iterator[Block]) -> Iterator[tuple[tuple[Span, datetime], list[Block]]]:
    """Yield the days that go into one fold: a month where it is over and small enough, else a day."""
    held: list[Block] = []
    for day in days:
        begin = day[0][0].name.start
        small = len(day[1]) * 31 <= MOST_ROWS and begin < begin_of("day", END - 2 * DAY)
        if held and (not small or begin_of("month", held[0][0][0].name.start) != begin_of("month", begin)):
            yield ("month", begin_of("month", held[0][0][0].name.start)), held
            held = []
        if small:
            held.append(day)
        else:
            yield ("day", begin_of("day", begin)), [day]
    if held:
        yield ("month", begin_of("month", held[0][0][0].name.start)), held


def _write_fold(
    store: SnapshotStore, monitor: Monitor, kind: Kind, span: Span, begin: datetime, blocks: list[Block]
) -> None:
    snapshots = [one for some, _ in blocks for one in some]
    moments = [one.name.as_of for one in snapshots]
    rows = sum(len(table) for _, table in blocks)
    ends = (snapshots[0].name.start, snapshots[-1].name.start, min(moments), max(moments))
    name = FoldName(monitor.name, kind, span, begin, *ends, rows, 1)
    store.files.put_new(name.path, encode_fold((hour for block in blocks for hour in _hours(block)), max(moments)))


def _hours(block: Block) -> Iterator[Block]:
    """Cut a day into its hours, as a fold is written."""
    snapshots, table = block
    n = len(table) // len(snapshots)
    begins = [begin_of("hour", one.name.start) for one in snapshots]
    cuts = [0, *(k for k in range(1, len(begins)) if begins[k] != begins[k - 1]), len(begins)]
    for first, last in pairwise(cuts):
        yield snapshots[first:last], table.slice(first * n, (last - first) * n)


def _write_files(store: SnapshotStore, blocks: list[Block]) -> None:
    for snapshots, table in blocks:
        n = len(table) // len(snapshots)
        for number, one in enumerate(snapshots):
            window = Window(one.name.start, one.end)
            store.files.put_new(
                one.name.path, encode(table.slice(number * n, n).combine_chunks(), facts_of(window, ""))
            )
