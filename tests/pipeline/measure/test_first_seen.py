"""Labels without a time of arrival: remembered by the night that first saw them, whatever becomes of the source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.verdicts.model import State
from hindsight.vocabulary.measurement import Kind
from tests.builders import a_window, at, monitor_file
from tests.pipeline.world import REFERENCE, World, a_day, a_world, days

SOURCE = monitor_file()["source"]
UNDATED = SOURCE | {"labels": {"table": "ground_truth", "id": "request_id", "label": "label"}}
DAY = "2026-09-01"


@pytest.fixture
def world(database_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    """A day of 60 predictions, and a label table that a test fills as the nights go by."""
    with a_world(database_url, tmp_path, REFERENCE[:1], source=UNDATED, reference=None) as made:
        yield made.delete("ground_truth").insert("inference_log", a_day(DAY, n=60)[0])


def hold(world: World, labels: Mapping[str, tuple[int | None, ...]]) -> World:
    """Let the label table hold these labels of ids and nothing else."""
    rows = [
        {"request_id": f"{DAY}-{id}", "label": label, "labeled_at": at("2020-01-01")}
        for id, some in labels.items()
        for label in some
    ]
    return world.delete("ground_truth").insert("ground_truth", rows)


def known(world: World, night: str) -> dict[str, Any]:
    """What the snapshots say the labels of the day were as of a night."""
    found = world.resources.store.measurements("credit", Kind.LABELS, a_window(DAY), at(night))
    return {m.metric: m.value for m in found if not (m.model_version or m.segment or m.bin)}


def test_a_label_is_known_from_the_night_that_first_saw_it(world: World) -> None:
    hold(world, {"0": (1,), "1": (0,)}).night("2026-09-02")
    assert world.found("2026-09-03") == []
    world.night("2026-09-03")
    hold(world, {"0": (1,), "1": (0,), "2": (1,)})
    assert world.found("2026-09-04") == [DAY]
    world.night("2026-09-04")
    assert [known(world, night)["n_labeled"] for night in days("2026-09-02", 3)] == [2, 2, 3]
    first = known(world, "2026-09-04")["delay_p50_s"]
    assert 0 < first <= 86_400


def test_a_label_overwritten_taken_back_or_contradicted_is_a_correction_of_that_night(world: World) -> None:
    hold(world, {"0": (1,), "1": (0,), "2": (1,)}).night("2026-09-02")
    hold(world, {"0": (0,), "1": (None,), "2": (1, 0)}).night("2026-09-03")
    hold(world, {"0": (0,), "2": (0,)}).night("2026-09-04")
    said = [known(world, night) for night in days("2026-09-02", 3)]
    assert [(s["n_labeled"], s["label_conflicts"]) for s in said] == [(3, 0), (1, 1), (2, 0)]
    assert said[1]["label_corrections"] == 3


def test_a_night_run_again_knows_no_more_than_it_did(world: World) -> None:
    hold(world, {"0": (1,)}).night("2026-09-02")
    hold(world, {"0": (1,), "1": (0,)}).night("2026-09-03")
    files = world.files()
    hold(world, {"0": (0,), "1": (0,), "2": (1,), "3": (1,)})
    world.night("2026-09-03")
    world.night("2026-09-02")
    assert world.files() == files
    world.night("2026-09-04")
    assert known(world, "2026-09-04")["n_labeled"] == 4


def test_a_night_that_failed_is_the_same_night_when_it_is_run_again(world: World) -> None:
    world.night("2026-09-02")
    hold(world, {"0": (1,)})
    found = pipeline.find_windows(world.monitor, at("2026-09-03"), world.resources)
    hold(world, {"0": (0,), "1": (1,)})
    assert pipeline.find_windows(world.monitor, at("2026-09-03"), world.resources) == found == [a_window(DAY)]
    world.night("2026-09-03")
    assert known(world, "2026-09-03")["n_labeled"] == 1


def test_matured_windows_are_looked_at_no_more(world: World) -> None:
    hold(world, {"0": (1,)}).night("2026-09-02")
    for night in days("2026-09-03", 4):
        world.night(night)
    hold(world, {"0": (0,), "1": (1,)})
    assert DAY not in world.found("2026-09-07")


def test_a_column_of_another_type_is_no_correction(sqlite_url: sa.URL, tmp_path: Path) -> None:
    with a_world(sqlite_url, tmp_path, [], source=UNDATED, reference=None) as world:
        world.insert("inference_log", a_day(DAY, n=60)[0])
        hold(world, {"0": (1,)}).night("2026-09-02")
        hold(world, {"0": ("1",)})  # type: ignore[dict-item]
        assert world.found("2026-09-03") == []


def test_ids_that_are_personal_are_remembered_as_hashes(sqlite_url: sa.URL, tmp_path: Path) -> None:
    hashed = {"hash": ["request_id"]}
    with a_world(sqlite_url, tmp_path, [], source=UNDATED, reference=None, pii=hashed) as world:
        object.__setattr__(world.resources, "pii_key", b"k" * 32)
        world.insert("inference_log", a_day(DAY, n=60)[0])
        hold(world, {"0": (1,), "1": (0,)}).night("2026-09-02")
        assert known(world, "2026-09-02")["n_labeled"] == 2
        kept = [path for path in world.files() if "/labels/" in path]
        assert len(kept) == 1
        assert not any(id.startswith(DAY) for id in pq.read_table(kept[0], partitioning=None)["id"].to_pylist())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_past_night_is_read_as_it_was_whatever_the_source_says_now(world: World, seed: int) -> None:
    """The contract read aloud: the labels of an id at a night are those the last night that saw a change saw."""
    rng = np.random.default_rng(seed)
    choices: list[tuple[int | None, ...]] = [(), (0,), (1,), (None,), (0, 1), (1, 1), (1, None)]
    seen: dict[str, set[int]] = {}
    expected = {}
    for night in days("2026-09-02", 4):
        table = {str(k): choices[rng.integers(len(choices))] for k in range(12)}
        hold(world, table).night(night)
        seen = {id: {v for v in values if v is not None} for id, values in table.items()}
        usable = sum(len(values) == 1 for values in seen.values())
        expected[night] = (usable, sum(len(values) > 1 for values in seen.values()))
    hold(world, {}).night("2026-09-05")
    found = {night: known(world, night) for night in expected}
    assert {night: (f["n_labeled"], f["label_conflicts"]) for night, f in found.items()} == expected


def test_late_labels_without_a_date_open_and_withdraw_incidents(world: World) -> None:
    world.declare(source=UNDATED, reference=None, labels={"matures_after": "1d", "min_labels": 20}, rules=[LOW])
    labels = {row["request_id"].removeprefix(f"{DAY}-"): (1 - row["prediction"],) for row in a_day(DAY, n=60)[0]}
    hold(world, labels).night("2026-09-03")
    assert world.states("low") == [State.OPEN]
    hold(world, {id: (1 - label,) for id, (label,) in labels.items()}).night("2026-09-04")
    assert world.states("low") == [State.WITHDRAWN]


LOW = {"id": "low", "metric": "performance.accuracy", "below": 0.5, "severity": "P0"}
