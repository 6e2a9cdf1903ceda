"""The numbers of charts as others read them: a script in the page as JSON, people's spreadsheets as CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from io import StringIO
from itertools import pairwise
from math import isfinite
from typing import Any

from hindsight.reports.charts import Chart, Mark, Point, spanned

DRAWN = 400  # points of a line in the page; of more, those that stand out are kept
COLUMNS = ("window_start", "line", "value", "lower", "upper", "n", "labels_coming", "note")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def thinned(points: Sequence[Point], most: int = DRAWN) -> tuple[Point, ...]:
    """Return at most about `most` points that draw the same line: of each stretch the lowest and the highest.

    The first and the last stay, a gap stays a gap, and no value is made up.
    """
    if len(points) <= most:
        return tuple(points)
    stretches = max(most // 2 - 1, 1)
    cuts = [1 + round(k * (len(points) - 2) / stretches) for k in range(stretches + 1)]
    found = [points[0]]
    for first, end in pairwise(cuts):
        found += _extremes(points[first:end])
    return (*found, points[-1])


def _extremes(some: Sequence[Point]) -> list[Point]:
    known = [point for point in some if point.value is not None]
    if not known:
        return list(some[:1])
    both = {id(one): one for one in (min(known, key=_value), max(known, key=_value))}
    return sorted(both.values(), key=lambda point: point.start)


def _value(point: Point) -> float:
    return point.value or 0.0


def payload(charts: Sequence[Chart], clean: Callable[[object], object]) -> str:
    """Return the JSON that the page's script draws from, in which nothing can end a script element.

    `clean` takes out of each text what must not be shown. Times are seconds since 1970, lines are columns of numbers.
    """
    marks = {id(mark): mark for chart in charts for mark in chart.marks}.values()
    data = {"charts": [_chart(chart) for chart in charts], "marks": [_mark(mark) for mark in marks]}
    text = json.dumps(_cleaned(data, clean), separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _cleaned(data: Any, clean: Callable[[object], object]) -> Any:
    if isinstance(data, dict):
        return {key: _cleaned(value, clean) for key, value in data.items()}
    if isinstance(data, list) and data and not isinstance(data[0], int | float):
        return [_cleaned(value, clean) for value in data]
    return clean(data) if isinstance(data, str) else data


def _chart(chart: Chart) -> dict[str, Any]:
    starts = sorted({point.start for line in chart.lines for point in thinned(line.points)})
    return {
        "key": chart.key,
        "title": chart.title,
        "unit": chart.unit,
        "threshold": _number(chart.threshold),
        "x": [int(start.timestamp()) for start in starts],
        "lines": [_line(line.name, line.points, starts) for line in chart.lines],  # a window one keeps all keep
    }


def _line(name: str, points: Sequence[Point], starts: Sequence[datetime]) -> dict[str, Any]:
    at = {point.start: point for point in points}
    found = [at.get(start) for start in starts]
    columns: dict[str, list[Any]] = {
        "v": [None if p is None else _number(p.value) for p in found],
        "lo": [None if p is None else _number(p.lower) for p in found],
        "hi": [None if p is None else _number(p.upper) for p in found],
        "n": [None if p is None else p.n or None for p in found],
    }
    kept = {key: values for key, values in columns.items() if key == "v" or any(v is not None for v in values)}
    notes = {str(k): p.note for k, p in enumerate(found) if p is not None and p.note}
    return {"name": name, **kept, "notes": notes, "young": [k for k, p in enumerate(found) if p and p.immature]}


def _mark(mark: Mark) -> dict[str, Any]:
    return {
        "from": int(mark.when.timestamp()),
        "to": int(mark.until.timestamp()) if mark.until else None,
        "lasts": mark.lasts,
        "kind": mark.kind,
        "severity": mark.severity,
        "text": f"{spanned(mark)}: {mark.text}",
    }


def _number(value: float | None) -> float | None:
    """Six digits are more than a drawing shows; what is no number of JSON's is none."""
    return None if value is None or not isfinite(value) else float(f"{value:.6g}")


def as_csv(chart: Chart) -> str:
    """Return every number of a chart, one row a window and line, as a spreadsheet opens it without running it."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_rows(chart))
    return out.getvalue()


def _rows(chart: Chart) -> Iterator[tuple[object, ...]]:
    for line in chart.lines:
        for p in line.points:
            start = p.start.isoformat().replace("+00:00", "Z")
            yield start, _text(line.name), p.value, p.lower, p.upper, p.n or None, int(p.immature), _text(p.note)


def _text(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
