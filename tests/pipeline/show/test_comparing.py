"""Two windows side by side: numbers then and now, columns by how far they moved, one column over its frozen bins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
import sqlalchemy as sa

from hindsight.pipeline.show.comparing import MOST_BARS, Asked, compare_view
from hindsight.reports.compare import CompareView, compare_page
from hindsight.vocabulary.measurement import Kind, Measurement
from tests.builders import a_measurement, at
from tests.pipeline.judge.facts import write
from tests.pipeline.world import World, a_world
from tests.reports.pages import EVIL, Page

THEN, NOW = "2026-09-01", "2026-09-02"


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path, days=(), start=THEN, segments=["region"]) as made:
        yield made


def counted(feature: str, counts: dict[str, int], nulls: int = 0) -> list[Measurement]:
    n = sum(counts.values()) + nulls
    nothing = [a_measurement("bin_count", float(nulls), n=n, feature=feature, bin="<null>", reference=0.0)]
    bins = [a_measurement("bin_count", float(c), n=n, feature=feature, bin=b, reference=1.0) for b, c in counts.items()]
    return [*bins, *nothing * bool(nulls), a_measurement("n", float(n), n=n, feature=feature)]


def compared(world: World, **asked: str) -> CompareView:
    view = compare_view("credit", Asked(at(THEN), at(NOW), **asked), world.resources)
    assert view is not None
    return view


def moved(world: World) -> None:
    for day, value in ((THEN, 0.9), (NOW, 0.6)):
        psi = [a_measurement("psi", value, n=300, feature=name) for name in ("amount", "age")]
        accuracy = [a_measurement("accuracy", value, n=300, reference=0.91)]
        accuracy += [a_measurement("accuracy", value / 2, n=90, segment="region=US")]
        write(world, day, {Kind.PERFORMANCE: accuracy, Kind.DRIFT: psi})


def test_each_number_is_there_then_now_and_on_the_reference(world: World) -> None:
    moved(world)
    [(kind, [pair])] = compared(world).groups
    assert (kind, pair.name, pair.then, pair.now, pair.reference) == ("performance", "accuracy", 0.9, 0.6, 0.91)
    assert pair.change == pytest.approx(-0.3)
    [(_, [of_segment])] = compared(world, segment="region=US").groups
    assert (of_segment.then, of_segment.n_now) == (0.45, 90)


def test_a_column_leads_to_itself_in_the_same_windows(world: World) -> None:
    moved(world)
    view = compared(world)
    assert [one.name for one in view.columns] == ["age", "amount"]
    asked = dict(parse_qsl(view.columns[0].href.removeprefix("?")))
    assert asked == {"then": "2026-09-01T00:00Z", "now": "2026-09-02T00:00Z", "feature": "age"}


def test_the_values_of_a_column_are_shares_of_its_rows_with_nulls(world: World) -> None:
    write(world, THEN, {Kind.PROFILE: counted("region", {"EU": 60, "US": 40})})
    write(world, NOW, {Kind.PROFILE: counted("region", {"EU": 20, "US": 30}, nulls=50)})
    bars = {one.name: (one.then, one.now, one.reference) for one in compared(world, feature="region").bars}
    assert bars == {"EU": (0.6, 0.2, 0.5), "US": (0.4, 0.3, 0.5), "null": (0.0, 0.5, 0.0)}


def test_many_bins_are_put_together_and_shares_still_add_up(world: World) -> None:
    numbers = {f"[{n},{n + 1})": 3 for n in range(99)} | {"(-inf,0)": 1}
    for day in (THEN, NOW):
        write(world, day, {Kind.PROFILE: counted("amount", numbers)})
        write(
            world, day, {Kind.PROFILE: [*counted("amount", numbers), *counted("city", {f"c{n}": 1 for n in range(99)})]}
        )
    for column in ("amount", "city"):
        bars = compared(world, feature=column).bars
        assert len(bars) <= MOST_BARS + 2
        assert sum(one.now or 0 for one in bars) == pytest.approx(1)
    assert compared(world, feature="amount").bars[0].name.startswith("below")


def test_single_values_are_bins_in_their_order_and_nulls_are_rows(world: World) -> None:
    write(world, THEN, {Kind.PROFILE: counted("flag", {"=0": 60, "=1": 20, "=10": 20})})
    write(world, NOW, {Kind.PROFILE: counted("flag", {"=0": 10, "=1": 20, "=10": 20}, nulls=50)})
    bars = [(one.name, one.then, one.now) for one in compared(world, feature="flag").bars]
    assert bars == [("0", 0.6, 0.1), ("1", 0.2, 0.2), ("10", 0.2, 0.2), ("null", 0.0, 0.5)]


def test_a_text_that_says_null_is_no_null(world: World) -> None:
    for day in (THEN, NOW):
        write(world, day, {Kind.PROFILE: counted("region", {"null": 60, "EU": 20}, nulls=20)})
    assert [(one.name, one.now) for one in compared(world, feature="region").bars] == [
        ("null", 0.6),
        ("EU", 0.2),
        ("null", 0.2),
    ]


def test_values_the_reference_never_had_are_no_other_reference(world: World) -> None:
    write(world, THEN, {Kind.PROFILE: counted("flag", {"=0": 60, "=1": 40})})
    beyond = a_measurement("bin_count", 50.0, n=100, feature="flag", bin="(1,inf)", reference=0.0)
    write(world, NOW, {Kind.PROFILE: [*counted("flag", {"=0": 25, "=1": 25}), beyond]})
    view = compared(world, feature="flag")
    assert view.notes == []
    assert [(one.name, one.then, one.now) for one in view.bars][2] == ("above 1", 0.0, 0.5)


def test_bins_of_another_reference_are_not_laid_beside_each_other(world: World) -> None:
    write(world, THEN, {Kind.PROFILE: counted("amount", {"(-inf,1)": 5, "[1,inf)": 5})})
    write(world, NOW, {Kind.PROFILE: counted("amount", {"(-inf,2)": 5, "[2,inf)": 5})})
    view = compared(world, feature="amount")
    assert view.bars == []
    assert any("bins, changed" in note for note in view.notes)


def test_a_window_nobody_measured_is_said_in_words(world: World) -> None:
    page = compare_page(compared(world))
    assert page.count("Nothing is known of the window") == 2
    assert "Nothing is known of how its values lie" in compare_page(compared(world, feature="amount"))
    assert compare_view("nobody", Asked(), world.resources) is None


def test_hostile_names_stay_text(world: World) -> None:
    for day in (THEN, NOW):
        psi = [a_measurement("psi", 1.0, n=30, feature=EVIL, segment=part) for part in ("", EVIL)]
        write(world, day, {Kind.DRIFT: psi, Kind.PROFILE: counted(EVIL, {EVIL: 9})})
    for asked in ({}, {"feature": EVIL}, {"segment": EVIL}):
        page = Page(compare_page(compared(world, **asked)))
        assert (page.tags.count("script"), page.tags.count("img")) == (1, 0)  # that of light and dark
        assert not [name for name, _ in page.attributes if name.startswith("on")]
