"""A store for `make readers`: late labels, revisions, an empty window, folds beside their sources; and the truth.

`python -m benchmarks.readers_store FOLDER` writes `snapshots/` and, by `read_snapshots`, `newest.parquet`.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hindsight.pipeline import read_snapshots
from hindsight.snapshots.compaction import fold, heaps
from hindsight.snapshots.names import SPANS
from hindsight.snapshots.store import SnapshotStore
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.windows import Window

START, HOUR, DAY = datetime(2026, 7, 1, tzinfo=UTC), timedelta(hours=1), timedelta(days=1)
WINDOWS = 80 * 24
MONITORS = ("churn", "credit")


def fill(store: SnapshotStore) -> None:
    """Write hourly windows known twice, some of them revised, some measured with nothing to say the second time."""
    for number in range(0, WINDOWS, 7):
        window = Window(START + number * HOUR, START + (number + 1) * HOUR)
        for monitor in MONITORS:
            facts = [Measurement("accuracy", number / 7, 9, note="" if number % 2 else "few"), Measurement("f1", None)]
            store.write(monitor, Kind.PERFORMANCE, window, window.end, facts)
            again = [] if number % 5 == 0 else [Measurement("accuracy", -float(number), 12)]
            store.write(monitor, Kind.PERFORMANCE, window, window.end + 3 * DAY, again)
            if number % 3 == 0:
                store.write(monitor, Kind.PERFORMANCE, window, window.end + 3 * DAY, [Measurement("accuracy", 0.5, 12)])
                for value in range(10 * (number == 21)):  # r10 sorts before r2 as text
                    store.write(monitor, Kind.DRIFT, window, window.end, [Measurement("psi", value / 10, 3)])


def fold_most(store: SnapshotStore) -> None:
    """Fold what is closed half-way through, and again later: the last folds lie beside what they were made of."""
    for now in (START + 45 * DAY, START + 70 * DAY):
        for monitor in MONITORS:
            for kind in (Kind.PERFORMANCE, Kind.DRIFT):
                for span in SPANS:
                    for heap in heaps(store.names(monitor, [kind]), span, now=now):
                        fold(store, heap, now=now)


def main() -> None:
    """Fill, fold, write down what our own reader says."""
    folder = Path(sys.argv[1])
    store = SnapshotStore(str(folder))
    fill(store)
    fold_most(store)
    frames = [read_snapshots(monitor, data=str(folder)) for monitor in MONITORS]
    import pandas as pd

    pd.concat(frames).drop(columns="date").to_parquet(folder / "newest.parquet", index=False)


if __name__ == "__main__":
    main()
