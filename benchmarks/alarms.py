"""Alarms: how often a window in which nothing changed raises a drift verdict, and how often a change is found.

`python -m benchmarks.alarms` draws thousands of windows for each cell, every one with a reference of its own, and asks
Hindsight's drift code, Evidently's defaults and NannyML's rule about them; then real windows are replayed, if
HINDSIGHT_CASES says where they lie. Prints tables, writes benchmarks/results/alarms.json; `--tables` writes the tables
of docs/benchmarks-alarms.md from that. The numbers depend on the seed and the draws alone, not on the processes.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatch
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks import alarms_tables as tables
from benchmarks.alarms_cells import Cell, Null, Power, Real, Tally, generator, grid, has_case
from benchmarks.alarms_replay import LEFT_OUT, STRETCHES, Stretch, replay
from hindsight.checks.statistics.intervals import wilson

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks-alarms.md"
DRAWS, SEED = 2_000, 20261120
BLOCK = 10  # windows a process draws at a time
LARGEST_RATE, LEAST_AUTO, LEAST_FIXED, MOST_PAGES = 0.01, 0.90, 0.99, 1.0
NO_CASES = "HINDSIGHT_CASES names no folder of cases: no cells of real rows, no replays"


@dataclass(frozen=True, slots=True)
class Task:
    """Some windows of a cell, of which the peers see the first."""

    cell: Cell
    block: int
    windows: int
    peers: int
    seed: int

    def run(self) -> tuple[str, Tally, float]:
        """Draw them; return the cell's name, what was counted, and the processor's seconds it took."""
        began = time.process_time()
        tally = self.cell.block(generator(self.seed, self.cell.name, self.block), self.windows, self.peers)
        return self.cell.name, tally, time.process_time() - began


def tasks(cells: Sequence[Cell], draws: int, seed: int) -> Iterator[Task]:
    """Divide `draws` windows of each cell into blocks; the peers see as large a share of theirs."""
    for cell in cells:
        seen = -(-cell.peers * draws // DRAWS)
        for block, start in enumerate(range(0, draws, BLOCK)):
            windows = min(BLOCK, draws - start)
            yield Task(cell, block, windows, max(0, min(windows, seen - start)), seed)


def measure(
    cells: Sequence[Cell], stretches: Sequence[Stretch], *, draws: int, seed: int = SEED, processes: int = 2
) -> dict[str, Any]:
    """Draw every cell and replay every stretch; return all numbers, goals included."""
    tallies: dict[str, Tally] = {cell.name: Counter() for cell in cells}
    seconds: Counter[str] = Counter()
    replays: list[dict[str, Any]] = []
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool, _progress() as bar:
        work: list[Future[Any]] = [pool.submit(replay, stretch) for stretch in stretches]
        replaying = set(work)
        work += [pool.submit(Task.run, task) for task in tasks(cells, draws, seed)]
        for done in bar.track(as_completed(work), total=len(work), description="windows"):
            if done in replaying:
                replays.append(done.result())
                continue
            name, tally, took = done.result()
            tallies[name].update(tally)
            seconds[name] += took
    found = {
        "cells": [cell for c in cells if isinstance(c, Null | Real) for cell in _cells(c, tallies[c.name])],
        "power": [cell for c in cells if isinstance(c, Power) for cell in _cells(c, tallies[c.name])],
        "replays": sorted(replays, key=lambda one: str(one["name"])),
        "processor_seconds": {name: round(took, 1) for name, took in seconds.items()},
    }
    return summary(found) | found


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True))


def _cells(cell: Cell, tally: Tally) -> Iterator[dict[str, Any]]:
    """Yield one row for each number of features, or each change, with every rule's rate and its interval."""
    column = "change" if isinstance(cell, Power) else "features"
    for what in dict.fromkeys(what for what, *_ in tally):
        rules = dict.fromkeys(rule for other, rule, _ in tally if other == what)
        rates = {rule: rate(tally, what, rule) for rule in rules}
        yield {"name": cell.name, **cell.about(), column: what if column == "change" else int(what), "rules": rates}


def rate(tally: Tally, what: str, rule: str) -> dict[str, Any]:
    """Return how many windows there were, how many alarmed, the rate and its 95 % interval (Wilson)."""
    windows, alarms = tally[what, rule, "windows"], tally[what, rule, "alarms"]
    low, high = wilson(alarms, windows) or (0.0, 1.0)
    share = tally[what, rule, "share_alarms"] / windows
    return {
        "windows": windows,
        "alarms": alarms,
        "rate": alarms / windows,
        "lower": low,
        "upper": high,
        "share_rate": share,
    }


def summary(found: dict[str, Any]) -> dict[str, Any]:
    """Return what the goals are about, and whether they are met; a goal of which nothing was drawn is left out."""
    goals = [goal for goal in (_false(found), *_found(found), _pages(found)) if goal]
    return {goal["key"]: goal["value"] for goal in goals} | {"goals": goals}


def _false(found: dict[str, Any]) -> dict[str, Any] | None:
    own = [(cell, mode, cell["rules"][mode]) for cell in found["cells"] for mode in ("fixed", "auto")]
    if not own:
        return None
    cell, mode, worst = max(own, key=lambda one: one[2]["rate"])
    refuted = [numbers for *_, numbers in own if numbers["lower"] > LARGEST_RATE]
    return {
        "key": "worst_false_alarm_rate",
        "goal": "a window without change raises a drift verdict in at most 1 % of cases, in every cell",
        "value": worst["rate"],
        "interval": [worst["lower"], worst["upper"]],
        "where": f"{cell['name']}, {cell['features']} features, {mode}",
        "met": not refuted,
        "cells": len(own),
    }


def _found(found: dict[str, Any]) -> Iterator[dict[str, Any] | None]:
    for key, change, mode, least in (
        ("power_auto_quarter_sigma", "shift 0.25", "auto", LEAST_AUTO),
        ("power_fixed_half_sigma", "shift 0.5", "fixed", LEAST_FIXED),
    ):
        for cell in found["power"]:
            if cell["n"] == 1_000 and cell["change"] == change:
                numbers = cell["rules"][mode]
                yield {
                    "key": key,
                    "goal": f"{change} σ of one feature in ten at n = 1,000 is found in {least:.0%} of windows, {mode}",
                    "value": numbers["rate"],
                    "interval": [numbers["lower"], numbers["upper"]],
                    "met": numbers["upper"] >= least,
                }


def _pages(found: dict[str, Any]) -> dict[str, Any] | None:
    if not found["replays"]:
        return None
    worst = max(found["replays"], key=lambda one: float(one["pages_per_month"]))
    return {
        "key": "false_pages_per_model_month",
        "goal": "at most one false page for drift in a month of a model, on every clean stretch",
        "value": worst["pages_per_month"],
        "where": worst["name"],
        "met": worst["pages_per_month"] <= MOST_PAGES,
    }


def main() -> None:
    """Measure, print the tables, keep the numbers; or write the page from numbers that were kept."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--draws", type=int, default=DRAWS, help=f"windows of each cell, {DRAWS} without")
    options.add_argument("--cells", default="*", metavar="PATTERN", help="such as 'null/numeric*', 'power*', 'replay*'")
    options.add_argument("--processes", type=int, default=2)
    options.add_argument("--seed", type=int, default=SEED)
    options.add_argument("--tables", action="store_true", help=f"only write docs/{PAGE.name} from the last whole run")
    asked = options.parse_args()
    if asked.tables:
        _write_page(options)
        return
    cells = [cell for cell in grid() if fnmatch(cell.name, asked.cells)]
    stretches = [stretch for stretch in _stretches() if fnmatch(stretch.name, asked.cells)]
    if not cells and not stretches:
        options.error(f"no cell is called {asked.cells!r}; there are {' '.join(_names())}")
    if asked.draws < 1:
        options.error("--draws: at least 1")
    began = time.perf_counter()
    found = measure(cells, stretches, draws=asked.draws, seed=asked.seed, processes=asked.processes)
    about = tables.about(datetime.now(UTC), draws=asked.draws, seed=asked.seed, processes=asked.processes)
    about |= {"cells_asked": asked.cells, "wall_seconds": round(time.perf_counter() - began)}
    about["skipped"] = [LEFT_OUT] if _stretches() else [NO_CASES]
    tables.show(found, about["skipped"])
    whole = asked.cells == "*" and asked.draws >= DRAWS
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / ("alarms.json" if whole else "alarms-part.json")
    path.write_text(json.dumps({"about": about} | found, indent=1))


def _write_page(options: argparse.ArgumentParser) -> None:
    path = RESULTS / "alarms.json"
    if not path.exists():
        options.error("there are no numbers of a whole run yet: make bench-alarms")
    PAGE.write_text(tables.page(json.loads(path.read_text()), PAGE.read_text() if PAGE.exists() else ""))


def _stretches() -> Sequence[Stretch]:
    return [stretch for stretch in STRETCHES if has_case(stretch.case)]


def _names() -> list[str]:
    return [cell.name for cell in grid()] + [stretch.name for stretch in _stretches()]


if __name__ == "__main__":
    main()
