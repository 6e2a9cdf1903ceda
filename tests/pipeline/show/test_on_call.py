"""Whoever is on call sees every open case they may see, who looks after it, and what the newest windows say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.pipeline.act.answers import Said, look_after, mute_case
from hindsight.pipeline.show.on_call import OnCall
from hindsight.reports.on_call import on_call_page
from tests.builders import at
from tests.pipeline.judge.facts import judged, measured
from tests.pipeline.world import World, a_world
from tests.reports.pages import EVIL, Page

NOW = at("2026-09-03")
BAD = {"drift.drifted": ["amount"], "quality.null_rate": ["region"], "operations.latency_p95_ms": [""]}


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path, days=(), start="2026-09-01") as made:
        measured(made, "2026-09-01", {})
        judged(made, "2026-09-01")
        yield made


def seen(world: World, *, may_read: bool = True) -> OnCall:
    return pipeline.on_call(lambda names: set(names) if may_read else set(), world.resources, now=NOW)


def test_where_nothing_is_open_it_says_so(world: World) -> None:
    found = seen(world)
    assert "Nothing is open." in on_call_page(found.cases, found.watches, NOW)


def test_every_open_case_is_there_with_what_one_needs_to_know(world: World) -> None:
    measured(world, "2026-09-02", BAD)
    judged(world, "2026-09-02")
    [slow] = [one for one in world.incidents() if one.series.rule == "latency_p95"]
    look_after(world.monitor, slow.case, Said("ann", NOW, EVIL), world.resources)
    mute_case(world.monitor, slow.case, NOW + timedelta(hours=3), Said("ann", NOW, "deploy"), world.resources)
    found = seen(world)
    [case] = [one for one in found.cases if one.case.href == f"monitors/credit/cases/{slow.case}"]
    assert case.looked_after.startswith("ann: ")
    [watch] = found.watches
    assert (watch.latency, watch.nulls) == ("900 ms", "region")
    assert "until 2026-09-03 03:00 UTC, by ann" in watch.silenced[0]
    page = Page(on_call_page(found.cases, found.watches, NOW))
    assert (page.tags.count("script"), page.tags.count("img")) == (1, 0)  # that of light and dark


def test_a_column_whose_drift_is_open_drifts_whatever_the_newest_window_says(world: World) -> None:
    measured(world, "2026-09-02", BAD)
    judged(world, "2026-09-02")
    measured(world, "2026-09-03", {})
    judged(world, "2026-09-03")
    [watch] = seen(world).watches
    assert (watch.drifting, watch.nulls) == ("amount", "")


def test_nobody_sees_a_case_of_a_monitor_they_may_not_read(world: World) -> None:
    measured(world, "2026-09-02", BAD)
    judged(world, "2026-09-02")
    assert seen(world, may_read=False) == OnCall((), ())
