"""A chart's numbers for a script and a spreadsheet: all that stands out stays, nothing in them runs."""

from __future__ import annotations

import csv
import json
from io import StringIO
from math import inf, nan

from hypothesis import given
from hypothesis import strategies as st

from hindsight.reports.charts import Chart, Line, Mark, Point
from hindsight.reports.plots import as_csv, payload, thinned
from tests.builders import HOUR, at
from tests.reports.pages import EVIL

START = at("2026-01-01")
values = st.lists(st.floats(-1e6, 1e6) | st.none(), min_size=1, max_size=300)


def series(found: list[float | None]) -> tuple[Point, ...]:
    return tuple(Point(START + k * HOUR, value, n=k) for k, value in enumerate(found))


@given(values, st.integers(4, 50))
def test_a_line_of_few_points_keeps_its_ends_and_what_stands_out(found, most) -> None:
    points = series(found)
    kept = thinned(points, most)
    assert len(kept) <= most or kept == points
    assert set(kept) <= set(points)
    assert list(kept) == sorted(kept, key=lambda point: point.start)
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    known = [value for value in found if value is not None]
    if known:
        left = [point.value for point in kept if point.value is not None]
        assert (min(left), max(left)) == (min(known), max(known))


def test_a_year_of_hours_is_drawn_with_a_few_hundred_points() -> None:
    assert len(thinned(series([float(k % 7) for k in range(8760)]))) <= 400


def test_nothing_a_name_or_note_says_ends_the_script_element() -> None:
    points = (Point(START, 1.0, note="</script><!--" + EVIL),)
    text = payload([Chart(EVIL, "share", points, marks=(Mark(START, EVIL),), name=EVIL)], lambda value: value)
    assert not set("<>&") & set(text)
    assert json.loads(text)["charts"][0]["title"] == EVIL
    assert json.loads(text)["charts"][0]["lines"][0]["notes"] == {"0": "</script><!--" + EVIL}


def test_what_is_no_number_of_json_is_none() -> None:
    text = payload([Chart("kpi", "number", series([inf, nan, -inf, 1 / 3]))], lambda value: value)
    assert json.loads(text)["charts"][0]["lines"][0]["v"] == [None, None, None, 0.333333]


def test_lines_share_their_windows_and_a_window_one_lacks_is_a_gap() -> None:
    more = (Line("expected", series([0.8, 0.8, 0.8])),)
    chart = Chart("accuracy", "share", series([0.9]), name="measured", more=more)
    [drawn] = json.loads(payload([chart], lambda value: value))["charts"]
    assert [line["v"] for line in drawn["lines"]] == [[0.9, None, None], [0.8, 0.8, 0.8]]
    assert drawn["x"] == [int((START + k * HOUR).timestamp()) for k in range(3)]


def test_of_many_windows_no_line_gets_gaps_by_what_stands_out_in_another() -> None:
    p50, p95 = (series([float(k * step % 97) for k in range(2000)]) for step in (31, 57))
    [drawn] = json.loads(payload([Chart("latency", "ms", p95, more=(Line("p50", p50),))], lambda value: value))[
        "charts"
    ]
    assert len(drawn["x"]) < 1000
    assert not [value for line in drawn["lines"] for value in line["v"] if value is None]


def test_a_spreadsheet_holds_every_number_and_runs_none_of_the_texts() -> None:
    points = (Point(START, 0.5, 0.4, 0.6, immature=True, note='=HYPERLINK("x")', n=12), Point(START + HOUR, None))
    rows = list(csv.reader(StringIO(as_csv(Chart("a", "share", points, name="@line")))))
    assert rows[1] == ["2026-01-01T00:00:00Z", "'@line", "0.5", "0.4", "0.6", "12", "1", '\'=HYPERLINK("x")']
    assert rows[2] == ["2026-01-01T01:00:00Z", "'@line", "", "", "", "", "0", ""]
