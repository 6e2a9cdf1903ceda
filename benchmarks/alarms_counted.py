"""Counted alarms: false alarms and power of drift where the warehouse counts, whose gate is a bound from the bins.

`python -m benchmarks.alarms_counted` draws windows of ten normal columns, each with a reference of its own, counts the
window at the frozen borders and asks the product's own comparison of counts and, of the same draws, that of rows.
Prints the shares and writes benchmarks/results/alarms_counted.json; they depend on the seed and the draws alone.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.alarms_cells import PER_WINDOW, generator
from benchmarks.alarms_draws import METHOD, SAME, Change, Draw, drifted, fitted, learn_from_rows
from hindsight.checks.reference.columns import sample_of
from hindsight.checks.reference.thresholds import weight
from hindsight.checks.statistics.intervals import wilson
from hindsight.checks.values.counted import ENDS, Cells, CountedNumbers, borders
from hindsight.checks.values.samples import Numbers

RESULTS = Path(__file__).parent / "results" / "alarms_counted.json"
FEATURES, SEED = 10, 20261120
CHANGES = (SAME, Change("shift 0.25", shift=0.25))
GOALS = {"none": "goal at most 1 %", "shift 0.25": "goal at least 85 %"}


def counted(rows: np.ndarray, cuts: list[float]) -> CountedNumbers:
    """Count finite numbers between cuts, as a statement of the warehouse does."""
    places = np.searchsorted(cuts, rows, side="right")
    found = []
    for place in np.unique(places).tolist():
        some = rows[places == place]
        sums: dict[str, Any] = {"total": some.sum(), "variance": some.var(), "low": some.min(), "high": some.max()}
        found.append({"place": place, "n": len(some), "whole": int((some % 1 == 0).sum())} | sums)
    return CountedNumbers.from_cells(Cells.of(pa.Table.from_pylist(found), cuts))


def draws(rng: np.random.Generator, n: int, change: Change) -> dict[str, Draw]:
    """Draw a column's reference and window once; return what rows and what counts say of them."""
    reference, window = rng.standard_normal(PER_WINDOW * n), rng.standard_normal(n) + change.shift
    [known], values = fitted(reference, n)
    cuts = sorted({*borders(known.bins, known.deciles), *ENDS})
    sides = {"rows": Numbers.of(window.copy()), "counts": counted(window, cuts)}
    found = {}
    for way, sample in sides.items():
        comparison = known.compare(sample_of(known, values), sample)
        size, p = weight(METHOD, comparison), comparison.p_value
        if size is None or p is None:
            raise ValueError("a column with rows on both sides has an effect and a p-value")
        found[way] = Draw(size, p, lambda: learn_from_rows(reference, n), lambda: (reference, window))
    return found


def alarms(n: int, windows: int, change: Change) -> Iterator[str]:
    """Yield `rows` or `counts` for each window of ten columns in which the first, the changed one, drifts.

    Where nothing changed any of the ten is an alarm.
    """
    rng = generator(SEED, f"counted/{change.name}/n={n}", 0)
    for _ in range(windows):
        drawn = [draws(rng, n, change), *(draws(rng, n, SAME) for _ in range(FEATURES - 1))]
        for way in ("rows", "counts"):
            flags = drifted([one[way] for one in drawn])["auto"]
            if any(flags if change is SAME else flags[:1]):
                yield way


def main() -> None:
    """Draw, print and keep the shares."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--n", type=int, nargs="+", default=[1_000, 10_000])
    options.add_argument("--windows", type=int, default=1_000)
    asked = options.parse_args()
    kept = []
    for n in asked.n:
        for change in CHANGES:
            found = Counter(alarms(n, asked.windows, change))
            for way in ("rows", "counts"):
                low, high = wilson(found[way], asked.windows)
                row = {"n": n, "change": change.name, "by": way, "windows": asked.windows, "alarms": found[way]}
                kept.append(row | {"lower": low, "upper": high})
                share = f"{found[way] / asked.windows:.2%} ({low:.2%} to {high:.2%})"
                print(f"{n:>7,} rows  {change.name:10}  by {way:6}  {share}  {GOALS[change.name]}", flush=True)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(kept, indent=1))


if __name__ == "__main__":
    main()
