"""A monitor's page in Chromium: charts drawn under its policy, told under the mouse, zoomed together, kept as PNG."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from hindsight.reports.charts import Chart, Line, Mark, Point
from hindsight.reports.pages import MonitorCard, MonitorView, monitor_page
from tests.builders import DAY, a_window, at
from tests.reports.browser import CHROMIUM, Tab, open_page
from tests.reports.pages import EVIL

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
START = at("2026-08-01")
KEEP = "window.kept=[];HTMLAnchorElement.prototype.click=function(){fetch(this.href)};"
KEEP += "URL.createObjectURL=(blob)=>{kept.push([blob.type,blob.size]);return 'blob:x'}"


def a_page() -> str:
    """Two charts of a month, with hostile names wherever a name is shown."""
    points = tuple(Point(START + k * DAY, 0.9 - k / 100, 0.8, 0.95, k > 27, EVIL, 300) for k in range(30))
    marks = (Mark(START + 9 * DAY, EVIL, "deploy"), Mark(START + 12 * DAY, EVIL, "incident", None, "P0"))
    more = (Line("expected", tuple(replace(point, value=0.9) for point in points)),)
    charts = tuple(Chart(name, "share", points, 0.7, marks, name, "measured", more) for name in (EVIL, "error rate"))
    card = MonitorCard("credit", "credit", "active", last_window=a_window("2026-08-30"))
    return monitor_page(MonitorView(card, START + 30 * DAY, charts=charts, happened=marks))


@pytest.fixture(scope="module", params=[(1440, "light"), (390, "dark")], ids=["wide light", "narrow dark"])
def tab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    width, scheme = request.param
    with open_page(a_page(), tmp_path_factory.mktemp("chromium"), width=width, scheme=scheme) as opened:
        opened.until("document.querySelectorAll('.drawn canvas').length === 2")
        yield opened


def plot(tab: Tab) -> tuple[float, float, float, float]:
    """Where the first chart's plot lies in the window: left, top, width, height."""
    tab.run("document.querySelector('#over-time').scrollIntoView()")
    box = "const b = document.querySelector('.u-over').getBoundingClientRect(); [b.left, b.top, b.width, b.height]"
    left, top, width, height = tab.run(f"(() => {{ {box.replace('; [', '; return [')} }})()")
    return left, top, width, height


def test_charts_are_drawn_without_a_complaint_and_without_scrolling_sideways(tab: Tab) -> None:
    assert tab.run("document.documentElement.scrollWidth <= innerWidth")
    assert tab.run("document.querySelector('.legend.key').clientWidth > 200")  # no swatch
    assert tab.run("getComputedStyle(document.querySelector('.drawn > svg')).display") == "none"
    assert tab.complaints == []


def test_under_the_mouse_a_window_is_told_and_markup_stays_text(tab: Tab) -> None:
    left, top, width, height = plot(tab)
    tab.mouse("Moved", left + width / 2, top + height / 2)
    tab.until("!document.querySelector('.tip').hidden")
    text = tab.run("document.querySelector('.tip').innerText")
    for words in ("2026-08-1", "measured 7", "80 % to 95 %", "n 300", "expected 90 %", "<script>alert(1)</script>"):
        assert words in text
    assert tab.run("document.querySelectorAll('.tip script, .tip img').length") == 0
    assert tab.complaints == []


def test_dragging_zooms_and_offers_the_address_of_what_is_seen(tab: Tab) -> None:
    left, top, width, height = plot(tab)
    middle = top + height / 2
    tab.mouse("Pressed", left + width / 4, middle, button="left", clickCount=1)
    tab.mouse("Moved", left + width / 2, middle, button="left", buttons=1)
    tab.mouse("Released", left + width / 2, middle, button="left", clickCount=1)
    tab.until("!document.getElementById('zoomed').hidden")
    query = tab.run("document.getElementById('zoomed').getAttribute('href')")
    assert query.startswith("?from=2026-08-0")
    assert "to=2026-08-1" in query
    for _ in range(2):
        tab.mouse("Pressed", left + width / 2, middle, button="left", clickCount=2)
        tab.mouse("Released", left + width / 2, middle, button="left", clickCount=2)
    tab.until("document.getElementById('zoomed').hidden")


def test_a_chart_is_kept_as_a_picture(tab: Tab) -> None:
    tab.run(f"(() => {{ {KEEP} }})()")
    tab.run("[...document.querySelectorAll('.tools button')].find((one) => one.textContent === 'PNG').click()")
    kind, size = tab.until("window.kept[0]")
    assert kind == "image/png"
    assert size > 2000


def test_the_switch_of_airflow_decides_between_light_and_dark(tab: Tab) -> None:
    paper = "getComputedStyle(document.documentElement).getPropertyValue('--paper')"
    found = {}
    for chosen in ("dark", "light"):
        tab.run(f"localStorage.setItem('theme', '{chosen}'); dispatchEvent(new StorageEvent('storage'))")
        found[chosen] = tab.run(paper).strip()
    tab.run("localStorage.removeItem('theme'); dispatchEvent(new StorageEvent('storage'))")
    assert found == {"dark": "#14171a", "light": "#fbfbfa"}
