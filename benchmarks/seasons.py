"""Seasons: how often a monitor is heard when nothing happened, and what it finds, on real logs as they lie in time.

`python -m benchmarks.seasons` replays each log clean, plants faults at onsets of these runs and replays them beside.
The monitor file is what `hindsight init` proposes. Prints a table, writes benchmarks/results/seasons.json and
docs/benchmarks-seasons.md; `--series a,b` takes some, `--quick` one and a sample of the faults, `--yaml` adds a line to
every monitor file (such as 'drift: {threshold: 0.2}'): then only seasons-part.json is written. `--curve` measures at
five thresholds and writes seasons-curve.json, which the page takes in.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from zlib import crc32

import pandas as pd

from benchmarks import seasons_page as page
from benchmarks.seasons_clean import Clean, clean_run, opened
from benchmarks.seasons_grid import cells
from benchmarks.seasons_harm import told_of, worse_stretches
from benchmarks.seasons_peers import peers_on
from benchmarks.seasons_runs import Cell, faulty_run, followed, lasting_run
from benchmarks.seasons_score import Quiet, goals, share
from benchmarks.seasons_series import NAMES, AbsentError, load
from benchmarks.seasons_warehouse import Warehouse

RESULTS = Path(__file__).parent / "results"
FILES = {
    "whole": RESULTS / "seasons.json",
    "part": RESULTS / "seasons-part.json",
    "so far": RESULTS / "seasons-so-far.json",  # what is kept of a run that is stopped
    "curve": RESULTS / "seasons-curve.json",
    "before": Path(__file__).parent / "seasons_before.json",  # what the build before news and cases came to
}
_BESIDE = ("before", "curve")
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks-seasons.md"
MEMORY = Path("/dev/shm")  # stores of a bench need no disk, and writing thousands of small files there is most of it
CHUNK = 6  # faults a task
HEAVY = ("online_retail", "hotel_booking", "household")  # begun first, so that no process waits at the end
THINNED = {"hotel_booking": 2}  # every second cell: its labels come for a year, and each night looks at all of them
QUICK, QUICK_WINDOWS, QUICK_CELLS = "dc_bikes", 40, 3
LASTS = (("shift", "middle", "whole"), ("nulls", "middle", "whole"), ("unit", "middle", "whole"))
CURVE = tuple(f"drift: {{threshold: {limit}}}" for limit in (0.05, 0.1, 0.2, 0.3, 0.5))
CURVE_SERIES, CURVE_CELLS = ("dc_bikes", "parking", "bike_sharing"), 5
WHOLE_GRID = 3  # onsets of each cell and series where all are asked for


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the bench is run: series, YAML added to monitor files, windows and every how-manyth fault."""

    names: tuple[str, ...]
    more: str = ""
    windows: int | None = None
    every: int = 1
    onsets: int = 1
    processes: int = 2


def first_half(name: str, place: Path, asked: Asked) -> dict[str, Any]:
    """Replay one log clean and ask the peers about its windows; return what was counted, or why it is left out."""
    began = time.process_time()
    try:
        series = load(name)
    except AbsentError as exc:
        return {"series": name, "left_out": str(exc)}
    clean = clean_run(series, place, more=asked.more, windows=asked.windows)
    quiet = Quiet.of(clean.told, clean.start, clean.end)
    size, matures = clean.monitor.window, clean.monitor.labels.matures_after
    until = clean.end - matures - 2 * size  # what matures later nobody can have been told of
    worse = worse_stretches(series.frame, series.task, pd.Timedelta(size), clean.start, until)
    return {
        "series": name,
        "source": series.source,
        "licence": series.licence,
        "windows": (clean.end - clean.start) // clean.monitor.window,
        "window_days": clean.monitor.window.days,
        "months": quiet.months,
        "pages": quiet.pages,
        "notices": quiet.notices,
        "pages_per_month": quiet.pages_per_month,
        "notices_per_month": quiet.notices_per_month,
        "told_of": _counted(clean),
        "onsets": [{"start": str(one.start.date()), "told_before": one.told_before} for one in clean.onsets],
        "worse_stretches": len(worse),
        "worse_told": told_of(worse, clean),
        "peers": peers_on(clean, series),
        "cpu_seconds": time.process_time() - began,
    }


def second_half(name: str, place: Path, todo: Sequence[tuple[str, Cell, int]]) -> list[dict[str, Any]]:
    """Plant faults in a log, each at one of its onsets; a task is (found | lasting, cell, number of the onset)."""
    clean, series = opened(place, name)
    with tempfile.TemporaryDirectory(prefix="faults-", dir=place) as folder:
        warehouse = Warehouse(series, Path(folder) / "warehouse.duckdb")
        made = []
        for what, cell, number in todo:
            began = time.process_time()
            run = faulty_run if what == "found" else lasting_run
            result = run(clean, series, clean.onsets[number], cell, warehouse, Path(folder))
            if result is not None:
                made.append(result | {"what": what, "cpu_seconds": round(time.process_time() - began, 2)})
        return made


def todo_of(place: Path, number: int, name: str, asked: Asked) -> Iterator[tuple[str, Cell, int]]:
    """Yield what is planted in a series: of each cell one onset, drawn from series and cell (all if asked).

    So every kind, strength and place meets every series and, over them, each of the onsets; the whole costs a third.
    """
    clean, _ = opened(place, name)
    onsets = len(clean.onsets)
    every = asked.every * THINNED.get(name, 1)
    for at, cell in enumerate(cells()):
        if (at + number) % every or not onsets or not followed(clean.monitor, cell):
            continue
        for turn in range(min(asked.onsets, onsets)):
            wanted = 0 if cell[0] == "ramp" else (crc32("/".join((name, *cell)).encode()) + turn) % onsets
            yield "found", cell, wanted
            if cell[0] == "ramp":
                break
    if onsets:
        skipped = LASTS[number % len(LASTS)]
        yield from (("lasting", cell, number % onsets) for cell in LASTS[:: asked.every] if cell != skipped)


def measure(asked: Asked, place: Path) -> dict[str, Any]:
    """Run what is asked in some processes; return the numbers."""
    RESULTS.mkdir(exist_ok=True)
    order = sorted(asked.names, key=lambda name: name not in HEAVY)
    quiet, planted = [], []
    with ProcessPoolExecutor(asked.processes, mp_context=get_context("spawn")) as pool:
        firsts: dict[Future[Any], str] = {pool.submit(first_half, name, place / name, asked): name for name in order}
        seconds: list[Future[Any]] = []
        for done in as_completed(firsts):
            result = done.result()
            quiet.append(result)
            print(_said(result), flush=True)
            if "left_out" not in result:
                name = firsts[done]
                todo = list(todo_of(place / name, NAMES.index(name), name, asked))
                seconds += [
                    pool.submit(second_half, name, place / name, todo[i : i + CHUNK])
                    for i in range(0, len(todo), CHUNK)
                ]
        for done in as_completed(seconds):
            planted += done.result()
            FILES["so far"].write_text(json.dumps({"series": quiet, "faults": planted}))
            print(f"{sum(one.done() for one in seconds)} of {len(seconds)} batches of faults", flush=True)
    return summary(sorted(quiet, key=lambda one: NAMES.index(one["series"])), planted)


def summary(quiet: Sequence[dict[str, Any]], results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Bring the results into the form of seasons.json."""
    ran = [one for one in quiet if "left_out" not in one]
    planted = [one for one in results if one["what"] == "found" and "left_out" not in one]
    lasting = [one for one in results if one["what"] == "lasting"]
    counted = {one["series"]: Quiet(one["months"], one["pages"], one["notices"]) for one in ran}
    told = [one["cases"] for one in lasting if one["cases"]]
    worse = sum(one["worse_stretches"] for one in ran)
    return goals(counted, planted, told) | {
        "worse_told": sum(one["worse_told"] for one in ran) / worse if worse else None,
        "ramps_told": share(planted, kind="ramp"),
        "series": list(quiet),
        "faults": sorted(planted, key=lambda one: (one["kind"], one["strength"], one["place"], one["series"])),
        "lasting": lasting,
        "left_out": [one for one in results if "left_out" in one],
    }


def curve(asked: Asked, place: Path) -> list[dict[str, Any]]:
    """Measure what is told and found at each of five thresholds, on some series and with every fifth fault."""
    points = []
    for number, line in enumerate(CURVE):
        found = measure(replace(asked, more=line, every=CURVE_CELLS), place / f"point-{number}")
        points.append({"yaml": line} | {key: value for key, value in found.items() if not isinstance(value, list)})
    return points


def _counted(clean: Clean) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in clean.told:
        key = f"{one.severity} {','.join(one.rules)}"
        found[key] = found.get(key, 0) + 1
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _said(one: dict[str, Any]) -> str:
    if "left_out" in one:
        return f"{one['series']}: left out: {one['left_out']}"
    return (
        f"{one['series']}: {one['windows']} windows, {one['pages_per_month']:.2f} pages and "
        f"{one['notices_per_month']:.2f} notices a month, {one['cpu_seconds']:.0f} s of a processor"
    )


def main() -> None:
    """Measure, print the table, keep the numbers; or write the page from numbers that were kept."""
    options = _options()
    given = options.parse_args()
    if given.table:
        _write_page(options)
        return
    names = tuple(given.series.split(",")) if given.series else CURVE_SERIES if given.curve else NAMES
    if unknown := set(names) - set(NAMES):
        options.error(f"--series: no series is called {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    asked = Asked(names, given.yaml, given.windows, given.every, given.onsets, given.processes)
    if given.quick:
        asked = Asked(names if given.series else (QUICK,), given.yaml, QUICK_WINDOWS, QUICK_CELLS)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the processes are the parallelism
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="seasons-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        found = {"points": curve(asked, Path(folder))} if given.curve else measure(asked, Path(folder))
    about = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "wall_seconds": round(time.perf_counter() - began)}
    about |= {"series": list(names), "onsets_a_cell": asked.onsets, "every": asked.every, "yaml": asked.more}
    whole = asked == Asked(NAMES, onsets=asked.onsets, processes=asked.processes)
    _keep("curve" if given.curve else "whole" if whole else "part", {"about": about} | found, options)


def _keep(what: str, found: dict[str, Any], options: argparse.ArgumentParser) -> None:
    FILES[what].write_text(json.dumps(found, indent=1))
    print(page.curve(found) if what == "curve" else page.table(found))
    if what == "whole":
        _write_page(options)


def _write_page(options: argparse.ArgumentParser) -> None:
    if not FILES["whole"].exists():
        options.error("there are no numbers of a whole run yet: make bench-seasons")
    before, points = (json.loads(FILES[what].read_text()) if FILES[what].exists() else None for what in _BESIDE)
    PAGE.write_text(page.page(json.loads(FILES["whole"].read_text()), before=before, points=points))


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--series", metavar="A,B", help=f"some of {', '.join(NAMES)}")
    options.add_argument("--quick", action="store_true", help=f"{QUICK} alone, fewer windows and faults: two minutes")
    options.add_argument("--yaml", default="", help="a line for every monitor file, such as 'drift: {threshold: 0.2}'")
    options.add_argument("--curve", action="store_true", help=f"five thresholds on {', '.join(CURVE_SERIES)}")
    options.add_argument("--onsets", type=int, default=1, choices=range(1, WHOLE_GRID + 1), help="of each cell, 1")
    options.add_argument("--every", type=int, default=1, help="every so-manyth cell only")
    options.add_argument("--windows", type=int, metavar="N", help="only the first N windows of each stretch")
    options.add_argument("--processes", type=int, default=2)
    options.add_argument("--table", action="store_true", help=f"only write docs/{PAGE.name} from the last whole run")
    return options


if __name__ == "__main__":
    main()
