"""Tables: the numbers of the alarm benchmark on the terminal and as a page of the documentation."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

MODES = ("fixed", "auto")
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
RULES = {
    "fixed": "Hindsight 0.1",
    "auto": "Hindsight auto",
    "evidently": "Evidently",
    "nannyml": "NannyML 0.1",
    "nannyml_chunks": "NannyML 3 σ",
}
WIDTH = 130
PACKAGES = ("numpy", "scipy", "pyarrow", "pandas", "evidently")
Numbers = dict[str, Any]

HEAD = """# False alarms and power

What Hindsight's drift verdict does when nothing has changed, and when something has; beside Evidently's defaults and
NannyML's rule. `make bench-alarms` measures it, `python -m benchmarks.alarms --tables` writes this page.

"""


def about(now: datetime, *, draws: int, seed: int, processes: int) -> Numbers:
    """Return where, when and with what the numbers were measured."""
    return {
        "measured": f"{now:%Y-%m-%d}",
        "machine": f"{_processor()}, {os.cpu_count()} processors, {platform.system()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "command": f"python -m benchmarks.alarms --draws {draws} --processes {processes} --seed {seed}",
        "draws": draws,
        "seed": seed,
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if line.startswith("model name")] if info.exists() else []
    return names[0].partition(":")[2].strip() if names else platform.machine()


def show(found: Numbers, notes: Sequence[str]) -> None:
    """Print every table, the peers' rates without their intervals."""
    console = Console()
    console = Console(width=max(console.width, WIDTH)) if not console.is_terminal else console
    for title, head, rows in _tables(found, brief=True):
        table = Table(title=title, title_justify="left")
        for place, name in enumerate(head):
            table.add_column(name, justify="left" if place == 0 else "right", overflow="fold")
        for row in rows:
            table.add_row(*row)
        console.print(table)
    for note in notes:
        console.print(note)


def page(found: Numbers, before: str) -> str:
    """Return the page: `before` with what lies between its markers replaced, or a new one."""
    start, end = before.find(BEGIN), before.find(END)
    top = before[:start] if 0 <= start < end else HEAD
    rest = before[end + len(END) :] if 0 <= start < end else "\n"
    return f"{top}{BEGIN}\n{''.join(_sections(found))}{END}{rest}"


def _sections(found: Numbers) -> Iterable[str]:
    facts = found["about"]
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    yield f"\nMeasured {facts['measured']} on {facts['machine']}, Python {facts['python']}, {versions}, in "
    yield f"{facts['wall_seconds'] / 60:.0f} minutes: `{facts['command']}`.\n"
    for title, head, rows in _tables(found, brief=False):
        lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
        yield f"\n## {title}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)
    yield "".join(f"\nLeft out: {note}.\n" for note in facts["skipped"])
    yield "\n"


def _tables(found: Numbers, *, brief: bool) -> Iterable[tuple[str, list[str], list[list[str]]]]:
    """Yield title, head and rows of each table that has rows; rates are in percent of windows."""
    cells = partial(_cells, found["cells"], brief=brief)
    tables = (
        ("Goals", ["goal", "measured", "95 % interval", "met"], [_goal(goal) for goal in found["goals"]]),
        ("False alarms, % of synthetic windows; reference of 20 windows", CELL, cells("null/")),
        ("False alarms, % of synthetic windows; reference of 1,000 rows", CELL, cells("small/")),
        ("False alarms, % of windows of real rows, resampled without overlap", CELL, cells("real/")),
        ("Power: one feature in ten changed, found in % of windows", POWER, _power(found["power"], brief=brief)),
        ("Replays: clean stretches of real windows, `threshold: auto`", REPLAY, _replays(found["replays"])),
    )
    return (table for table in tables if table[2])


CELL = ["columns", "n", "features", "windows", *RULES.values(), "share > 0.3"]
POWER = ["change", "n", "windows", *RULES.values()]
REPLAY = ["case", "what", "windows", "months", "pages", "a month", "notices", "a month"]


def _goal(goal: Numbers) -> list[str]:
    where = f" ({goal['where']})" if "where" in goal else ""
    met = "yes" if goal["met"] else "NO"
    if "interval" not in goal:
        return [goal["goal"], f"{goal['value']:.2f}{where}", "", met]
    return [goal["goal"], f"{goal['value']:.2%}{where}", _interval(*goal["interval"]), met]


def _cells(cells: Sequence[Numbers], group: str, *, brief: bool) -> list[list[str]]:
    return [_cell(cell, brief=brief) for cell in cells if cell["name"].startswith(group)]


def _cell(cell: Numbers, *, brief: bool) -> list[str]:
    share = max(cell["rules"][mode]["share_rate"] for mode in ("fixed", "auto"))
    known = [cell["kind"], f"{cell['n']:,}", str(cell["features"])]
    return [*known, *_rates(cell["rules"], brief=brief), f"{100 * share:.2f}"]


def _power(cells: Sequence[Numbers], *, brief: bool) -> list[list[str]]:
    order = list(dict.fromkeys(cell["change"] for cell in cells))
    ordered = sorted(cells, key=lambda cell: (order.index(cell["change"]), cell["n"]))
    return [[cell["change"], f"{cell['n']:,}", *_rates(cell["rules"], brief=brief)] for cell in ordered]


def _rates(rules: Numbers, *, brief: bool) -> list[str]:
    """Write the number of windows and every rule's rate, and of how many windows where a peer saw fewer."""
    usual = rules["fixed"]["windows"]
    return [f"{usual:,}", *(_rate(rules.get(rule), usual, brief=brief and rule not in MODES) for rule in RULES)]


def _rate(numbers: Numbers | None, usual: int, *, brief: bool) -> str:
    if numbers is None:
        return "-"
    of = "" if numbers["windows"] == usual else f" % of {numbers['windows']:,}"
    interval = "" if brief else f" {_interval(numbers['lower'], numbers['upper'])}"
    return f"{_percent(numbers['rate'])}{of}{interval}"


def _interval(low: float, high: float) -> str:
    return f"[{_percent(low)}–{_percent(high)}]"


def _percent(share: float) -> str:
    return f"{100 * share:.2f}" if share < 0.1 else f"{100 * share:.0f}"


def _replays(replays: Sequence[Numbers]) -> list[list[str]]:
    return [
        [
            one["name"].removeprefix("replay/"),
            one["about"],
            str(one["windows"]),
            f"{one['months']:.1f}",
            str(one["pages"]),
            f"{one['pages_per_month']:.2f}",
            str(one["notices"]),
            f"{one['notices_per_month']:.2f}",
        ]
        for one in replays
    ]
