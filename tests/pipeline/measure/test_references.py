"""The frozen reference through the public path: bad ones are refused or say so, and each version keeps its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from hindsight.errors import DataError, StoreError
from hindsight.pipeline.measure import baselines
from hindsight.pipeline.measure.baselines import baseline_for, freeze, manifests
from hindsight.verdicts.model import Status
from hindsight.vocabulary.measurement import Kind, Measurement
from tests.builders import a_window, at
from tests.pipeline.world import World, a_day, a_world, days

DAY = "2026-09-01"


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path) as made:
        yield made


def drift_of(world: World, day: str = DAY) -> dict[tuple[str, str], Measurement]:
    return {
        (m.metric, m.feature): m for m in world.measured(Kind.DRIFT, day) if not (m.segment or m.model_version or m.bin)
    }


def test_a_feature_the_reference_table_lacks_is_named_with_what_is_there(world: World) -> None:
    world.declare(features={"amuont": "numeric", "region": "categorical"})
    with pytest.raises(DataError, match=r"inference_log\.amuont: no such.*has amount, cost_usd.*did you mean 'amount'"):
        world.log(DAY).run(DAY)
    assert manifests(world.monitor, world.resources) == []


def test_a_feature_the_reference_file_lacks_is_named_with_what_is_there(world: World, tmp_path: Path) -> None:
    rows, _ = a_day("2026-08-25")
    pq.write_table(pa.Table.from_pylist(rows).rename_columns(renamed(rows)), tmp_path / "old.parquet")
    world.declare(reference={"parquet": "old.parquet"})
    with pytest.raises(DataError, match=r"old\.parquet\.amount: no such column; the file has amount_eur.*did you mean"):
        world.log(DAY).run(DAY)


def renamed(rows: list[dict[str, Any]]) -> list[str]:
    return ["amount_eur" if name == "amount" else name for name in rows[0]]


def test_a_reference_without_rows_says_so_raises_no_alarm_and_is_looked_for_again(world: World) -> None:
    world.declare(reference={"start": "2026-08-01", "end": "2026-08-05"}).log(DAY)
    world.run(DAY)
    found = drift_of(world)
    said = {"positive_rate", "confidence"}  # what the model says has a value without any reference
    assert {m.value for m in found.values() if m.metric not in said} == {None}
    assert {m.reference for m in found.values()} == {None}
    assert found["psi", "region"].note == "in the reference: no rows"
    assert not [v for v in world.verdicts(DAY) if v.status is Status.BREACH]
    assert manifests(world.monitor, world.resources) == []

    world.log("2026-08-02").log("2026-09-02").run("2026-09-02")
    assert drift_of(world, "2026-09-02")["psi", "amount"].value is not None
    assert len(manifests(world.monitor, world.resources)) == 1


def test_a_trailing_reference_is_frozen_once_it_has_rows_enough(world: World) -> None:
    world.declare(reference={"trailing": "2d"})
    world.run("2026-08-25")  # nothing before it
    assert manifests(world.monitor, world.resources) == []
    world.run("2026-08-26")
    assert len(manifests(world.monitor, world.resources)) == 1
    assert drift_of(world, "2026-08-26")["psi_fine", "amount"].value is not None


def test_labels_dated_back_after_a_crash_make_another_baseline_not_an_error(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, night = a_window(DAY), at("2026-09-05")

    def crash(*_: object) -> bytes:
        raise StoreError("the power is gone")

    with monkeypatch.context() as patched:
        patched.setattr("hindsight.snapshots.baselines._dump", crash)
        with pytest.raises(StoreError, match="power"):
            baseline_for(world.monitor, window, world.resources, as_of=night)
    assert manifests(world.monitor, world.resources) == []
    world.correct("2026-08-26", at("2026-08-29"), right=0.2)  # says it came before the reference was frozen
    baseline = baseline_for(world.monitor, window, world.resources, as_of=night)
    assert baseline is not None
    assert baseline.performance["accuracy"] < 0.8
    assert len(manifests(world.monitor, world.resources)) == 1


def test_a_model_promoted_before_the_labels_had_matured_is_frozen_again_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    original = baselines.read_reference

    def counted(*args: Any, **rest: Any) -> Any:
        read.append("read")
        return original(*args, **rest)

    monkeypatch.setattr(baselines, "read_reference", counted)
    world.run("2026-08-28")
    promoted = at("2026-08-29T12:00")  # the labels of the reference mature on the 31st
    freeze(world.monitor, world.resources, as_of=promoted, model_version="v2", effective_from=promoted)
    for day in days("2026-08-30", 5):
        world.run(day)
    assert len(read) == 3  # at first, at the promotion, when the labels had matured
    found = baseline_for(world.monitor, a_window("2026-09-02"), world.resources, as_of=at("2026-09-04"))
    assert found is not None
    assert found.model_version == "v2"
    assert found.performance["accuracy"] > 0.8
    pins = [m.pin for m in manifests(world.monitor, world.resources)]
    assert [(pin["model_version"], pin["labels"]) for pin in pins] == [
        ("", "arriving"),
        ("v2", "arriving"),
        ("v2", "mature"),
    ]
    before = baseline_for(world.monitor, a_window("2026-08-28"), world.resources, as_of=at("2026-08-29"))
    assert before is not None
    assert before.model_version == ""


def test_a_promotion_keeps_the_old_baseline_where_the_rows_of_the_reference_are_gone(world: World) -> None:
    world.run("2026-08-31")
    world.delete("inference_log")
    freeze(world.monitor, world.resources, as_of=at(DAY), model_version="v2", effective_from=at(DAY))
    world.log(DAY).run(DAY)
    assert drift_of(world)["psi", "amount"].value is not None
