"""A night that touches every window there is, folded ones too: each gets its next answer, and no past one changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.pipeline.act.folding import fold_snapshots
from hindsight.snapshots import memory
from hindsight.snapshots.local import LocalFiles
from hindsight.vocabulary.measurement import Kind
from tests.builders import DAY, HOUR, at
from tests.pipeline.world import REFERENCE, World, a_world

FIRST, AGAIN = "2026-09-04", "2026-09-05"


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path, REFERENCE) as made:
        yield made.declare(window="2h").log("2026-09-01")


def listings(world: World, day: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which folders are listed in a night."""
    seen: list[str] = []
    listed = LocalFiles._list

    def noted(files: LocalFiles, under: str) -> list[str]:
        seen.append(under)
        return listed(files, under)

    with monkeypatch.context() as patch:
        patch.setattr(LocalFiles, "_list", noted)
        world.night(day)
    return seen


def test_each_gets_its_next_answer_and_the_past_stays_through_two_folds(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    resources, store = world.resources, world.resources.store
    world.night(FIRST)
    before = store.read("credit", as_of=at(FIRST))
    fold_snapshots("credit", resources, now=at(FIRST) + HOUR)
    world.correct("2026-09-01", at("2026-09-04T12:00"), right=0.5)
    windows = pipeline.find_windows(world.monitor, at(AGAIN), world.resources)
    assert len(windows) == 12
    monkeypatch.setattr(memory, "ONE_ANSWER", 5)  # as a year of windows has more
    whole = listings(world, AGAIN, monkeypatch).count("snapshots/monitor=credit")
    assert 0 < whole < 2 * len(windows)  # each window looks into its own folders, not through all there are
    now = store.read("credit", kinds=[Kind.PERFORMANCE])
    assert set(now.column("as_of").to_pylist()) == {at(AGAIN)}
    assert set(now.column("window_start").to_pylist()) == {window.start for window in windows}
    latest = store.read("credit")
    for later in (HOUR, 60 * DAY):
        assert fold_snapshots("credit", resources, now=at(AGAIN) + later)["faults"] == []
        assert store.read("credit", as_of=at(FIRST)).equals(before)
        assert store.read("credit").equals(latest)
    assert len(list(store.names("credit"))) == len({name.kind for name in store.names("credit")})
