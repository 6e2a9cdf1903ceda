"""Lint: what a monitor file says and what it needs at run time, every error of every file in one pass.

The suite is built as a run would build it, `train` is imported as a retraining would import it and, where a way to the
warehouse is given, the tables and columns are looked for. Great Expectations is imported where a file names a suite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import sqlalchemy as sa

from hindsight.errors import ConfigError, Problem, TrainingError
from hindsight.monitors.budget_checks import budget_warnings
from hindsight.monitors.calendar import Calendar, holidays_of
from hindsight.monitors.document import Document, in_file_order
from hindsight.monitors.loader import lint as lint_files
from hindsight.monitors.loader import read_file
from hindsight.monitors.model import Monitor
from hindsight.monitors.rule_checks import rounded_times
from hindsight.monitors.slo_checks import slo_warnings

Warehouse = Callable[[str], sa.Engine]


def lint(files: Iterable[Path], *, great_expectations: Path, warehouse: Warehouse | None = None) -> list[Problem]:
    """Return every problem of these monitor files and of what they name, in file order.

    `great_expectations` is the folder of the suites; `warehouse` opens the connection a file names, and without it
    tables and columns are not looked for.
    """
    paths = list(dict.fromkeys(files))
    found = lint_files(paths)
    for path in paths:
        try:
            document, monitor, known = read_file(path)
        except ConfigError:
            continue  # said above: the file cannot be read at all
        if monitor is None:
            continue
        fresh = _at_run_time(document, monitor, great_expectations, warehouse)
        found += (problem for problem in fresh if not _is_said(problem, known))
    return in_file_order(dict.fromkeys(found))


def warnings(files: Iterable[Path]) -> list[Problem]:
    """Return what is no error but not as it is written, of the files that have none.

    That is a budget that the file itself breaks, a time of a rule that is no whole number of windows, and more SLOs
    than people look after.
    """
    found = []
    for path in dict.fromkeys(files):
        try:
            document, monitor, known = read_file(path)
        except ConfigError:
            continue
        if monitor is not None and not known:
            doubts = (*budget_warnings(monitor), *rounded_times(monitor), *slo_warnings(monitor))
            found += [document.problem(where, said) for where, said in doubts]
    return in_file_order(found)


def _is_said(problem: Problem, known: Iterable[Problem]) -> bool:
    """Whether the file itself is wrong there: what was put in place of a wrong value has faults of its own."""
    wrong = {one.field for one in known if one.field and one.file == problem.file}
    return any(problem.field == field or problem.field.startswith(f"{field}.") for field in wrong)


def _at_run_time(document: Document, monitor: Monitor, root: Path, warehouse: Warehouse | None) -> Iterator[Problem]:
    if monitor.retrain and monitor.state == "active":
        yield from _training(document, monitor.retrain.train)
    if monitor.quality:
        yield from _suite(document, root, monitor.quality.suite)
    if monitor.calendar:
        yield from _holidays(document, monitor.calendar, root.parent)
    if warehouse:
        yield from _warehouse(document, monitor, root, warehouse)


def _holidays(document: Document, calendar: Calendar, root: Path) -> Iterator[Problem]:
    try:
        holidays_of(calendar, [], root)
    except ValueError as exc:
        yield document.problem(("calendar", "holidays"), str(exc))


def _suite(document: Document, root: Path, name: str) -> Iterator[Problem]:
    from hindsight.checks.suites.build import open_suite

    try:
        open_suite(root, name)
    except ConfigError as exc:
        yield from (_placed(problem, document) for problem in exc.problems)


def _placed(problem: Problem, document: Document) -> Problem:
    """A suite that is not there is an error of the file that names it."""
    if problem.file is None or problem.file.exists():
        return problem
    return document.problem(("quality", "suite"), f"{problem.file}: {problem.message}")


def _training(document: Document, path: str) -> Iterator[Problem]:
    from hindsight.training.train import load_trainer

    try:
        load_trainer(path)
    except TrainingError as exc:
        yield document.problem(("retrain", "train"), str(exc).removeprefix("retrain.train: "))
    except Exception as exc:  # noqa: BLE001 - the user's module: whatever its import raises is what is wrong with it
        said = f"importing {path.partition(':')[0]!r} raised {type(exc).__name__}: {exc}"
        yield document.problem(("retrain", "train"), said)


def _warehouse(document: Document, monitor: Monitor, root: Path, warehouse: Warehouse) -> Iterator[Problem]:
    from hindsight.warehouse.declared import columns_of_predictions, missing

    try:
        engine = warehouse(monitor.source.connection)
    except ConfigError as exc:
        yield document.problem(("source", "connection"), str(exc))
        return
    yield from (document.problem(where, said) for where, said in missing(engine, monitor))
    there = columns_of_predictions(engine, monitor)
    if monitor.quality and there is not None:
        yield from _columns_of_suite(root, monitor.quality.suite, there, monitor.source.predictions.table)


def _columns_of_suite(root: Path, name: str, there: frozenset[str], table: str) -> Iterator[Problem]:
    from hindsight.checks.suites.suites import load_suite

    try:
        suite = load_suite(root, name)
    except ConfigError:
        return  # said where the suite was built
    for place, expectation in enumerate(suite.expectations):
        asks_whether = expectation.type in ("expect_column_to_exist",) or expectation.type.startswith("expect_table_")
        for column in sorted(expectation.needs - there) if not asks_whether else ():
            yield suite.problem(place, f"{table}.{column}: no such column")
