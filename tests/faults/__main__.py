"""`make faults`: sweep every operation of every scenario, or each n-th, two scenarios at a time; print the counts."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from tests.faults.scenarios import SCENARIOS
from tests.faults.sweep import Case, swept


def table(found: Sequence[Sequence[Case]]) -> str:
    """How many faults there were at operations of each kind in each scenario, and below it what came of them."""
    names = [scenario.name for scenario in SCENARIOS]
    points = [Counter(case.operation for case in some) for some in found]
    kinds = sorted({kind for counted in points for kind in counted})
    rows = [[kind, *(str(counted[kind]) for counted in points)] for kind in kinds]
    totals = {
        "kills": lambda some: sum(case.killed for case in some),
        "errors": lambda some: sum(not case.killed for case in some),
        "states run again from": lambda some: sum(case.run_again for case in some),
        "violations": lambda some: sum(bool(case.violations) for case in some),
        "seconds": lambda some: round(sum(case.seconds for case in some)),
    }
    rows += [[name, *(f"{count(some):,}" for some in found)] for name, count in totals.items()]
    lines = [["operation", *names], ["---"] * (len(names) + 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(every: int = 1) -> int:
    """Sweep every fault, or each n-th of them; print, and say by the exit code whether all held."""
    began = time.monotonic()
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as workers:
        found = list(workers.map(partial(swept, every=every), SCENARIOS))
    print(table(found))
    violations = sum(bool(case.violations) for some in found for case in some)
    print(f"\n{sum(map(len, found)):,} faults, {violations} violations, {time.monotonic() - began:.0f} s")
    return min(violations, 1)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
