"""Who answers for models sees how each does against its reference, from the ledger alone, however many there are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from ruamel.yaml import YAML

from hindsight import pipeline
from hindsight.pipeline.show.executive import WINDOWS, Executive
from hindsight.reports.executive import Model, executive_page
from hindsight.verdicts.model import Series, Status, Verdict
from tests.builders import DAY, a_window, at
from tests.pipeline.judge.facts import judged, measured
from tests.pipeline.world import World, a_world, days, file_of_the_world

FIRST = "2026-09-01"
RULES = [
    {"id": "losses", "metric": "kpi.lost", "rises_by": "20%"},
    {"id": "margin_drop", "metric": "kpi.margin", "drops_by": "10%"},
]
MONEY = {"lost": {"sum": "amount"}, "margin": {"sum": "amount"}, "unwatched": {"count": True}}


@pytest.fixture
def world(database_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(database_url, tmp_path, days=(), start=FIRST) as made:
        yield made


def seen(world: World, readable: bool = True) -> Executive:
    return pipeline.executive(lambda names: set(names) if readable else set(), world.resources)


def the_model(world: World) -> Model:
    [found] = seen(world).models
    return found


def said(world: World, series: Series, values: dict[str, tuple[float, float | None]], **other: Any) -> None:
    """Put on record what a rule judged on some days: the value, and the line it was judged by."""
    wanted = {"status": Status.OK, "n": 300} | other
    found = [
        Verdict(series, a_window(day), at(day) + DAY, at(day) + DAY, wanted["status"], value, limit, wanted["n"])
        for day, (value, limit) in values.items()
    ]
    with world.resources.ledger.locked("credit") as tx:
        tx.save_verdicts(found, at("2026-12-01"))


def test_without_a_window_labels_kpi_or_slo_each_says_so_in_words(world: World) -> None:
    found = the_model(world)
    assert found.quality.said == "no window's labels are complete yet"
    assert (found.kpis, found.budgets, found.rows) == ((), (), 0)
    source = {key: value for key, value in file_of_the_world()["source"].items() if key != "labels"}
    world.declare(
        start=FIRST, source=source, labels=None, kpis=MONEY, slos={"availability": {"target": "99%"}}, rules=RULES
    )
    found = the_model(world)
    assert found.quality.said == "no labels, so it is not known"
    assert found.kpis[0].said == "no window judged yet"
    assert found.kpis[2].said == "no rule judges it: its numbers are on the monitor's page"
    assert [one.left for one in found.budgets] == ["not judged yet"]


def test_accuracy_stands_beside_its_reference_with_the_last_twelve_windows(world: World) -> None:
    said(world, Series("accuracy_drop"), dict.fromkeys(days(FIRST, 14), (0.9, 0.765)))
    said(world, Series("accuracy_drop"), {"2026-09-15": (0.72, 0.765)})
    said(world, Series("accuracy_drop"), {"2026-09-16": (0.1, 0.765)}, status=Status.IMMATURE)
    said(world, Series("accuracy_drop", segment="region=EU"), {"2026-09-15": (0.2, 0.765)})
    found = the_model(world).quality
    assert (found.value, found.reference, found.change) == ("0.72", "0.9", "20 % below the reference")
    assert found.spark is not None
    assert found.spark.line.count("L") == WINDOWS - 1


def test_a_number_without_a_reference_says_so(world: World) -> None:
    world.declare(start=FIRST, rules=[{"id": "accuracy_drop", "below": 0.8}])
    said(world, Series("accuracy_drop"), {FIRST: (0.9, 0.8)})
    found = the_model(world).quality
    assert (found.reference, found.change, found.value) == ("no reference", "", "0.9")


@pytest.mark.parametrize(
    ("value", "limit", "reference", "change"),
    [
        (-150.0, -110.0, "-100", "50 below the reference"),
        (50.0, -110.0, "-100", "150 above the reference"),
        (12.0, 0.0, "0", "12 above the reference"),
        (0.0, 0.0, "0", "as the reference"),
        (45.0, 90.0, "100", "55 % below the reference"),
        (100.2, 90.0, "100", "as the reference"),
    ],
)
def test_below_a_reference_makes_sense_whatever_its_sign(
    world: World, value: float, limit: float, reference: str, change: str
) -> None:
    world.declare(start=FIRST, kpis=MONEY, rules=RULES)
    said(world, Series("margin_drop"), {FIRST: (value, limit)})
    found = the_model(world).kpis[1]
    assert (found.reference, found.change) == (reference, change)


def test_a_sum_is_added_up_and_held_against_its_reference(world: World) -> None:
    world.declare(start=FIRST, kpis=MONEY, rules=RULES)
    said(world, Series("losses"), dict.fromkeys(days(FIRST, 3), (1500.0, 1200.0)))
    assert the_model(world).kpis[0].total == "4,500 in 3 windows, 1,500 more than by reference"


def test_rows_of_a_window_count_once_however_much_of_it_breaches(world: World) -> None:
    measured(world, FIRST, {})
    judged(world, FIRST)
    bad = {"drift.drifted": ["amount"], "quality.null_rate": ["region"], "operations.latency_p95_ms": [""]}
    for day in days("2026-09-02", 2):
        measured(world, day, bad)
        judged(world, day)
    found = the_model(world)
    assert sum(found.open.values()) > 1
    assert found.rows == 2000


def test_what_is_left_of_a_budget_is_told(world: World) -> None:
    slos = {"availability": {"target": "99%"}, "latency": {"target": "90%", "below": 300}}
    world.declare(start=FIRST, slos=slos)
    said(world, Series("slo_budget", feature="availability"), {FIRST: (0.9, 0.0), "2026-09-02": (0.25, 0.0)})
    said(world, Series("slo_budget", feature="latency"), {FIRST: (-1.5, 0.0)}, status=Status.BREACH)
    left = {one.slo: (one.left, one.spent) for one in the_model(world).budgets}
    assert left == {"availability": ("25 % left", False), "latency": ("spent", True)}


def test_nobody_sees_a_monitor_they_may_not_read(world: World) -> None:
    assert seen(world, readable=False) == Executive((), 0)


def test_many_monitors_are_four_statements_and_no_snapshot(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        file = file_of_the_world(name=f"other_{number}", start=FIRST, kpis=MONEY, rules=RULES)
        YAML().dump(file, world.resources.settings.monitors / f"other_{number}.yml")
    said(world, Series("accuracy_drop"), {FIRST: (0.9, 0.765)})
    asked: list[str] = []
    sa.event.listen(world.resources.ledger.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    monkeypatch.setattr("hindsight.snapshots.store.SnapshotStore.names", None)
    found = seen(world)
    assert len(found.models) == 21
    assert len([one for one in asked if "FROM" in one]) == 4
    assert [one.monitor.text for one in found.models if one.quality.spark] == ["credit"]


def test_a_page_has_the_numbers_of_its_models_and_the_budgets_of_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hindsight.reports.executive.MOST", 2)
    for number in range(4):
        file = file_of_the_world(name=f"other_{number}", start=FIRST, slos={"availability": {"target": "99%"}})
        YAML().dump(file, world.resources.settings.monitors / f"other_{number}.yml")
    said(world, Series("accuracy_drop"), {FIRST: (0.9, 0.765)})
    pages = [pipeline.executive(set, world.resources, page=page).models for page in (1, 2, 3, 4)]
    assert [bool(models[0].quality.spark) for models in pages] == [True, False, False, False]
    assert [len(models) for models in pages] == [5, 5, 5, 5]
    assert all(len(one.budgets) == 1 for one in pages[0][1:])
    shown = [executive_page(models, 0, at(FIRST), page) for page, models in enumerate(pages, 1)]
    assert [text.count("monitors/other_") for text in shown] == [1, 2, 1, 0]
    assert "page 2 of 3" in shown[1]


def test_the_numbers_of_years_ago_are_not_among_the_last(world: World) -> None:
    old = {f"{at(FIRST) - timedelta(days=day):%Y-%m-%d}": (0.5, 0.765) for day in range(1, 40)}
    said(world, Series("accuracy_drop"), old | {FIRST: (0.9, 0.765)})
    found = the_model(world).quality
    assert found.spark is not None
    assert (found.value, found.spark.line.count("L")) == ("0.9", WINDOWS - 1)
