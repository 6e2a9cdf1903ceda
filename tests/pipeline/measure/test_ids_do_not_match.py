"""Ids in two spellings: labels that never find their predictions are an incident that names the cause."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight.pipeline import state_of
from hindsight.verdicts.model import State
from hindsight.vocabulary.measurement import Kind, Measurement
from tests.builders import HOUR, at
from tests.pipeline.world import REFERENCE, World, a_day, a_world, days

RULE = "ids_do_not_match"
Write = Callable[[str], str]


@pytest.fixture
def world(database_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    """The reference only."""
    with a_world(database_url, tmp_path) as made:
        yield made


@pytest.fixture
def small(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    """The reference only, on SQLite."""
    with a_world(sqlite_url, tmp_path) as made:
        yield made


def log(world: World, day: str, write: Write, *, share: float = 1.0, n: int = 60) -> None:
    """Log a day whose labels come within a day, this share of them with ids written in another way."""
    predictions, labels = a_day(day, n=n)
    named = {row["request_id"]: f"id-{row['request_id']}" for row in predictions}
    for i, row in enumerate(labels):
        id = named[row["request_id"]]
        row |= {"request_id": write(id) if i < share * n else id, "labeled_at": predictions[i]["predicted_at"] + HOUR}
    world.insert("inference_log", [row | {"request_id": named[row["request_id"]]} for row in predictions])
    world.insert("ground_truth", labels)


def misspelt(world: World, day: str) -> Measurement:
    return next(m for m in world.measured(Kind.LABELS, day) if m.metric == "misspelt_share")


def test_labels_under_another_spelling_are_told_the_night_they_come(world: World) -> None:
    log(world, "2026-09-01", str.upper)
    told = world.night("2026-09-02").told
    assert [(i.series.rule, i.severity, i.state) for i in told] == [(RULE, "P1", State.OPEN)]
    found = misspelt(world, "2026-09-01")
    assert (found.value, found.n) == (58 / 60, 60)  # two came after midnight
    assert "labels are written in upper case, predictions in lower case: 'ID-2026-09-01-0'" in found.note
    assert state_of(world.monitor, world.resources).health != "healthy"


@pytest.mark.parametrize(
    "write",
    [str.upper, lambda id: f"{{{id}}}", lambda id: id.replace("-", ""), lambda id: f" {id} ", lambda id: f"req_{id}"],
    ids=["case", "braces", "hyphens", "blanks", "prefix"],
)
def test_each_way_of_writing_ids_is_found(small: World, write: Write) -> None:
    log(small, "2026-09-06", write)
    small.night("2026-09-07")
    assert small.states(RULE) == [State.OPEN]


def test_it_ends_when_the_labels_come_again_under_the_right_ids(small: World) -> None:
    log(small, "2026-09-01", str.upper)
    small.night("2026-09-02")
    rows = [
        r | {"request_id": f"id-{r['request_id']}", "labeled_at": at("2026-09-02T12:00")}
        for r in a_day("2026-09-01", n=60)[1]
    ]
    small.insert("ground_truth", rows)
    small.night("2026-09-03")
    assert small.states(RULE) == [State.WITHDRAWN]
    assert misspelt(small, "2026-09-01").value == 0


def test_a_part_of_the_ids_is_enough(small: World) -> None:
    log(small, "2026-09-01", str.upper, share=0.3)
    small.night("2026-09-02")
    assert small.states(RULE) == [State.OPEN]
    assert misspelt(small, "2026-09-01").value == 0.9  # of twenty without a label two are not yet due


def test_ids_that_never_meet_are_told_once_the_window_has_matured(small: World) -> None:
    for day in days("2026-09-01", 3):
        log(small, day, lambda id: sha256(id.encode()).hexdigest()[:16])
    small.night("2026-09-04")
    assert small.states(RULE) == []
    small.night("2026-09-05T00:01")
    assert small.states(RULE) == [State.OPEN]
    found = misspelt(small, "2026-09-01")
    assert (found.value, found.n) == (1, 60)
    assert "none of the" in found.note
    assert "predictions 'id-2026-09-01-0'" in found.note


def test_labels_of_other_models_in_the_same_table_are_no_fault(small: World) -> None:
    for day in days("2026-09-01", 5):
        log(small, day, str)
        others = [{"request_id": f"other-{day}-{i}", "label": 1, "labeled_at": at(day) + HOUR} for i in range(300)]
        small.insert("ground_truth", others)
    for night in days("2026-09-02", 7):
        small.night(night)
    assert small.states(RULE) == []


def test_labels_that_simply_take_long_are_no_fault(small: World) -> None:
    for day in days("2026-09-01", 3):
        small.insert("inference_log", a_day(day)[0])
    for night in days("2026-09-02", 3):
        small.night(night)
    assert small.incidents() == []


@pytest.mark.parametrize("pii", [{"hash": ["request_id"]}])
def test_personal_ids_are_not_shown(small: World, pii: dict[str, list[str]]) -> None:
    small.declare(pii=pii)
    object.__setattr__(small.resources, "pii_key", b"a long random text")
    log(small, "2026-09-01", str.upper)
    small.night("2026-09-02")
    assert small.states(RULE) == [State.OPEN]
    note = misspelt(small, "2026-09-01").note
    assert "upper case" in note
    assert "2026-09-01-" not in note.casefold()


def test_numbers_with_leading_zeros_find_the_integers_they_stand_for(sqlite_url: sa.URL, tmp_path: Path) -> None:
    with a_world(sqlite_url, tmp_path, []) as world:
        predictions, labels = a_day("2026-09-01", n=60)
        for i, (row, label) in enumerate(zip(predictions, labels, strict=True)):
            row["request_id"], label["request_id"] = str(i * 17), f"{i * 17:08d}"
            label["labeled_at"] = row["predicted_at"] + HOUR
        world.insert("inference_log", predictions).insert("ground_truth", labels)
        world.night("2026-09-02")
        assert world.states(RULE) == [State.OPEN]
        assert "labels are written with leading zeros" in misspelt(world, "2026-09-01").note


def test_a_source_without_times_of_arrival_is_looked_at_as_well(small: World) -> None:
    labels = {"table": "ground_truth", "id": "request_id", "label": "label"}
    small.declare(source={**small.monitor.model_dump(mode="json", exclude_none=True)["source"], "labels": labels})
    log(small, "2026-09-01", str.upper)
    small.night("2026-09-02")
    assert small.states(RULE) == [State.OPEN]


def test_the_first_night_finds_the_windows_that_nights_in_order_found(tmp_path: Path) -> None:
    kept = []
    for number, nights in enumerate((days("2026-09-02", 4), ["2026-09-05"])):
        url = sa.URL.create("sqlite", database=str(tmp_path / f"{number}.db"))
        (tmp_path / str(number)).mkdir()
        with a_world(url, tmp_path / str(number), REFERENCE) as world:
            log(world, "2026-09-01", str)
            log(world, "2026-09-02", str.upper)
            world.insert("inference_log", a_day("2026-09-03")[0])
            world.insert("inference_log", a_day("2026-09-04")[0])
            for night in nights:
                world.night(night)
            kept.append([day for day in days("2026-09-01", 4) if world.measured(Kind.LABELS, day)])
    assert kept == [days("2026-09-01", 2)] * 2
