"""The heat map of drift and a feature's distribution: what stands out is shown, what is left out is counted."""

from __future__ import annotations

from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from hindsight.reports.distribution import HEIGHT, WIDTH, Bin, DistributionView, bars, distribution_page
from hindsight.reports.heat import COLUMNS, ROWS, Drift, heat_map
from hindsight.reports.pages import MonitorCard, MonitorView, Number, monitor_page
from tests.builders import DAY, a_window, at
from tests.reports.pages import EVIL, Page

START = at("2026-09-01")


def drift(feature: str, *values: float | None) -> list[Drift]:
    return [Drift(feature, START + k * DAY, value, (value or 0) > 0.2) for k, value in enumerate(values)]


def test_what_moved_furthest_comes_first_and_a_window_without_a_number_stays_empty() -> None:
    found = heat_map([*drift("calm", 0.05, 0.05), *drift("moved", None, 0.3)])
    assert found is not None
    assert [feature for feature, _ in found.rows] == ["moved", "calm"]
    assert [cell.level for cell in found.rows[0][1]] == [-1, 2]
    assert [cell.drifted for cell in found.rows[0][1]] == [False, True]
    assert found.rows[0][1][1].text == "2026-09-02: 0.3, drifted"
    assert found.rows[0][1][1].at == "2026-09-02T00:00Z"


@given(st.lists(st.floats(0, 5), min_size=1, max_size=400))
def test_however_many_windows_the_furthest_is_seen_and_led_to(values) -> None:
    found = heat_map(drift("x", *values))
    assert found is not None
    [(_, cells)] = found.rows
    assert len(cells) <= COLUMNS
    darkest = sum(max(values) >= level for level in (0.1, 0.25, 0.5, 1.0))
    assert max(cell.level for cell in cells) == darkest
    assert START + values.index(max(values)) * DAY in {cell.start for cell in cells}


def test_a_cell_of_several_windows_says_that_one_of_them_drifted_though_another_lay_further() -> None:
    many = [Drift("x", START + k * DAY, 0.9 - k / 1000, k == 1) for k in range(2 * COLUMNS)]
    found = heat_map(many)
    assert found is not None
    [(_, cells)] = found.rows
    assert [cell.drifted for cell in cells] == [True] + [False] * (COLUMNS - 1)


def test_a_long_name_leads_to_its_own_page() -> None:
    name = "é" * 200
    card = MonitorCard("credit", "credit", "active", last_window=a_window("2026-09-01"))
    page = Page(monitor_page(MonitorView(card, START, heat=heat_map(drift(name, 0.3)))))
    [lead] = [value for key, value in page.attributes if key == "href" and "feature?" in value]
    assert dict(parse_qsl(lead.partition("?")[2])) == {"feature": name, "from": "2026-09-01T00:00Z"}


def test_of_two_thousand_features_the_rest_is_counted_and_any_can_be_asked_for() -> None:
    many = [one for k in range(2000) for one in drift(f"f{k:04}", k / 1000)]
    found, alone = heat_map(many), heat_map(many, only="f0007")
    assert found is not None
    assert alone is not None
    assert (len(found.rows), found.hidden) == (ROWS, 2000 - ROWS)
    assert found.rows[0][0] == "f1999"
    assert [feature for feature, _ in alone.rows] == ["f0007"]
    card = MonitorCard("credit", "credit", "active", last_window=a_window("2026-09-01"))
    page = monitor_page(MonitorView(card, START, heat=found))
    assert "1980 more features moved less" in page
    assert len(page) < 100_000


def test_without_any_drift_the_page_says_why() -> None:
    card = MonitorCard("credit", "credit", "active", last_window=a_window("2026-09-01"))
    text = Page(monitor_page(MonitorView(card, START))).text
    assert heat_map([]) is None
    assert "No feature's drift was measured of what is selected" in text
    assert "Nothing was measured of what is selected" in text


def test_a_cell_leads_to_the_distribution_of_its_feature_and_window_whatever_its_name() -> None:
    card = MonitorCard("credit", "credit", "active", last_window=a_window("2026-09-01"))
    page = Page(monitor_page(MonitorView(card, START, heat=heat_map(drift("a&b=<c>", 0.3)))))
    assert ("href", "credit/feature?feature=a%26b%3D%3Cc%3E&from=2026-09-01T00:00Z") in page.attributes


def a_bin(low: float, *counts: float) -> Bin:
    return Bin(f"[{low},{low + 1})", *counts)


def test_numeric_bins_are_in_order_and_neighbours_are_added_up() -> None:
    bins = [Bin("(-inf,1)", 10, 0), *(a_bin(k, 10, 20) for k in range(99, 0, -1)), Bin("[100,inf)", 10, 20)]
    found = bars(bins)
    assert len(found) <= 20
    assert found[0].text == "below 6"
    assert found[-1].text == "from 96"
    assert [bar.x for bar in found] == sorted(bar.x for bar in found)
    assert found[-1].said == ("5 %", "5 %", "–")  # five of 101 bins, and of 100


def test_nulls_and_new_values_are_named_and_a_category_that_came_or_went_is_a_bar() -> None:
    found = bars([Bin("<null>", 0, 5), Bin("<other>", 0, 5), Bin("EU", 90, 0, 9), Bin("[not, a bin", 10, 90, 1)])
    assert [bar.text for bar in found] == ["EU", "[not, a bin", "null", "other values, not in the reference's bins"]
    assert found[0].said == ("90 %", "0 %", "90 %")
    assert found[2].said == ("0 %", "5 %", "0 %")


def test_of_ten_thousand_categories_the_rare_ones_share_a_bar() -> None:
    found = bars([Bin(f"c{k}", 10_000 - k, 1) for k in range(10_000)])
    assert (len(found), found[-1].text) == (21, "9980 rarer categories")


@given(st.lists(st.tuples(st.floats(0, 1e9), st.floats(0, 1e9)), max_size=60))
def test_every_bar_lies_on_the_canvas(counts) -> None:
    for bar in bars([a_bin(k, *some) for k, some in enumerate(counts)]):
        assert 0 <= bar.x <= bar.x + bar.width <= WIDTH + 0.1
        assert 0 <= min(bar.reference, bar.now) <= max(bar.reference, bar.now) <= HEIGHT


def test_hostile_names_stay_text_on_the_page_of_a_distribution() -> None:
    def page(text: str) -> Page:
        numbers = (Number(text, 0.2, "share", note=text),)
        view = DistributionView("credit", text, START, START, (Bin(text, 1, 2, 3),), START, text, text, numbers)
        return Page(distribution_page(view))

    assert page(EVIL).tags == page("tame").tags
    assert "{{7*7}}" in page(EVIL).text


def test_a_window_without_a_distribution_says_so() -> None:
    text = Page(distribution_page(DistributionView("credit", "amount", START, START))).text
    assert "No distribution of amount is on record for this window" in text
