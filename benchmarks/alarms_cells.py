"""Cells: what is simulated, each as blocks of windows that any process may draw in any order with the same outcome."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, Protocol
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import alarms_peers as peers
from benchmarks.alarms_draws import (
    ROWS_UP_TO,
    Change,
    Draw,
    Q,
    categorical,
    columns,
    counted_numeric,
    drifted,
    numeric,
    over_share,
    places,
)
from hindsight.checks.drift.drift import drift
from hindsight.checks.reference.baseline import fit
from hindsight.checks.reference.thresholds import FEWEST
from hindsight.checks.statistics.effects import benjamini_hochberg
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.rows import TableRows

SIZES = (100, 1_000, 10_000, 100_000)
CATEGORIES = (5, 50, 100)
PER_WINDOW = 20  # windows of the size of the window that a reference holds
FEW_ROWS = 1_000  # of the small references
FEATURES = (1, 10, 50)
PEER_COLUMNS = {100: 5_000, 1_000: 5_000, 10_000: 1_000, 100_000: 100}
CHANGES = (
    Change("shift 0.1", shift=0.1),
    Change("shift 0.25", shift=0.25),
    Change("shift 0.5", shift=0.5),
    Change("1 % nulls", nulls=0.01),
)
SWAP = Change("10 % swap", swap=0.1)
COMPANIONS = 9
CASES = {"elec2": (100, 1_000), "schema_break": (100, 1_000), "hotel_booking": (100, 1_000, 10_000)}
START = datetime(2026, 9, 1, tzinfo=UTC)

Key = tuple[str, str, str]  # features or change, rule, and what is counted: windows, alarms, or share alarms
Tally = Counter[Key]


class Cell(Protocol):
    """One set of windows drawn by one law; `block` draws some and counts their alarms, for the peers of the first."""

    @property
    def name(self) -> str: ...

    @property
    def peers(self) -> int:
        """How many windows of a full run the peers see too."""

    def block(self, rng: np.random.Generator, windows: int, peers: int) -> Tally: ...

    def about(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Null:
    """Windows in which nothing changed, of independent columns of one kind: `categories` of 0 is numeric.

    A block draws columns for windows with the most features; the same columns make the windows of fewer.
    """

    categories: int
    n: int
    m: int
    features: Sequence[int] = FEATURES

    @property
    def kind(self) -> str:
        return f"{self.categories} categories" if self.categories else "numeric"

    @property
    def name(self) -> str:
        group = "null" if self.m == PER_WINDOW * self.n else "small"
        return f"{group}/{self.kind.replace(' ', '-')}/n={self.n}"

    @property
    def peers(self) -> int:
        return PEER_COLUMNS[self.n] // max(self.features)

    def about(self) -> dict[str, Any]:
        drawn = "counts" if self.categories or self.n > ROWS_UP_TO else "rows"
        return {"kind": self.kind, "n": self.n, "reference": self.m, "drawn": drawn}

    def block(self, rng: np.random.Generator, windows: int, peers: int) -> Tally:
        tally: Tally = Counter()
        most = max(self.features)
        for window in range(windows):
            drawn = columns(rng, self.categories, self.n, self.m, most)
            for size in self.features:
                for start in places(most, size):
                    for mode, flags in drifted(drawn[start : start + size]).items():
                        _count(tally, size, mode, flags)
            if window < peers:
                _peers(tally, [_flags(draw, numeric=not self.categories) for draw in drawn], self.features)
        return tally


def _flags(draw: Draw, *, numeric: bool) -> dict[str, bool]:
    return peers.flags(*draw.rows(), numeric=numeric)


def _peers(tally: Tally, verdicts: Sequence[dict[str, bool]], features: Sequence[int]) -> None:
    for size in features:
        for start in places(len(verdicts), size):
            for rule in verdicts[0]:
                _count(tally, size, rule, [verdict[rule] for verdict in verdicts[start : start + size]])


def _count(tally: Tally, what: object, rule: str, flags: Sequence[bool]) -> None:
    tally[str(what), rule, "windows"] += 1
    tally[str(what), rule, "alarms"] += any(flags)
    tally[str(what), rule, "share_alarms"] += over_share(flags)


@dataclass(frozen=True, slots=True)
class Power:
    """Windows of ten features of which one changed; an alarm is a verdict on that one.

    Where numbers are counted rather than drawn as rows, the p-value of the changed one is an upper bound and its
    companions are no help to Benjamini and Hochberg: the power is then a lower bound.
    """

    n: int

    @property
    def name(self) -> str:
        return f"power/n={self.n}"

    @property
    def peers(self) -> int:
        return {100: 500, 1_000: 500, 10_000: 100, 100_000: 10}[self.n]

    @property
    def m(self) -> int:
        return PER_WINDOW * self.n

    def about(self) -> dict[str, Any]:
        return {"n": self.n, "reference": self.m, "drawn": "rows" if self.n <= ROWS_UP_TO else "counts"}

    def block(self, rng: np.random.Generator, windows: int, peers: int) -> Tally:
        tally: Tally = Counter()
        for window in range(windows):
            changed = [(change, draw, others) for change, draw, others in self._numeric(rng)]
            others = [categorical(rng, self.n, self.m, CATEGORIES[0]) for _ in range(COMPANIONS)]
            changed.append((SWAP, categorical(rng, self.n, self.m, CATEGORIES[0], SWAP), others))
            for change, draw, others in changed:
                for mode, flags in drifted([draw, *others]).items():
                    _count(tally, change.name, mode, flags[:1])
                if window < peers:
                    for rule, flag in _flags(draw, numeric=change is not SWAP).items():
                        _count(tally, change.name, rule, [flag])
        return tally

    def _numeric(self, rng: np.random.Generator) -> Iterator[tuple[Change, Draw, list[Draw]]]:
        if self.n > ROWS_UP_TO:
            still = [Draw(0.0, 1.0, float, lambda: (np.zeros(0), np.zeros(0)))] * COMPANIONS
            for change in CHANGES:
                yield change, counted_numeric(rng, self.n, self.m, change), still
            return
        others = columns(rng, 0, self.n, self.m, COMPANIONS)
        for change, draw in zip(CHANGES, numeric(rng, self.n, self.m, CHANGES), strict=True):
            yield change, draw, others


@dataclass(frozen=True, slots=True)
class Real:
    """Windows of real rows: of a case's reference n rows by lot, compared with others of it, no row in both.

    The whole of `baseline.fit` and `checks.drift` runs on them. Features depend on each other as they do in life.
    """

    case: str
    n: int

    @property
    def name(self) -> str:
        return f"real/{self.case}/n={self.n}"

    @property
    def peers(self) -> int:
        return {100: 200, 1_000: 50, 10_000: 20}[self.n]

    @property
    def m(self) -> int:
        return min(PER_WINDOW * self.n, int(_table(self.case)[0].num_rows) - self.n)

    def about(self) -> dict[str, Any]:
        return {"kind": self.case, "n": self.n, "reference": self.m, "drawn": "real rows"}

    def block(self, rng: np.random.Generator, windows: int, peers: int) -> Tally:
        table, kinds = _table(self.case)
        tally: Tally = Counter()
        for window in range(windows):
            order = rng.permutation(table.num_rows)
            reference, current = table.take(order[: self.m]), table.take(order[self.m : self.m + self.n])
            for mode, flags in verdicts(reference, current, kinds).items():
                _count(tally, len(kinds), mode, flags)
            if window < peers:
                rows = (_peer_rows(reference, current, name, kind == "numeric") for name, kind in kinds.items())
                _peers(tally, [_real_flags(*one) for one in rows], [len(kinds)])
        return tally


@lru_cache(maxsize=1)
def _table(case: str) -> tuple[pa.Table, dict[str, str]]:
    folder = Path(os.environ["HINDSIGHT_CASES"]) / case
    setup = json.loads((folder / "case.json").read_text())
    kinds = dict.fromkeys(setup["numeric"], "numeric") | dict.fromkeys(setup["categorical"], "categorical")
    return pq.read_table(folder / "reference.parquet", columns=list(kinds)).combine_chunks(), kinds


def verdicts(reference: pa.Table, window: pa.Table, kinds: dict[str, str]) -> dict[str, list[bool]]:
    """Return which features of a window drift, by Hindsight's own `fit` and `drift`, with both kinds of threshold.

    The threshold `auto` is only learnt where a feature is significant: without, nothing drifts whatever it is. Runs of
    as many rows as the window has are the reference's days, where it has eight of them; else it has no timestamps.
    """
    fixed, p_values = _measured(reference, window, _monitor(kinds, FIXED_FILE))
    if not any(benjamini_hochberg(p_values, Q)):
        return {"fixed": fixed, "auto": [False] * len(kinds)}
    days = np.arange(reference.num_rows) // window.num_rows
    if reference.num_rows // window.num_rows >= FEWEST:
        stamps = pa.array([START + timedelta(days=day) for day in days.tolist()], pa.timestamp("us", "UTC"))
        reference = reference.append_column("predicted_at", stamps)
    return {"fixed": fixed, "auto": _measured(reference, window, _monitor(kinds, {"threshold": "auto"}))[0]}


FIXED_FILE: dict[str, Any] = {}


def _measured(reference: pa.Table, window: pa.Table, monitor: Monitor) -> tuple[list[bool], list[float | None]]:
    rows = TableRows(reference)
    found, _ = drift(TableRows(window), monitor, fit(rows, monitor, output=rows, fitted_as_of=START))
    by_name = {(row.metric, row.feature): row.value for row in found}
    return (
        [bool(by_name["drifted", name]) for name in monitor.features],
        [by_name["p_value", name] for name in monitor.features],
    )


def _monitor(kinds: dict[str, str], settings: dict[str, Any]) -> Monitor:
    predictions = {"table": "t", "id": "id", "timestamp": "predicted_at", "prediction": "no_such_column"}
    file = {"name": "alarms", "model": {"name": "alarms", "task": "regression"}, "source": {"predictions": predictions}}
    return Monitor.model_validate(file | {"features": kinds, "drift": settings})


def _peer_rows(reference: pa.Table, window: pa.Table, name: str, numeric: bool) -> tuple[np.ndarray, np.ndarray, bool]:
    sides = (side.column(name).combine_chunks() for side in (reference, window))
    if numeric:
        before, now = (np.asarray(side.cast(pa.float64()).fill_null(np.nan)) for side in sides)
        return before, now, True
    both = pa.chunked_array(sides).dictionary_encode().combine_chunks()
    codes = both.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    before, now = codes[: len(reference)], codes[len(reference) :]
    return before[before >= 0], now[now >= 0], False


def _real_flags(before: np.ndarray, now: np.ndarray, numeric: bool) -> dict[str, bool]:
    return peers.flags(before, now, numeric=numeric)


def has_case(case: str) -> bool:
    """Whether HINDSIGHT_CASES names a folder that holds this case."""
    place = os.environ.get("HINDSIGHT_CASES", "")
    return bool(place) and (Path(place) / case / "case.json").exists()


def grid() -> list[Cell]:
    """Return every cell; those of real data only where HINDSIGHT_CASES says where they lie."""
    kinds = (0, *CATEGORIES)
    nulls = [Null(kind, n, PER_WINDOW * n) for n in reversed(SIZES) for kind in kinds]
    small = [Null(kind, n, FEW_ROWS, FEATURES[:2]) for n in (100, 1_000) for kind in kinds]
    real = [Real(case, n) for case, sizes in CASES.items() for n in sizes if has_case(case)]
    return list(chain(nulls, small, [Power(n) for n in SIZES], real))


def generator(seed: int, name: str, block: int) -> np.random.Generator:
    """Return the generator of one block: the same whichever process draws it, and whatever was drawn before."""
    return np.random.default_rng([seed, crc32(name.encode()), block])
