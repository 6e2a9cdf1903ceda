"""The frozen reference: stored and loaded whole, the same for the same rows, tolerant of every column."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hindsight.checks.reference import fitting
from hindsight.checks.reference.baseline import Baseline, fit
from hindsight.checks.reference.columns import CategoryBaseline, NumericBaseline, sample_of
from hindsight.checks.reference.thresholds import blocks
from hindsight.checks.values.samples import Numbers, Texts
from hindsight.errors import DataError
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.rows import TableRows
from tests.builders import a_monitor, at

GENERATOR = np.random.default_rng(11)
N = 400


def reference(n: int = N, **changes: Any) -> pa.Table:
    columns: dict[str, Any] = {
        "amount": GENERATOR.normal(size=n),
        "region": np.array(["EU", "US"])[GENERATOR.integers(0, 2, n)],
        "prediction": GENERATOR.integers(0, 2, n),
        "score": GENERATOR.random(n),
    }
    return pa.table(columns | changes)


def fitted(table: pa.Table, monitor: Monitor | None = None, **rest: Any) -> Baseline:
    rows = TableRows(table)
    return fit(rows, monitor or a_monitor(), output=rows, fitted_as_of=at("2026-09-01"), **rest)


def test_a_baseline_survives_storage_in_parquet(tmp_path: Any) -> None:
    before = fitted(reference(), model_version="v1").measured({"accuracy": 0.9})
    for name, table in before.to_tables().items():
        pq.write_table(table, tmp_path / f"{name}.parquet")
    after = Baseline.from_tables(lambda name: pq.read_table(tmp_path / f"{name}.parquet"))
    assert (after.id, after.n, after.n_output, after.model_version) == (before.id, N, N, "v1")
    assert after.fitted_as_of == at("2026-09-01")
    assert after.performance == {"accuracy": 0.9}
    assert list(after.columns) == ["amount", "region", "prediction", "score"]
    assert list(after.segments) == ["region=EU", "region=US"]
    assert [table.equals(before.to_tables()[name]) for name, table in after.to_tables().items()] == [True] * 5


def test_values_are_loaded_only_when_asked_for() -> None:
    tables = fitted(reference()).to_tables()
    asked: list[str] = []

    def load(name: str) -> pa.Table:
        asked.append(name)
        return tables[name]

    baseline = Baseline.from_tables(load)
    assert asked == ["summary"]
    baseline.values("amount")
    assert asked == ["summary", "values__amount"]


def test_the_exact_values_of_all_rows_and_of_each_segment_are_kept() -> None:
    table = reference()
    baseline = fitted(table)
    amount, region = table["amount"].to_numpy(), table["region"].to_numpy()
    for segment, expected in (("", amount), ("region=EU", amount[region == "EU"])):
        column = baseline.column("amount", segment)
        assert isinstance(column, NumericBaseline)
        sample = sample_of(column, baseline.values("amount"))
        assert isinstance(sample, Numbers)
        assert sample.values.values.tolist() == np.sort(expected).tolist()
    column = baseline.column("region")
    assert isinstance(column, CategoryBaseline)
    sample = sample_of(column, baseline.values("region"))
    assert isinstance(sample, Texts)
    assert dict(zip(sample.values.texts, sample.values.counts.tolist(), strict=True)) == {
        "EU": int((region == "EU").sum()),
        "US": int((region == "US").sum()),
    }


def test_the_id_follows_the_content_not_the_order_of_rows() -> None:
    table = reference()
    auto = a_monitor(drift={"threshold": "auto"})
    stamped = table.append_column("predicted_at", pa.array([at("2026-08-01") + timedelta(hours=i) for i in range(N)]))
    for rows, monitor in ((table, a_monitor()), (table, auto), (stamped, auto)):
        turned = rows.take(GENERATOR.permutation(N))
        assert fitted(rows, monitor).id == fitted(turned, monitor).id
    assert fitted(table).id != fitted(reference()).id
    assert fitted(table).id.startswith("20260901T000000Z-")


def test_the_id_follows_what_the_labels_of_the_reference_say_and_the_tables_beside() -> None:
    baseline = fitted(reference())
    blocks = {"calibration": pa.table({"mean": [0.5]})}
    ids = {
        baseline.id,
        baseline.measured({"accuracy": 0.9}).id,
        baseline.measured({"accuracy": 0.8}).id,
        baseline.measured({"accuracy": 0.8}, blocks).id,
        baseline.measured({"accuracy": 0.8}, {"calibration": pa.table({"mean": [0.6]})}).id,
    }
    assert len(ids) == 5
    again = baseline.measured({"accuracy": 0.8}, blocks)
    assert again.id in ids
    assert again.load("calibration").to_pylist() == [{"mean": 0.5}]
    assert again.values("amount").equals(baseline.values("amount"))


def test_another_format_is_refused_with_what_to_do() -> None:
    tables = fitted(reference()).to_tables()
    with pytest.raises(DataError, match="refit"):
        Baseline.from_tables(lambda name: tables[name].replace_schema_metadata(None))


def test_a_refit_keeps_the_bins_of_an_earlier_baseline() -> None:
    first = fitted(reference())
    second = fitted(reference(amount=GENERATOR.normal(5, 2, N)), like=first)
    one, two = first.column("amount"), second.column("amount")
    assert isinstance(one, NumericBaseline)
    assert isinstance(two, NumericBaseline)
    assert one.bins.labels == two.bins.labels
    assert one.profile.counts.tolist() != two.profile.counts.tolist()


def test_output_columns_come_from_the_output_rows() -> None:
    table = reference()
    baseline = fit(TableRows(table), a_monitor(), output=TableRows(table.slice(0, 100)), fitted_as_of=at("2026-09-01"))
    sizes = {name: column.n for name, column in baseline.columns.items()}
    assert sizes == {"amount": N, "region": N, "prediction": 100, "score": 100}
    assert [column.role for column in baseline.columns.values()] == ["feature", "feature", "prediction", "score"]


def test_a_missing_or_unusable_column_is_skipped_with_the_reason() -> None:
    table = reference(amount=["a lot"] * N).drop_columns(["score"])
    baseline = fitted(table)
    assert baseline.skipped == {
        "amount": "in the reference: text that is not numbers",
        "score": "in the reference: no column 'score'",
    }
    assert Baseline.from_tables(baseline.to_tables().__getitem__).skipped == baseline.skipped


@pytest.mark.parametrize(
    "amount",
    [
        pa.nulls(N),
        pa.array([0.003467] * N),
        pa.array([float("inf"), float("-inf"), float("nan"), 1.7e308] * (N // 4)),
        pa.array([-1.7e308, 1.7e308] * (N // 2)),
        pa.array([True, None] * (N // 2)),
        pa.array([str(i) for i in range(N)]),
        pa.array([at("2026-09-01")] * N),
    ],
)
def test_any_numeric_column_can_be_frozen_and_stored(amount: pa.Array) -> None:
    baseline = fitted(reference(amount=amount), a_monitor(drift={"threshold": "auto"}))
    restored = Baseline.from_tables(baseline.to_tables().__getitem__)
    column, known = restored.column("amount"), baseline.column("amount")
    assert column is not None
    assert known is not None
    assert column.profile.counts.tolist() == known.profile.counts.tolist()
    assert column.profile.moments == known.profile.moments
    assert column.n == N


def test_of_more_categories_than_can_be_compared_only_their_number_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "MOST_CATEGORIES", 10)
    baseline = fitted(reference(region=[f"r{i}" for i in range(N)]))
    assert baseline.values("region").to_pylist() == [{"value": "<other>", "count": N}]


def test_an_empty_reference_is_a_baseline_of_nothing() -> None:
    baseline = fitted(reference().slice(0, 0), a_monitor(drift={"threshold": "auto"}))
    assert (baseline.n, dict(baseline.columns)) == (0, {})
    assert set(baseline.skipped.values()) == {"in the reference: no rows"}


def test_thresholds_are_learnt_from_the_windows_of_the_reference() -> None:
    n, days = 4000, 20
    day = np.arange(n) * days // n
    stamps = pa.array([at("2026-08-01") + timedelta(days=int(d), hours=1) for d in day])
    steady = reference(n, predicted_at=stamps)
    seasonal = reference(n, predicted_at=stamps, amount=GENERATOR.normal(size=n) + np.sin(day))
    auto = a_monitor(drift={"threshold": "auto"})
    calm, moving = (fitted(table, auto).column("amount") for table in (steady, seasonal))
    assert calm is not None
    assert moving is not None
    assert calm.threshold is not None
    assert moving.threshold is not None
    assert 0.02 <= calm.threshold < 0.2 < moving.threshold
    declared = fitted(steady).column("amount")
    assert declared is not None
    assert declared.threshold is None


def test_a_window_that_an_end_of_the_reference_cuts_is_not_compared() -> None:
    every_hour = [at("2026-08-01T12:00") + timedelta(hours=h) for h in range(24 * 11)]
    stamps = pa.array([*every_hour, None], pa.timestamp("us", "UTC"))
    monitor = a_monitor(drift={"threshold": "auto", "min_rows": 5})
    windows = blocks(TableRows(pa.table({"predicted_at": stamps})), monitor, None)
    assert windows is not None
    assert [list(windows).count(number) for number in range(-1, 10)] == [25, *[24] * 10]


def test_a_batch_of_one_moment_a_day_is_a_whole_window() -> None:
    stamps = pa.array([at("2026-08-01T02:00") + timedelta(days=n // 10) for n in range(100)])
    monitor = a_monitor(drift={"threshold": "auto", "min_rows": 5})
    windows = blocks(TableRows(pa.table({"predicted_at": stamps})), monitor, None)
    assert windows is not None
    assert windows.tolist() == [n // 10 for n in range(100)]


def test_a_learnt_threshold_is_never_under_its_floor() -> None:
    baseline = fitted(reference(20_000), a_monitor(drift={"threshold": "auto"}), window_rows=100_000)
    assert {column.threshold for column in baseline.columns.values()} == {0.02}
