"""Snapshots for tests: a few facts of one window, and a short way to write them and to read their values."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from hindsight.snapshots.store import SnapshotStore
from hindsight.vocabulary.measurement import Kind, Measurement
from tests.builders import a_measurement, a_window, at

WINDOW = a_window("2026-09-01")
FACTS = [
    a_measurement("psi", 0.2, 900, feature="amount", reference=0.01, lower=0.1, upper=0.3),
    a_measurement("psi", None, 0, feature="region", note="no rows"),
    a_measurement("psi", 0.1, 90, feature="amount", model_version="2", segment="region=EU"),
]


def write(
    store: SnapshotStore,
    *facts: Measurement,
    day: str = "2026-09-01",
    as_of: str = "2026-09-03",
    kind: Kind = Kind.DRIFT,
    monitor: str = "credit",
) -> Any:
    return store.write(monitor, kind, a_window(day), at(as_of), facts)


def values(table: pa.Table) -> list[float | None]:
    return list(table.column("value").to_pylist())
