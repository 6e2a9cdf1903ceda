"""Tables of the speed bench: printed, and written into docs/benchmarks.md and the README from the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
TITLES = {
    "drift": "profile and every drift metric with their tests",
    "evidently_default": "Evidently `DataDriftPreset()`",
    "evidently_psi": 'Evidently `DataDriftPreset(method="psi")`',
    "nannyml": "NannyML `UnivariateDriftCalculator`, Jensen-Shannon alone, without its fit",
    "window_job": "the whole window job: read from PostgreSQL, operations, quality, profile, drift, snapshots",
    "fetch_and_write": "for comparison: the bare ADBC fetch of the same rows and their Parquet file",
    "freeze": "freeze the reference, once for a monitor",
}
BASE = {"evidently_default": "drift", "evidently_psi": "drift", "nannyml": "drift", "window_job": "fetch_and_write"}
README_ROWS = ("drift", "evidently_default", "evidently_psi", "nannyml", "window_job", "fetch_and_write")
Found = dict[str, Any]
Goal = tuple[str, str, str, Callable[[float], bool]]
GOALS: tuple[Goal, ...] = (
    ("evidently_default_ratio", "Evidently's default tests over our drift", "≥ 60", lambda v: v >= 60),
    ("evidently_psi_ratio", "Evidently's PSI over our drift", "≥ 30", lambda v: v >= 30),
    ("nannyml_ratio", "one method of NannyML over our drift", "≥ 3", lambda v: v >= 3),
    ("window_job_over_fetch_and_write", "the window job over the bare fetch and write", "≤ 2", lambda v: v <= 2),
    ("rss_mb_1m", "peak memory of the window job, 1 M × 28, MB", "≤ 274", lambda v: v <= 274),
    ("rss_mb_10m", "peak memory of the window job, 10 M × 28, MB", "< 500", lambda v: v < 500),
)


def show(found: Found) -> None:
    """Print what was measured and how it stands to the goals."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for n, rows in ((n, lines(found, n)) for n in found["rows"]):
        table = Table("what", "seconds", "peak MB", "ratio", title=f"{int(n):,} rows × 28")
        for row in rows:
            table.add_row(*row)
        console.print(table)
    table = Table("goal", "wanted", "measured", "", title="Goals, at a million rows")
    for goal in goals(found):
        table.add_row(*goal)
    console.print(table)


def lines(found: Found, n: str, parts: Iterable[str] = tuple(TITLES)) -> list[tuple[str, str, str, str]]:
    """Return a row for each part: its title, seconds, memory and how many times the part it is compared with."""
    measured = found["rows"][n]
    rows = []
    for part in (part for part in parts if part in measured):
        numbers, base = measured[part], measured.get(BASE.get(part, ""))
        if numbers is None:
            rows.append((TITLES[part], "not there", "", ""))
            continue
        ratio = f"{numbers['seconds'] / base['seconds']:.1f} × {_short(BASE[part])}" if base else ""
        rows.append((TITLES[part], f"{numbers['seconds']:.2f}", f"{numbers['rss_mb']:,.0f}", ratio))
    return rows


def _short(part: str) -> str:
    return "ours" if part == "drift" else "the bare fetch"


def goals(found: Found) -> list[tuple[str, str, str, str]]:
    """Return a row for each goal: what, the goal, the number, and whether it is met."""
    rows = []
    for name, what, wanted, holds in GOALS:
        value = found.get(name)
        state = "not measured" if value is None else "met" if holds(value) else "missed"
        rows.append((what, wanted, "–" if value is None else f"{value:,.1f}", state))
    return rows


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))


def write_tables(found: Found) -> None:
    """Put the numbers between the marks of docs/benchmarks.md and, of a million rows, of the README."""
    head = ("what", "seconds", "peak memory, MB", "ratio")
    sizes = [f"### {int(n):,} rows\n\n{markdown(head, lines(found, n))}" for n in found["rows"]]
    reached = markdown(("goal", "wanted", "measured", ""), goals(found))
    _between_marks(ROOT / "docs" / "benchmarks.md", [about(found), *sizes, "### Goals, at a million rows", reached])
    if "1000000" in found["rows"]:
        _between_marks(ROOT / "README.md", [markdown(head, lines(found, "1000000", README_ROWS))])


def about(found: Found) -> str:
    """Say where, when and with what the numbers were measured."""
    peer = next((rows["nannyml"] for rows in found["rows"].values() if rows.get("nannyml")), None)
    versions = found["versions"] | ({"NannyML": peer["version"]} if peer else {})
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    run = f"Measured on {found['measured']} by `{found['command']}` on {found['machine']}"
    return f"{run}: Python {found['python']}, {listed}."


def _between_marks(path: Path, parts: list[str]) -> None:
    text = path.read_text()
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    path.write_text("\n\n".join((before + BEGIN, *parts, END + after)))
