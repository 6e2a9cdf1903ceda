"""The pages of a window that breached: drawn for it alone, and each for itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.errors import ConfigError
from hindsight.pipeline.show import documents
from tests.builders import a_window, at
from tests.pipeline.judge.facts import judged, measured
from tests.pipeline.world import World, a_world

DAY, MADE = "2026-09-01", at("2026-09-02")
SLOW = {"operations.latency_p95_ms": [""]}
DRAWN = {"reference": {"start": "2026-08-01", "end": "2026-09-01"}, "quality": {"suite": "credit"}}


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was drawn; drawing itself is tested elsewhere."""
    found: list[str] = []

    def draw(kind: str) -> Any:
        def drawing(*_: Any, **__: Any) -> str:
            found.append(kind)
            return f"id of {kind}"

        return drawing

    monkeypatch.setattr(documents, "report_window", draw("report"))
    monkeypatch.setattr(documents, "document_window", draw("data docs"))
    return found


def made(world: World) -> dict[str, str]:
    return pipeline.document_breach(world.monitor, a_window(DAY), world.resources, made_at=MADE)


def test_both_pages_of_a_window_that_breached_are_drawn(sqlite_url: sa.URL, tmp_path: Path, drawn: list[str]) -> None:
    with a_world(sqlite_url, tmp_path, days=(), **DRAWN) as world:
        measured(world, DAY, SLOW)
        judged(world, DAY)
        assert made(world) == {"report": "id of report", "data_docs": "id of data docs"}


def test_nothing_is_drawn_of_a_window_that_is_fine_or_was_never_judged(
    sqlite_url: sa.URL, tmp_path: Path, drawn: list[str]
) -> None:
    with a_world(sqlite_url, tmp_path, days=(), **DRAWN) as world:
        assert made(world) == {}
        measured(world, DAY, {})
        judged(world, DAY)
        assert made(world) == {}
    assert drawn == []


def test_a_file_without_reference_and_suite_has_nothing_to_draw(
    sqlite_url: sa.URL, tmp_path: Path, drawn: list[str]
) -> None:
    with a_world(sqlite_url, tmp_path, days=(), reference=None) as world:
        measured(world, DAY, SLOW)
        judged(world, DAY)
        assert made(world) == {}
    assert drawn == []


def test_data_docs_that_cannot_be_drawn_do_not_cost_the_report(
    sqlite_url: sa.URL, tmp_path: Path, drawn: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def undrawn(*_: Any, **__: Any) -> str:
        raise ConfigError("the suite is broken")

    monkeypatch.setattr(documents, "document_window", undrawn)
    with a_world(sqlite_url, tmp_path, days=(), **DRAWN) as world:
        measured(world, DAY, SLOW)
        judged(world, DAY)
        with pytest.raises(ConfigError, match="the suite is broken"):
            made(world)
    assert drawn == ["report"]
