"""The page of the fleet bench: what a monitor costs, beside the goals, as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Numbers = Mapping[str, Any]
# What is measured, its row in fleet.json, and what it is held to: seconds, or the row it is held against and how often.
Goals = tuple[tuple[str, str, float | tuple[str, float]], ...]
RUNS: Goals = (
    ("quiet window, no suite", "quiet_run_cpu_s", 2.2),
    ("quiet window, suite", "quiet_run_suite_cpu_s", 4.5),
    ("quiet window, suite, preloaded", "quiet_run_preloaded_cpu_s", 1.6),
    ("window that breaches, suite and both pages, preloaded", "breaching_run_preloaded_cpu_s", 4),
    ("night of two windows, preloaded", "night_cpu_s", 6),
)
WAYS = (
    ("_floor", "DAGs without a task, as many files"),
    ("", "a file for each monitor"),
    ("_shipped", "all monitors in one file"),
    ("_before", "those of another checkout"),
)
LOOP = re.compile(r"changed_of_(\d+)_cpu_s")
TASKS = ("quiet_run_preloaded_cpu_s", "breaching_run_preloaded_cpu_s", "night_cpu_s")


_HOW = (
    "Written by `make bench-fleet`, a part at a time (`PART=parsing`, `PART=runs`); what each does is said at the head",
    "of `benchmarks/fleet_<part>.py`, what follows for your machine in [sizing.md](sizing.md). CPU seconds are those",
    "the operating system counts, children included. They are longer where other work waits for the same cores:",
    "how many processes did, the mean of the last quarter of an hour, stands below.",
)


def page(found: Numbers, before: Numbers) -> str:
    """Return the whole page from the rows of fleet.json; `before` are those of an earlier build."""
    return "\n".join(
        [
            "# What a fleet of monitors costs",
            "",
            *_HOW,
            "",
            *_when(found),
            "",
            "| what | CPU s | before | goal | |",
            "| --- | --- | --- | --- | --- |",
            *_rows(found, before),
            "",
            "## By task",
            "",
            "| what | task | CPU s |",
            "| --- | --- | --- |",
            *_by_task(found),
            "",
            "## Parsing",
            "",
            "| DAG files | DAGs | CPU s a loop | of that the manager |",
            "| --- | --- | --- | --- |",
            *_parsing(found),
            "",
        ]
    )


def _monitors(found: Numbers) -> list[int]:
    """How many monitors were parsed, the most first: 500, or a few for a quick look."""
    return sorted((int(m[1]) for m in map(LOOP.fullmatch, found) if m), reverse=True)


def _goals(found: Numbers) -> Goals:
    parsed: Goals = ()
    for many in _monitors(found):
        floor = f"loop_{many}_floor_cpu_s"
        what = f"{many} monitors, a loop of the DAG processor, a file each"
        parsed += ((what, f"loop_{many}_cpu_s", (floor, 2)),)
        parsed += ((f"one changed file of {many}", f"changed_of_{many}_cpu_s", 0.5),)
    return parsed + RUNS


def _when(found: Numbers) -> Iterator[str]:
    for part, measured in sorted(found["measured"].items()):
        busy = f", {measured['waiting']:.1f} processes for each core" if "waiting" in measured else ""
        yield f"- `{part}`: {measured['at'][:16].replace('T', ' ')} UTC on {measured['on']}{busy}"


def _rows(found: Numbers, before: Numbers) -> Iterator[str]:
    for what, row, goal in _goals(found):
        if row in found:
            limit = goal if isinstance(goal, int | float) else goal[1] * found[goal[0]]
            said = f"≤ {limit:.3g}" if isinstance(goal, int | float) else f"≤ {goal[1]} × the floor, {limit:.3g}"
            earlier = f"{before[row]:.2f}" if row in before else ""
            held = "held" if found[row] <= limit else "**missed**"
            yield f"| {what} | {found[row]:.2f} | {earlier} | {said} | {held} |"


def _by_task(found: Numbers) -> Iterator[str]:
    names = {row: what for what, row, _ in RUNS}
    for row in TASKS:
        for name in sorted(found):
            if name.startswith(f"{row}_") and not name.endswith("_before"):
                yield f"| {names[row]} | `{name.removeprefix(f'{row}_')}` | {found[name]:.2f} |"


def _parsing(found: Numbers) -> Iterator[str]:
    for title, said in ((f"loop_{many}{way}", said) for many in _monitors(found) for way, said in WAYS):
        if f"{title}_cpu_s" in found:
            manager = found[f"{title}_manager_cpu_s"]
            yield f"| {said} | {found[f'{title}_dags']:.0f} | {found[f'{title}_cpu_s']:.1f} | {manager:.1f} |"
