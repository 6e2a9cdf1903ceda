"""Whatever a warehouse may hold has an outcome and a reason: no exception, no NaN, and the same bytes in any order."""

from __future__ import annotations

import json
import re
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from hindsight import pipeline
from hindsight.checks.drift.drift import drift
from hindsight.checks.reference.baseline import Baseline, fit
from hindsight.snapshots.store import SnapshotStore
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.rows import TableRows
from hindsight.warehouse.dialects import generic
from tests.builders import HOUR, a_monitor, a_window, at
from tests.pipeline.world import World, a_day, a_world

DAY = "2026-09-01"
N = 2000
RNG = np.random.default_rng(27)
NORMAL = pa.array(RNG.normal(100, 10, N))
WORDS = pa.array(np.array(["EU", "US", "AS"])[RNG.integers(0, 3, N)])
MANY = 200_000  # texts of which no two are equal

NULLS = pa.nulls(N, pa.float64())
INFINITE = pa.array([float("inf"), float("-inf"), float("nan"), 100.0] * (N // 4))
HUGE = pa.array([1e308, -1e308] * (N // 2))
FEW = pa.array([0, 1, 2, 3] * (N // 4))
NAMES = pa.array([f"customer-{i}" for i in range(MANY)])

# the declared type; the reference; the window; whether that is drift (None: not decided); what `note` of a metric says
ODD: dict[str, tuple[str, pa.Array, pa.Array, float | None, tuple[str, str]]] = {
    "all null, before and now": ("numeric", NULLS, NULLS, 0.0, ("ks", "the reference has no values")),
    "all null now": ("numeric", NORMAL, NULLS, 1.0, ("ks", "no values: all 2000 rows are null")),
    "all null before": ("numeric", NULLS, NORMAL, 1.0, ("ks", "the reference has no values")),
    "constant, unmoved": ("numeric", pa.array([7.0] * N), pa.array([7.0] * N), 0.0, ("psi", "")),
    "constant, moved": (
        "numeric",
        pa.array([7.0] * N),
        pa.array([8.0] * N),
        1.0,
        ("wasserstein_normed", "the reference has no spread to measure in"),
    ),
    "one row": ("numeric", NORMAL, pa.array([100.0]), None, ("drifted", "1 rows, fewer than drift.min_rows (30)")),
    "few values, unmoved": ("numeric", FEW, FEW, 0.0, ("psi", "")),
    "few values, one gone": ("numeric", FEW, pa.array([0, 1, 2, 2] * (N // 4)), 1.0, ("psi", "")),
    "booleans as numbers": ("numeric", pa.array([True, False] * (N // 2)), pa.array([True] * N), 1.0, ("psi", "")),
    "booleans as 0 and 1": (
        "categorical",
        pa.array([True, False] * (N // 2)),
        pa.array([1, 0] * (N // 2)),
        0.0,
        ("psi", ""),
    ),
    "times": ("numeric", pa.array([at(DAY)] * N), pa.array([at("2026-09-02")] * N), 1.0, ("psi", "")),
    "numbers as text": ("numeric", NORMAL, NORMAL.cast(pa.string()), 0.0, ("psi", "")),
    "text for numbers": ("numeric", NORMAL, WORDS, None, ("drifted", "in this window: text that is not numbers")),
    "text for numbers, before": (
        "numeric",
        WORDS,
        NORMAL,
        None,
        ("drifted", "in the reference: text that is not numbers"),
    ),
    "lists for numbers": (
        "numeric",
        NORMAL,
        pa.array([[1.0]] * N),
        None,
        ("drifted", "in this window: values of type"),
    ),
    "infinite and not a number, now": (
        "numeric",
        NORMAL,
        INFINITE,
        1.0,
        ("mean_shift", "1000 infinite values left out"),
    ),
    "infinite and not a number, before": (
        "numeric",
        INFINITE,
        NORMAL,
        1.0,
        ("mean_shift", "the reference has no spread"),
    ),
    "infinite, unmoved": ("numeric", INFINITE, INFINITE, 0.0, ("psi", "")),
    "too large to be added up": ("numeric", HUGE, HUGE, 0.0, ("mean_shift", "too large for a double")),
    "minus nought": ("numeric", pa.array([0.0] * N), pa.array([-0.0] * N), 0.0, ("psi", "")),
    "None is not the text None": (
        "categorical",
        pa.array(["None"] * N),
        pa.nulls(N, pa.string()),
        1.0,
        ("js_distance", "no values"),
    ),
    "two forms of one letter": ("categorical", pa.array(["\u00e9"] * N), pa.array(["e\u0301"] * N), 0.0, ("psi", "")),
    "a text of a megabyte": ("categorical", WORDS, pa.array(["x" * 2**20] * 40), 1.0, ("psi", "")),
    "a name in each row": ("categorical", NAMES, pa.array([f"other-{i}" for i in range(N)]), 0.0, ("psi", "")),
    "all names now": ("categorical", WORDS, pa.array([f"new-{i}" for i in range(N)]), 1.0, ("psi", "")),
    "bytes": ("categorical", pa.array([b"\x00\xff"] * N), pa.array([b"\x00\xff"] * N), 0.0, ("psi", "")),
}


@pytest.mark.parametrize("name", ODD)
def test_every_odd_column_can_be_frozen_and_compared_with_an_outcome_and_a_reason(name: str) -> None:
    kind, before, now, expected, (metric, note) = ODD[name]
    monitor = a_monitor(features={"odd": kind}, segments=[], drift={"threshold": 0.1})
    reference, window = (TableRows(pa.table({"odd": column})) for column in (before, now))
    fitted = fit(reference, monitor, output=reference, fitted_as_of=at(DAY))
    tables = fitted.to_tables()
    baseline = Baseline.from_tables(tables.__getitem__)
    drifts, profiles = drift(window, monitor, baseline)
    for m in (*drifts, *profiles):
        assert all(number is None or isfinite(number) for number in (m.value, m.lower, m.upper, m.reference)), m
        assert m.value is not None or m.note, m
    found = {m.metric: m for m in drifts if m.feature in ("odd", "")}
    assert found["drifted"].value == expected
    assert note in found[metric].note


def day_of(rng: np.random.Generator, n: int = 480) -> pa.Table:
    hour = np.arange(n) * 24 // n
    amount = rng.normal(100, 20, n).round(2)
    amount[rng.random(n) < 0.05] = np.nan
    region = rng.choice(["EU", "US", "AS", "new"], n)
    return pa.table({"amount": amount, "region": region, "hour": hour})


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_profiles_of_twenty_four_hours_add_up_to_that_of_the_day(seed: int) -> None:
    rng = np.random.default_rng(seed)
    monitor = a_monitor(segments=[])
    side = TableRows(day_of(rng, 2000))
    baseline = fit(side, monitor, output=side, fitted_as_of=at(DAY))
    day = day_of(rng)

    def profile(table: pa.Table) -> dict[tuple[str, str, str], float]:
        measured = drift(TableRows(table), monitor, baseline)[1]
        return {(m.metric, m.feature, m.bin): m.value for m in measured if m.value is not None}

    hours = [profile(day.filter(pa.array(np.equal(day["hour"], h)))) for h in range(24)]
    for place, whole in profile(day).items():
        parts = [hour[place] for hour in hours if place in hour]
        if place[0] in ("min", "max"):
            assert whole == (min if place[0] == "min" else max)(parts)
        elif place[0] in ("bin_sum", "sum_squares"):
            assert sum(parts) == pytest.approx(whole, rel=1e-12)
        else:
            assert sum(parts) == whole, place


def test_neither_the_order_of_rows_nor_the_size_of_batches_changes_a_byte(
    sqlite_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = ("2026-08-25", "2026-08-26", "2026-08-27", DAY)
    written = []
    for name, order, at_once in (("one", 1, 20_000), ("two", -1, 7)):
        monkeypatch.setattr(generic, "ROWS_AT_ONCE", at_once)
        (tmp_path / name).mkdir()
        url = sqlite_url.set(database=str(tmp_path / name / "warehouse.db"))
        with a_world(url, tmp_path / name, []) as world:
            for day in days:
                predictions, labels = a_day(day)
                world.insert("inference_log", predictions[::order]).insert("ground_truth", labels[::order])
            world.run(DAY)
            world.night("2026-09-05")
            root = Path(world.resources.settings.data)
            written.append({str(Path(path).relative_to(root)): data for path, data in world.files().items()})
    one, two = written
    assert one.keys() == two.keys()
    assert [path for path in one if one[path] != two[path]] == []


ODDITIES = [float("inf"), float("-inf"), float("nan"), None, 1e308, -1e308, -0.0, 5e-324]


def test_no_nan_and_no_infinity_reaches_a_snapshot_json_or_a_mail(sqlite_url: sa.URL, tmp_path: Path) -> None:
    def odd(i: int) -> float | None:
        return ODDITIES[i % len(ODDITIES)]

    columns: dict[str, Any] = dict.fromkeys(("amount", "score", "latency_ms"), odd)
    columns |= {
        "prediction": lambda i: None if i % 3 == 0 else i % 2,
        "region": lambda i: [None, "", "nan", "EU"][i % 4],
    }
    retold: dict[str, Any] = {"kpis": {"spent": {"sum": "amount"}}, "segments": ["region"]}
    with a_world(sqlite_url, tmp_path, **retold) as world:
        for day in (DAY, "2026-09-02"):
            world.log(day, **columns).run(day)
        world.declare(**retold, reference={"start": DAY, "end": "2026-09-02"})  # a reference of the same kind
        world.run("2026-09-02")
        world.night("2026-09-06")
        store = SnapshotStore(world.resources.settings.data)
        table = store.read("credit")
        for name in ("value", "lower", "upper", "reference"):
            numbers = [number for number in table.column(name).to_pylist() if number is not None]
            assert all(map(isfinite, numbers)), name
        unexplained = [r for r in table.to_pylist() if r["value"] is None and not r["note"]]
        assert unexplained == []
        shown = [pipeline.state_of(world.monitor, world.resources).to_dict()]
        shown += [story.to_dict() for story in pipeline.stories(world.monitor, world.resources)]
        json.loads(json.dumps(shown, allow_nan=False, default=str), parse_constant=pytest.fail)
        assert world.deliver(at("2026-09-06T01:00"))
        for mail in world.inbox.accepted:
            text = mail.get_body(("plain",)).get_content()
            assert not re.search(r"\b(nan|inf|infinity)\b", text, re.IGNORECASE), text


def test_a_window_of_one_row_is_not_judged_by_its_distribution(sqlite_url: sa.URL, tmp_path: Path) -> None:
    with a_world(sqlite_url, tmp_path) as world:
        world.log(DAY, n=1).run(DAY)
        notes = {m.note for m in world.measured(Kind.DRIFT, DAY) if m.metric == "drifted"}
        assert notes == {"1 rows, fewer than drift.min_rows (30)"}


def test_an_hour_is_compared_with_the_same_hour_of_the_same_weekday(sqlite_url: sa.URL, tmp_path: Path) -> None:
    """Amounts follow the hour: against the whole day the evening has drifted, against its own hour it has not."""

    def by_hour(day: str) -> Any:
        return lambda i: 100.0 + 60.0 * (i * 24 // 1200) + (i * 7919 % 50)

    def evening(world: World, **reference: Any) -> Measurement:
        window = a_window("2026-09-08T20:00", HOUR)
        world.declare(window="1h", drift={"min_rows": 10}, reference={"trailing": "14d"} | reference)
        pipeline.run_window(world.monitor, window, world.resources)
        measured = world.resources.store.measurements("credit", Kind.DRIFT, window)
        return next(
            m for m in measured if (m.metric, m.feature, m.segment, m.model_version) == ("drifted", "amount", "", "")
        )

    with a_world(sqlite_url, tmp_path, []) as world:
        for day in ("2026-08-25", "2026-09-01", "2026-09-07", "2026-09-08"):
            world.log(day, n=1200, amount=by_hour(day))
        assert evening(world).value == 1
        assert evening(world, same_weekday=True).value == 1
        assert evening(world, same_weekday=True, same_hour=True).value == 0
