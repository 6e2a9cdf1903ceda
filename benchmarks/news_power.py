"""Power of news: the smallest shift of one column that is named within two windows, by how long the past is.

`python -m benchmarks.news_power` draws days of 28 columns whose numbers vary from day to day by one deviation, shifts
one for two days and prints the smallest shift, in these deviations, that is named in nine of ten draws. A minute.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from hindsight.checks.news.coordinates import Coordinate
from hindsight.checks.news.family import news
from hindsight.checks.news.numbers import Numbers, part
from hindsight.monitors.calendar import USUAL
from hindsight.pipeline.judge.news import rate

DAY = timedelta(days=1)
COLUMNS, DRAWS, N = 28, 40, 100_000
WEEKS = (2, 4, 8, 13)
SHIFTS = np.arange(2.0, 12.0, 0.25)


def share_found(weeks: int, shift: float, rng: np.random.Generator) -> float:
    """Return how often a shift of so many deviations is named, and nothing else, in its second day."""
    return float(np.mean([_is_named(weeks, shift, rng) for _ in range(DRAWS)]))


def _is_named(weeks: int, shift: float, rng: np.random.Generator) -> bool:
    values = rng.normal(0, 0.5, (7 * weeks + 2, COLUMNS))
    values[-2:, 0] += shift * 0.5
    days = [_numbers(row) for row in values]
    found = news(days[-1], days[:-1], [t % 7 for t in range(len(days))], {}, rate=rate(USUAL, DAY))
    return any(one.is_news and one.feature == "c0" for one in found)


def _numbers(row: np.ndarray) -> Numbers:
    found = {(f"c{k}", "location", 1): Coordinate(float(value), 1 / N, N) for k, value in enumerate(row)}
    return {"": part(found, N)}


def smallest(weeks: int, rng: np.random.Generator) -> float:
    """Return the smallest shift that is found in nine of ten draws; NaN where none is."""
    return next((float(shift) for shift in SHIFTS if share_found(weeks, shift, rng) >= 0.9), float("nan"))


def main() -> None:
    """Measure and print."""
    rng = np.random.default_rng(1)
    print("weeks of past   smallest shift found, deviations from day to day")
    for weeks in WEEKS:
        print(f"{weeks:13}   {smallest(weeks, rng):.2f}")


if __name__ == "__main__":
    main()
