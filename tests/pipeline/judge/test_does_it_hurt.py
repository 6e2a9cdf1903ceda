"""What drifted is a notice until a trusted estimate, or the labels, say that it hurts; that is told once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.ledger import tables
from hindsight.vocabulary.measurement import Kind
from tests.builders import a_measurement, a_window, at
from tests.pipeline.judge.facts import digest, judged, measured, subjects, write
from tests.pipeline.world import SOON, World, a_world, days

FILE: dict[str, Any] = {"start": "2026-07-01", "rules": [{"id": "news", "enabled": False}]}
FAR = {"drift.drifted": ["amount"], "drift.drift_share": [""]}
PAST = days("2026-07-01", 6)


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path, days=(), **FILE) as made:
        yield made


def a_day(world: World, day: str, bad: dict[str, list[str]], *, estimated: float = 0.9) -> None:
    measured(world, day, bad)
    about = {"lower": estimated - 0.01, "upper": estimated + 0.01, "reference": 0.9}
    write(world, day, {Kind.ESTIMATE: [a_measurement("accuracy", estimated, **about)]})
    judged(world, day)


def labelled(world: World, day: str, night: str, accuracy: float) -> None:
    """The labels of a day have matured by a night, and say this."""
    window, moment = a_window(day), at(night)
    truth = a_measurement("accuracy", accuracy, n=1000, reference=0.9, lower=accuracy - 0.01, upper=accuracy + 0.01)
    world.resources.store.write("credit", Kind.PERFORMANCE, window, moment, [truth])
    about = [a_measurement("mature", 1.0, n=1000), a_measurement("coverage", 1.0, n=1000)]
    world.resources.store.write("credit", Kind.LABELS, window, moment, about)
    pipeline.judge_night(world.monitor, moment, [window], world.resources, judged_at=moment + SOON)


def texts(world: World) -> list[str]:
    with world.resources.ledger.reading() as connection:
        query = sa.select(tables.outbox.c.text).order_by(tables.outbox.c.id)
        return [" ".join(text.split()) for text in connection.execute(query).scalars()]


def severities(world: World) -> set[str]:
    return {str(one.severity) for one in world.incidents() if one.series.rule in ("drift", "drift_share")}


def a_trusted_estimate(world: World) -> None:
    for day in PAST:
        a_day(world, day, {})
    for day in PAST:
        labelled(world, day, "2026-07-10", 0.9)


def test_far_from_the_reference_is_a_notice_and_worse_once_a_trusted_estimate_says_so(world: World) -> None:
    a_trusted_estimate(world)
    a_day(world, "2026-07-10", FAR)
    digest(world, "2026-07-11T02:00")
    (notice,) = subjects(world)
    assert notice.startswith("[P2]")
    assert "Does it hurt: Estimated accuracy 0.9 (0.89 to 0.91), 0.9 on the reference: no harm" in texts(world)[0]

    for day in days("2026-07-11", 3):
        a_day(world, day, FAR, estimated=0.7)
        digest(world, f"{day}T23:30")
    assert severities(world) == {"P1"}
    assert [subject[:4] for subject in subjects(world)] == ["[P2]", "[P1]"]
    assert "It hurts: estimated accuracy 0.7 (0.69 to 0.71), 0.9 on the reference." in texts(world)[1]
    a_day(world, "2026-07-14", FAR)  # better again, but it lasts
    assert severities(world) == {"P1"}


def test_an_estimate_nobody_could_check_raises_nothing_but_the_labels_do(world: World) -> None:
    a_day(world, "2026-07-01", FAR, estimated=0.6)
    digest(world, "2026-07-02T02:00")
    assert severities(world) == {"P2"}
    a_day(world, "2026-07-02", FAR, estimated=0.6)
    labelled(world, "2026-07-02", "2026-07-06", 0.6)
    assert severities(world) == {"P1"}
    (_, loss) = subjects(world)  # tells of the harm itself: what drifted is not told again for it
    assert loss.startswith("[P0]")
    assert "drift" not in loss


def test_the_order_of_windows_and_labels_changes_no_severity(world: World, tmp_path: Path) -> None:
    a_day(world, "2026-07-01", FAR)
    labelled(world, "2026-07-01", "2026-07-05", 0.6)
    with a_world(sa.make_url(f"sqlite:///{tmp_path}/other.db"), tmp_path / "other", days=(), **FILE) as other:
        labelled(other, "2026-07-01", "2026-07-05", 0.6)
        a_day(other, "2026-07-01", FAR)
        assert severities(other) == severities(world) == {"P1"}
