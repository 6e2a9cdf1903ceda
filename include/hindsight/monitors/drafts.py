"""Drafts: monitor files that people made in Airflow; they lie in a folder of their own and name no code and no file.

Who may trigger a DAG need not be one who may change what the workers run. What a draft may not say is therefore a
matter of where it lies, and holds whoever wrote it and whoever reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from hindsight.errors import Problem
from hindsight.monitors.calendar import Calendar
from hindsight.monitors.document import Document, Where
from hindsight.settings import drafts_folder, read_settings

DAG = "dag:"
_NOT_SAID: dict[Where, str] = {
    ("retrain",): "trains by code",
    ("trusted",): "loads code",
    ("metrics",): "runs code",
    ("extends",): "is read from another file",
    ("renamed_from",): "takes over the history of another monitor",
    ("reference", "parquet"): "is read from another file",
}


def is_draft(path: Path) -> bool:
    """Whether a monitor file lies in the folder of drafts, by whatever way it is named."""
    drafts = drafts_folder()
    return drafts is not None and _is_one(path.parent, drafts)


def drafts_beside(folder: Path) -> Path | None:
    """Return the folder of drafts that goes with a folder of monitor files; None for any but that of the settings."""
    drafts = drafts_folder()
    return drafts if drafts and _is_one(folder, read_settings().monitors) else None


def _is_one(folder: Path, other: Path) -> bool:
    try:
        return folder.samefile(other)
    except OSError:
        return False  # one of them is not there


def standing(files: Sequence[Path]) -> Sequence[Path]:
    """Return those of files of one name that may have it: a draft never takes the name of another monitor."""
    return [path for path in files if not is_draft(path)] or files


def refused(document: Document) -> Iterator[Problem]:
    """Yield what a file says that no draft may say, each with its line."""
    for where, why in _NOT_SAID.items():
        if _has(document, where):
            yield _problem(document, where, why)
    if isinstance(said := _at(document, ("calendar", "holidays")), str) and Calendar(holidays=said).country is None:
        yield _problem(document, ("calendar", "holidays"), "is read from another file")
    for where, to in _receivers(document):
        if isinstance(to, str) and to.strip().startswith(DAG):
            yield _problem(document, where, "starts a DAG")


def _problem(document: Document, where: Where, why: str) -> Problem:
    said = "no draft may say that; a file in the folder of monitors (HINDSIGHT_MONITORS) may"
    return document.problem(where, f"{why}: {said}")


def _receivers(document: Document) -> Iterator[tuple[Where, object]]:
    """Yield each entry of `then` of each rule."""
    rules = document.data.get("rules")
    for i, rule in enumerate(rules if isinstance(rules, list) else [rules]):
        then = rule.get("then") if isinstance(rule, dict) else None
        where: Where = ("rules", i, "then") if isinstance(rules, list) else ("rules", "then")
        yield from _each(then, where)


def _each(value: object, where: Where) -> Iterable[tuple[Where, object]]:
    return [((*where, i), one) for i, one in enumerate(value)] if isinstance(value, list) else [(where, value)]


def _has(document: Document, where: Where) -> bool:
    holder = _at(document, where[:-1])
    return isinstance(holder, dict) and where[-1] in holder


def _at(document: Document, where: Where) -> object:
    found: object = document.data
    for key in where:
        found = found.get(str(key)) if isinstance(found, dict) else None
    return found
