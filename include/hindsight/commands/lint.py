"""The lint command: every error of every monitor file, and the budgets that a file itself cannot keep."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hindsight.commands.console import counted, err, out, print_json
from hindsight.monitors.loader import monitor_files, require_folder
from hindsight.settings import read_settings

if TYPE_CHECKING:
    from hindsight.errors import Problem
    from hindsight.settings import Settings


def lint(
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE...]")] = None,
    connect: Annotated[
        bool, typer.Option("--connect", help="look at the warehouse, and at what is on record, too")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> int:
    """Check monitor files, their suites and train functions, and list every error; all files without arguments.

    Warns of an alerts.budget that cannot be kept by the file as it stands, which is no error.
    """
    from hindsight.airflow.connections import open_warehouse
    from hindsight.pipeline.lint import lint as lint_files
    from hindsight.pipeline.lint import warnings

    settings = read_settings()
    paths = files or [require_folder(settings.monitors)]
    checked = [file for path in paths for file in (monitor_files(path) if path.is_dir() else [path])]
    warehouse = partial(open_warehouse, settings=settings) if connect else None
    problems = lint_files(checked, great_expectations=settings.great_expectations, warehouse=warehouse)
    doubts = warnings(checked) + (_on_record(checked, settings) if connect else [])
    if as_json:
        _print_json(problems, doubts)
    else:
        _print(
            problems, doubts, f"{counted(len(checked), 'file')}, no errors" if checked else f"no files in {paths[0]}"
        )
    return 1 if problems else 0


def _on_record(files: Sequence[Path], settings: Settings) -> list[Problem]:
    """Return what does not go with what is on record, or why that cannot be looked at."""
    from hindsight.airflow.connections import open_resources
    from hindsight.errors import HindsightError, Problem
    from hindsight.pipeline.measure.on_record import doubts_of

    try:
        return doubts_of(files, open_resources(settings))
    except HindsightError as exc:
        return [Problem(f"what is on record was not looked at: {exc}", settings.monitors)]


def _print(problems: Sequence[Problem], doubts: Sequence[Problem], all_well: str) -> None:
    for problem in problems:
        err.print(str(problem), style="red", markup=False)
    for doubt in doubts:
        err.print(f"warning: {doubt}", style="yellow", markup=False)
    if not problems:
        out.print(f"{all_well}, {counted(len(doubts), 'warning')}" if doubts else all_well)


def _print_json(problems: Sequence[Problem], doubts: Sequence[Problem]) -> None:
    levels = [("error", one) for one in problems] + [("warning", one) for one in doubts]
    print_json(
        [
            {"level": level, "file": str(p.file), "line": p.line, "field": p.field, "message": p.message}
            for level, p in levels
        ]
    )
