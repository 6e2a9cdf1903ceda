"""Faults of the labels themselves: found the next night, named in the mail, never measured as if right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight.verdicts.model import State, Status
from hindsight.vocabulary.measurement import Kind
from tests.builders import at
from tests.pipeline.world import World, a_day, a_world
from tests.warehouse.tables import TRUTH, writing


@pytest.fixture
def world(database_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    """The reference, and a label column that can hold texts."""
    with a_world(database_url, tmp_path) as made:
        if database_url.get_backend_name() == "postgresql":
            with writing(database_url) as connection:
                connection.execute(sa.DDL("ALTER TABLE ground_truth ALTER label TYPE text"))
        yield made


def log_with_labels(world: World, day: str, words: dict[int, Any]) -> None:
    """Log a day whose labels are written as `words` says."""
    predictions, labels = a_day(day)
    deliver(world.insert("inference_log", predictions), [row | {"label": words[row["label"]]} for row in labels])


def deliver(world: World, labels: list[Any]) -> None:
    texts = sa.Table(
        "ground_truth", sa.MetaData(), *(sa.Column(c, k) for c, k in (TRUTH | {"label": sa.Text()}).items())
    )
    with writing(world.url) as connection:
        connection.execute(texts.insert(), labels)


def numbers(world: World, kind: Kind, day: str) -> dict[str, Any]:
    found = world.measured(kind, day)
    return {m.metric: m for m in found if not (m.model_version or m.segment or m.bin or m.feature)}


def test_labels_of_unknown_classes_are_an_incident_the_next_night_that_names_them(world: World) -> None:
    log_with_labels(world, "2026-09-01", {1: "Y", 0: "N"})
    judged = world.night("2026-09-02")
    (incident,) = world.incidents()
    assert (incident.series.rule, incident.severity, incident.state) == ("unknown_labels", "P1", State.OPEN)
    assert judged.told == (incident,)
    world.deliver(at("2026-09-02T01:00"))
    (mail,) = world.inbox.accepted
    text = mail.get_body(("plain",)).get_content()
    assert "label column ground_truth.label holds 'N', 'Y'; predictions are 0, 1" in " ".join(text.split())

    world.night("2026-09-05")
    accuracy = numbers(world, Kind.PERFORMANCE, "2026-09-01")["accuracy"]
    assert accuracy.value is None
    assert accuracy.note.startswith("label column ground_truth.label holds")
    assert {v.series.rule: v.status for v in world.verdicts("2026-09-01")} == {
        "unknown_labels": Status.BREACH,
        "accuracy_drop": Status.NO_DATA,
        "label_drift": Status.MUTED,
        "ids_do_not_match": Status.OK,
        "labels_stopped": Status.NO_DATA,
    }


def test_an_incident_about_labels_ends_with_a_window_of_good_ones(world: World) -> None:
    log_with_labels(world, "2026-09-01", {1: "Y", 0: "N"})
    log_with_labels(world, "2026-09-02", {1: "1.0", 0: "false"})
    world.night("2026-09-05")
    assert world.states("unknown_labels") == [State.OPEN]
    world.night("2026-09-06")
    assert world.states("unknown_labels") == [State.RESOLVED]
    assert numbers(world, Kind.PERFORMANCE, "2026-09-02")["accuracy"].value == pytest.approx(0.9)


def test_corrected_labels_withdraw_an_incident_about_them(world: World) -> None:
    log_with_labels(world, "2026-09-01", {1: "Y", 0: "N"})
    world.night("2026-09-02")
    assert world.states("unknown_labels") == [State.OPEN]
    deliver(
        world,
        [row | {"label": str(row["label"]), "labeled_at": at("2026-09-04T12:00")} for row in a_day("2026-09-01")[1]],
    )
    world.night("2026-09-05")
    assert world.states("unknown_labels") == [State.WITHDRAWN]
