"""What a monitor's page shows of what is selected: ranges, versions, segments, features, events, distributions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import pytest

from hindsight import pipeline
from hindsight.ledger.deploys import note_versions
from hindsight.ledger.silences import add_silence
from hindsight.pipeline.show import curves
from hindsight.pipeline.show.happenings import MOST, drawn
from hindsight.pipeline.show.pages import worst
from hindsight.pipeline.show.state import MonitorState
from hindsight.reports.charts import Chart, Mark
from hindsight.reports.distribution import bars
from hindsight.reports.pages import MonitorView, monitor_page
from hindsight.reports.selection import selected
from hindsight.verdicts.silence import Silence
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.windows import Window
from tests.builders import DAY, a_measurement, at
from tests.pipeline.world import World, a_world, sqlite

FIRST = at("2026-09-01")


def write(world: World, kind: Kind, day: int, found: Sequence[Measurement]) -> None:
    """Put numbers of a day on record, as a run does."""
    window = Window(FIRST + day * DAY, FIRST + (day + 1) * DAY)
    world.resources.store.write("credit", kind, window, window.end, found, definition="")


def lived(world: World, days: int = 10) -> World:
    """Days with traffic of two versions and segments, latency, drift of a feature, and what labels said."""
    for day in range(days):
        requests = [a_measurement(value=100.0 + day)]
        requests += [a_measurement(value=60.0, model_version="v2"), a_measurement(value=7.0, segment="region=EU")]
        requests += [a_measurement(f"latency_p{p}_ms", value=float(p + day)) for p in (50, 95, 99)]
        write(world, Kind.OPERATIONS, day, requests)
        flag, psi = a_measurement("drifted", float(day > 6), feature="amount"), 0.05 if day <= 6 else 0.9
        share = a_measurement("drift_share", float(day > 6) / 2)
        write(world, Kind.DRIFT, day, [a_measurement("psi", psi, feature="amount"), flag, share])
        write(world, Kind.ESTIMATE, day, [a_measurement("accuracy", 0.9)])
        write(world, Kind.PERFORMANCE, day, [a_measurement("accuracy", 0.9 if day < 8 else 0.2)])
        write(world, Kind.LABELS, day, [a_measurement("mature", float(day < 8)), a_measurement("coverage", 0.5)])
    return world


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Ten days on record, for those who only look."""
    folder = tmp_path_factory.mktemp("past")
    with a_world(sqlite(folder), folder, []) as made:
        yield lived(made)


def seen(world: World, **query: str) -> MonitorView:
    asked = selected({name.rstrip("_"): value for name, value in query.items()})
    view = pipeline.monitor_view("credit", world.resources, now=at("2026-10-01"), selection=asked)
    assert view is not None
    return view


def chart(view: MonitorView, key: str) -> Chart:
    return next(one for one in view.charts if one.key == key)


def values(one: Chart) -> list[float | None]:
    return [point.value for point in one.points]


def test_latency_is_one_chart_and_provisional_accuracy_stands_beside_what_is_expected(past: World) -> None:
    view = seen(past)
    latency, accuracy = chart(view, "operations.latency_p95_ms"), chart(view, "performance.accuracy")
    assert [(line.name, line.points[0].value) for line in latency.lines] == [("p95", 95), ("p50", 50), ("p99", 99)]
    assert [line.name for line in accuracy.lines] == ["measured", "expected"]
    assert [point.immature for point in accuracy.points] == [False] * 8 + [True] * 2
    assert {point.value for point in accuracy.more[0].points} == {0.9}
    assert chart(view, "labels.coverage").points[0].n == 100


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"range": "7d"}, [103.0 + k for k in range(7)]),
        ({"range": "all"}, [100.0 + k for k in range(10)]),
        ({"from_": "2026-09-02", "to": "2026-09-03"}, [101.0, 102.0]),
        ({"version": "v2", "range": "7d"}, [60.0] * 7),
        ({"segment": "region=EU", "from_": "2026-09-10"}, [7.0]),
    ],
)
def test_the_address_says_which_windows_and_rows_are_charted(past: World, query, expected) -> None:
    view = seen(past, **query)
    assert values(chart(view, "operations.total_requests")) == expected
    assert {n.name: n.value for n in view.numbers}["total requests"] == 109  # the headline stays that of all rows
    assert set(view.choices.versions) == {"v2"}
    assert view.choices.segments == ("region=EU",)


@pytest.mark.parametrize("query", [{"segment": "<img onerror>"}, {"version": "v9"}, {"from_": "2030-01-01"}])
def test_where_nothing_is_selected_the_page_says_so_and_shows_the_rest(past: World, query) -> None:
    page = monitor_page(seen(past, **query))
    assert "Nothing was measured of what is selected" in page
    assert "<img onerror" not in page
    assert "total requests" in page


def test_a_monitor_without_any_window_has_a_page(small: World) -> None:
    assert "No window has been measured yet." in monitor_page(seen(small, range="all", feature="amount"))


def test_of_a_long_range_every_number_but_drift_is_read_and_the_page_says_so(
    past: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curves, "MOST_OF_DRIFT", 5)
    view = seen(past, range="all")
    assert len(chart(view, "operations.total_requests").points) == 10
    assert len(chart(view, "drift.drift_share").points) == 5
    assert chart(view, "drift.drift_share").note.startswith("One window in 2")
    assert chart(view, "operations.total_requests").note == ""
    assert view.heat is not None
    assert view.heat.every == 2
    assert view.heat.last == FIRST + 9 * DAY
    assert "Of drift one window in 2 is read here" in monitor_page(view)


def test_a_feature_asked_for_has_its_own_charts_and_row(past: World) -> None:
    view = seen(past, feature="amount")
    assert chart(view, "drift.psi").title == "amount: psi"
    assert view.heat is not None
    assert [feature for feature, _ in view.heat.rows] == ["amount"]


def test_what_happened_is_told_newest_first_and_only_of_the_range(small: World) -> None:
    write(small, Kind.OPERATIONS, 0, [a_measurement()])
    write(small, Kind.OPERATIONS, 9, [a_measurement()])
    with small.resources.ledger.locked("credit") as tx:
        note_versions(tx, FIRST, ["v1"])
        note_versions(tx, FIRST + 3 * DAY, ["v2"])
    for since in (FIRST - 30 * DAY, FIRST + 5 * DAY):
        add_silence(small.resources.ledger, "credit", Silence(since, since + DAY, "ann", "known", asked_at=since))
    found = seen(small).happened
    assert [(mark.kind, mark.when) for mark in found] == [("silence", FIRST + 5 * DAY), ("deploy", FIRST + 3 * DAY)]
    assert found[0].until == FIRST + 6 * DAY
    page = monitor_page(seen(small))
    assert "v2 first seen" in page
    assert "silence of everything by ann" in page


def test_what_happened_behind_the_range_is_not_told_of_it(small: World) -> None:
    lived(small)
    with small.resources.ledger.locked("credit") as tx:
        for day, version in enumerate(("v1", "v2", "v3")):
            note_versions(tx, FIRST + 3 * day * DAY, [version])
    told = [mark.text for mark in seen(small, from_="2026-09-01", to="2026-09-05").happened]
    assert told == ["v2 first seen"]


def test_of_many_incidents_the_gravest_are_drawn_beside_every_deploy() -> None:
    many = [Mark(FIRST, f"of f{k}", "incident", None, "P2") for k in range(2000)]
    few = [Mark(FIRST, "v2", "deploy"), Mark(FIRST, "accuracy", "incident", None, "P0")]
    kept = drawn([*many, *few])
    assert len(kept) == MOST
    assert set(few) <= set(kept)


@pytest.mark.parametrize(
    ("service", "severity", "expected"),
    [
        ("healthy", {"P0": 1}, "critical"),
        ("healthy", {"P1": 3, "P2": 1}, "warning"),
        ("healthy", {"P2": 9}, "healthy"),
        ("critical", {"P1": 1}, "critical"),
        ("unknown", {"P0": 1}, "critical"),
        ("unknown", {}, "unknown"),
    ],
)
def test_the_dot_is_the_worst_of_service_and_what_is_open(service, severity, expected) -> None:
    assert worst(MonitorState("credit", "active", service, FIRST, severity, ())) == expected


def profile(*counts: float) -> list[Measurement]:
    return [
        a_measurement("bin_count", count, feature="amount", bin=f"[{k},{k + 1})", reference=50.0)
        for k, count in enumerate(counts)
    ]


def distribution(world: World, **query: str) -> Any:
    asked = selected({"feature": "amount", **{name.rstrip("_"): value for name, value in query.items()}})
    return pipeline.distribution_view("credit", asked, world.resources, now=datetime.now(FIRST.tzinfo))


def test_a_distribution_stands_beside_the_reference_and_the_last_window_that_had_not_drifted(small: World) -> None:
    for day in range(10):
        drifted = [a_measurement("drifted", float(day > 6), feature="amount")]
        write(small, Kind.DRIFT, day, drifted)
        write(small, Kind.PROFILE, day, profile(50, 50) if day <= 6 else profile(10, 90))
    view = distribution(small, from_="2026-09-09")
    assert (view.start, view.then) == (FIRST + 8 * DAY, FIRST + 6 * DAY)
    assert [bar.said for bar in bars(view.bins)] == [("50 %", "10 %", "50 %"), ("50 %", "90 %", "50 %")]
    assert (view.before.href, view.after.href) == (
        "?feature=amount&from=2026-09-08T00%3A00Z",
        "?feature=amount&from=2026-09-10T00%3A00Z",
    )
    assert distribution(small).start == FIRST + 9 * DAY
    assert distribution(small).after is None


def test_without_a_distribution_or_a_window_before_there_are_words_or_no_page(small: World) -> None:
    assert distribution(small) is None
    write(small, Kind.PROFILE, 0, profile(1, 2))
    assert distribution(small).then is None
    assert "only the reference stands beside" in distribution(small).why
    assert distribution(small, segment="region=<img>").bins == ()


@pytest.mark.parametrize(("moment", "bins"), [("0001-01-01", 0), ("9999-12-31T23:59Z", 2)])
def test_an_address_may_say_any_moment(small: World, moment: str, bins: int) -> None:
    write(small, Kind.PROFILE, 0, profile(1, 2))
    assert len(distribution(small, from_=moment).bins) == bins


def test_bins_of_another_reference_do_not_stand_beside_a_distribution(small: World) -> None:
    for day, edge in ((0, "1"), (1, "2")):
        write(small, Kind.DRIFT, day, [a_measurement("drifted", float(day), feature="amount")])
        bins = [f"(-inf,{edge})", f"={edge}"]
        counts = [a_measurement("bin_count", 5.0, feature="amount", bin=name, reference=50.0) for name in bins]
        write(small, Kind.PROFILE, day, counts)
    view = distribution(small)
    assert (view.then, "changed since" in view.why) == (None, True)
    assert [bar.text for bar in bars(view.bins)] == ["below 2", "2"]
