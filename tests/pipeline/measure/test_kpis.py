"""KPIs in the loop: computed when they can be, judged when they are due, revised by labels, shown and told."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from rich.console import Console

from hindsight import pipeline, terminal
from hindsight.monitors.loader import lint
from hindsight.reports.pages import monitor_page
from hindsight.verdicts.model import State, Status
from hindsight.vocabulary.measurement import Kind, Measurement
from tests.builders import DAY, at
from tests.pipeline.world import REFERENCE, SOON, World, a_world, days

KPIS = {"orders": {"count": True, "where": {"prediction": 1}}, "revenue": {"sum": "amount", "where": {"label": 1}}}
REVENUE_DROP = {"id": "poor", "metric": "kpi.revenue", "drops_by": "30%", "severity": "P1"}
FIRST = "2026-09-01"


@pytest.fixture
def world(database_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    """The reference and a monitor with a KPI of each sort and a rule on the one that needs labels."""
    with a_world(database_url, tmp_path, REFERENCE, kpis=KPIS, rules=[REVENUE_DROP]) as made:
        yield made


@pytest.fixture
def small(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    """The same on SQLite, with one ordinary day."""
    with a_world(sqlite_url, tmp_path, [*REFERENCE, FIRST], kpis=KPIS, rules=[REVENUE_DROP]) as made:
        yield made


def kpis(world: World, day: str = FIRST) -> dict[str, Measurement]:
    return {m.metric: m for m in world.measured(Kind.KPI, day) if not (m.segment or m.model_version)}


def status(world: World, rule: str, day: str = FIRST) -> Status:
    (found,) = [v.status for v in world.verdicts(day) if v.series.rule == rule]
    return found


def test_a_run_computes_what_needs_no_labels_and_a_night_the_rest(world: World) -> None:
    world.log(FIRST).run(FIRST)
    assert set(kpis(world)) == {"orders"}
    early = kpis(world)["orders"]
    world.night("2026-09-03")
    assert kpis(world)["orders"] == early
    provisional = kpis(world)["revenue"]
    world.night("2026-09-05")
    final = kpis(world)["revenue"]
    assert (provisional.n, final.n) < (final.n, 151)
    assert 0 < (provisional.value or 0) < (final.value or 0)


def test_a_night_leaves_the_kpis_of_a_run_where_none_waits_for_labels(small: World) -> None:
    small.declare(kpis={"orders": KPIS["orders"]})
    small.run(FIRST)
    early = kpis(small)
    small.night("2026-09-03")
    assert kpis(small) == early
    assert set(early) == {"orders"}


def test_a_reference_sum_is_that_of_an_average_window_and_is_computed_once(small: World) -> None:
    small.run(FIRST)
    small.night("2026-09-05")
    reference = kpis(small)["revenue"].reference
    for day in REFERENCE:
        small.log(day, seed=1)
    small.log("2026-09-02").run("2026-09-02")
    small.night("2026-09-06")
    assert reference is not None
    assert reference == pytest.approx(kpis(small)["revenue"].value or 0, rel=0.2)
    assert kpis(small, "2026-09-02")["revenue"].reference == reference


def test_revenue_that_vanishes_breaches_only_when_the_window_has_matured(world: World) -> None:
    world.log(FIRST, amount=1.0).run(FIRST)
    for night in ("2026-09-02", "2026-09-03", "2026-09-04"):
        world.night(night)
        assert world.states("poor") == []
    assert status(world, "poor") is Status.IMMATURE
    world.night("2026-09-05")
    assert world.states("poor") == [State.OPEN]
    (subject,) = [s for s in world.deliver(at("2026-09-05T01:00")) if "revenue" in s]
    assert subject.startswith("[P1] credit: revenue 142, 99 % below reference")


def test_late_labels_revise_a_kpi_and_withdraw_its_incident(small: World) -> None:
    small.delete("ground_truth")
    small.correct(FIRST, at("2026-09-01T06:00"), right=0.0)
    small.log("2026-08-31")
    monitor_file = {"kpis": {"hits": {"mean": "label", "where": {"prediction": 1}}}}
    rule = {"id": "few", "metric": "kpi.hits", "below": 0.5, "severity": "P1"}
    small.declare(**monitor_file, rules=[rule])
    small.run(FIRST)
    small.night("2026-09-05")
    assert small.states("few") == [State.OPEN]
    small.correct(FIRST, at("2026-09-05T06:00"), right=1.0)
    small.night("2026-09-06")
    assert small.states("few") == [State.WITHDRAWN]


def test_a_kpi_without_labels_is_judged_by_the_run_at_once(small: World) -> None:
    small.declare(kpis=KPIS, rules=[{"id": "quiet", "metric": "kpi.orders", "drops_by": "50%", "severity": "P1"}])
    small.log("2026-09-02", prediction=0)
    small.run(FIRST)
    judged = small.run("2026-09-02")
    assert [v.series.rule for v in judged.breaches if v.series.rule == "quiet"] == ["quiet"]
    assert status(small, "quiet", FIRST) is Status.OK


def test_a_window_without_rows_has_no_kpi_and_no_verdict_on_it(small: World) -> None:
    small.declare(kpis=KPIS, rules=[{"id": "quiet", "metric": "kpi.orders", "below": 50}])
    small.run("2026-09-02")
    assert (kpis(small, "2026-09-02")["orders"].value, status(small, "quiet", "2026-09-02")) == (None, Status.NO_DATA)


@pytest.mark.parametrize("lateness", ["0m", "10m"])
def test_runs_and_nights_may_come_in_any_order_and_again(sqlite_url: sa.URL, tmp_path: Path, lateness: str) -> None:
    with a_world(sqlite_url, tmp_path, [*REFERENCE, FIRST], kpis=KPIS, lateness=lateness) as world:
        steps = (lambda: run(world), lambda: night(world, "2026-09-02"), lambda: night(world, "2026-09-03"))
        ends = []
        for order in itertools.permutations(steps):
            shutil.rmtree(Path(world.resources.settings.data) / "snapshots", ignore_errors=True)
            for step in order:
                step()
            files = world.files()
            for step in order:
                step()
            assert world.files() == files
            ends.append([(m.metric, m.value, m.n) for m in world.measured(Kind.KPI, FIRST)])
        assert all(end == ends[0] for end in ends)


def run(world: World) -> None:
    """Measure the window, without judging it."""
    pipeline.run_window(world.monitor, world.monitor.grid.window_at(at(FIRST)), world.resources)


def night(world: World, day: str) -> None:
    """Measure the window as of a night, without judging it."""
    pipeline.revise_windows(world.monitor, [world.monitor.grid.window_at(at(FIRST))], at(day), world.resources)


def test_a_trailing_reference_moves_with_the_window(sqlite_url: sa.URL, tmp_path: Path) -> None:
    trailing = {"trailing": "2d", "lag": "3d"}
    with a_world(sqlite_url, tmp_path, [], kpis=KPIS, reference=trailing) as world:
        for k, day in enumerate(days("2026-08-27", 6)):
            world.log(day, n=100 * (k + 1))
        orders = {}
        for day in ("2026-08-31", FIRST):
            world.run(day)
            orders[day] = kpis(world, day)["orders"].reference or 0
        assert orders["2026-08-31"] < orders[FIRST]


def test_a_column_the_table_lacks_takes_away_its_kpis_and_nothing_else(
    small: World, caplog: pytest.LogCaptureFixture
) -> None:
    paid = {"sum": "labels.piad"}
    small.declare(kpis=KPIS | {"volume": {"sum": "amonut"}, "paid": paid}, rules=[])
    for _ in range(2):
        small.run(FIRST)
    small.night("2026-09-05")
    found = kpis(small)
    assert {name for name, m in found.items() if m.value is not None} == {"orders", "revenue"}
    assert found["volume"].note.startswith("inference_log.amonut: no such column; inference_log has amount, ")
    assert "did you mean 'amount'? Correct kpis.volume.sum in the monitor file" in found["volume"].note
    assert found["paid"].note.startswith("ground_truth.piad: no such column")
    logged = [record.getMessage() for record in caplog.records if "kpi not computed" in record.getMessage()]
    assert logged == [f"kpi not computed monitor=credit {found[name].note}" for name in ("volume", "paid")]
    assert [i.series.feature for i in small.incidents("schema")] == ["amonut"]


def test_kpis_are_on_the_terminal_and_on_the_page(small: World) -> None:
    small.log("2026-09-02").run(FIRST)
    small.run("2026-09-02")
    small.night("2026-09-03")
    console = Console(width=110)
    with console.capture() as printed:
        console.print(terminal.monitor(pipeline.state_of(small.monitor, small.resources), [], everything=False))
    text = printed.get()
    assert text.index("kpi  2026-09-02") < text.index("orders") < text.index("kpi  2026-09-01") < text.index("revenue")
    view = pipeline.monitor_view("credit", small.resources, now=at("2026-09-06"))
    assert view is not None
    assert {"orders", "revenue"} <= {chart.title for chart in view.charts} & {n.name for n in view.numbers}
    assert "<h3>revenue</h3>" in monitor_page(view)


def test_the_newest_kpis_are_marked_provisional_while_labels_arrive(small: World) -> None:
    small.run(FIRST)
    small.night("2026-09-03")
    state = pipeline.state_of(small.monitor, small.resources)
    notes = {n.metric: n.note for n in state.numbers}
    assert notes["kpi.revenue"].startswith("provisional: labels of")
    assert notes["kpi.orders"] == ""


@pytest.mark.parametrize(
    ("kpis", "rule", "expected"),
    [
        ({"revenue": {"sum": "amount"}}, {"metric": "kpi.revenu", "below": 1}, "did you mean 'kpi.revenue'?"),
        ({"revenue": {"sum": "amount"}}, {"metric": "kpi.revenue"}, "has no threshold"),
        ({"n": {"count": True}}, {"metric": "kpi.n", "below": -1}, "'kpi.n' is at least 0, found -1"),
    ],
)
def test_lint_tells_of_rules_that_cannot_judge_a_kpi(
    small: World, kpis: object, rule: dict[str, object], expected: str
) -> None:
    small.declare(kpis=kpis, rules=[{"id": "r", **rule}])
    (problem,) = lint([small.resources.settings.monitors / "credit.yml"])
    assert expected in problem.message
    assert problem.line is not None


def judged_late(day: str) -> datetime:
    """Long after the verdicts of a day were due."""
    return at(day) + 100 * DAY + SOON


def test_old_news_about_a_kpi_is_recorded_silently(small: World) -> None:
    small.log("2026-09-02", amount=1.0)
    small.run("2026-09-02", judged=judged_late("2026-09-02"))
    small.night("2026-09-06", judged=judged_late("2026-09-06"))
    assert small.states("poor") == [State.OPEN]
    assert [s for s in small.deliver(judged_late("2026-09-06") + timedelta(hours=1)) if "revenue" in s] == []
