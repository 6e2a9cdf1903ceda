"""Monitor files to monitors: every error of every file at once, and one broken file takes away only itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from hindsight.errors import ConfigError, Problem, did_you_mean
from hindsight.monitors import file_checks
from hindsight.monitors.document import Document, Where, in_file_order, read_document
from hindsight.monitors.explain import explain
from hindsight.monitors.model import Monitor
from hindsight.monitors.own_types import missing_types

SUFFIXES = (".yml", ".yaml")


@dataclass(frozen=True, slots=True)
class Loaded:
    """The monitors of a folder that are fine, by name, their files, and the problems of the others."""

    monitors: Mapping[str, Monitor]
    files: Mapping[str, Path]
    problems: tuple[Problem, ...]


def load_monitor(name_or_path: str | Path, folder: Path | None = None) -> Monitor:
    """Return the monitor of a file, or the one of this name in a folder.

    Text that ends in .yml or .yaml or holds a slash is a path. Raises ConfigError with every problem of the file, where
    there is no such monitor, and where two files have its name.
    """
    if isinstance(name_or_path, Path) or "/" in name_or_path or name_or_path.endswith(SUFFIXES):
        return load_file(Path(name_or_path))
    if folder is None:
        raise ConfigError(f"no folder to look for monitor {name_or_path!r} in; give the path of its file")
    files = [path for path in monitor_files(require_folder(folder)) if _may_be_named(path, name_or_path)]
    named = [path for path in files if _name(path) == name_or_path]
    if not named:
        raise ConfigError(_no_such_monitor(name_or_path, folder))
    if len(named) > 1:
        raise ConfigError(*_same_name(name_or_path, named))
    return load_file(named[0])


def load_file(path: Path) -> Monitor:
    """Return the monitor of one file; raise ConfigError with everything that is wrong with it."""
    _, monitor, found = read_file(path)
    if monitor is None or found:
        raise ConfigError(*in_file_order(found))
    return monitor


def read_file(path: Path) -> tuple[Document, Monitor | None, list[Problem]]:
    """Return a file as written, its monitor without the values that are wrong, and what is wrong.

    The monitor is None where too little is left. Raises ConfigError for a file that cannot be read at all.
    """
    document = read_document(path)
    return document, *_validate(document)


def load_folder(folder: Path) -> Loaded:
    """Return the monitors of a folder's .yml and .yaml files that are fine, and the problems of those that are not."""
    return _load(monitor_files(folder))


def lint(paths: Iterable[Path]) -> list[Problem]:
    """Return every problem of these files and of the monitor files in these folders, in file order.

    The types a file trusts are imported, which is the one thing beyond the file that is looked at here.
    """
    files = dict.fromkeys(file for path in paths for file in (monitor_files(path) if path.is_dir() else [path]))
    return list(in_file_order([*_load(files).problems, *(found for path in files for found in _missing_types(path))]))


def _missing_types(path: Path) -> Iterator[Problem]:
    try:
        document = read_document(path)
    except ConfigError:
        return  # said where it was loaded
    monitor, wrong = _typed(document)
    if monitor is not None and not any(where[:1] == ("trusted",) for where, _ in wrong):
        yield from (document.problem(where, text) for where, text in missing_types(monitor))


def require_folder(folder: Path) -> Path:
    """Return the folder; raise ConfigError where there is none."""
    if folder.is_dir():
        return folder
    raise ConfigError(f"no folder {folder} of monitor files; set HINDSIGHT_MONITORS, or make one with hindsight init")


def monitor_files(folder: Path) -> list[Path]:
    """Return the monitor files of a folder by name; none where there is no folder."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.suffix in SUFFIXES and not p.name.startswith(".") and p.is_file())


def _load(files: Iterable[Path]) -> Loaded:
    monitors: dict[Path, Monitor] = {}
    problems: list[Problem] = []
    for path in files:
        try:
            monitors[path] = load_file(path)
        except ConfigError as exc:
            problems += exc.problems
    names: dict[str, list[Path]] = {}
    for path, monitor in monitors.items():
        names.setdefault(monitor.name, []).append(path)
    problems += (p for name, paths in names.items() if len(paths) > 1 for p in _same_name(name, paths))
    single = {name: paths[0] for name, paths in names.items() if len(paths) == 1}
    return Loaded({name: monitors[path] for name, path in single.items()}, single, tuple(in_file_order(problems)))


def _same_name(name: str, paths: list[Path]) -> Iterator[Problem]:
    for path in paths:
        others = ", ".join(str(other.resolve()) for other in paths if other != path)
        line = read_document(path).places[("name",)].line
        yield Problem(f"{name!r} is also the name in {others}; names must differ", path.resolve(), line, "name")


def _validate(document: Document) -> tuple[Monitor | None, list[Problem]]:
    """Return the monitor and what is wrong: types first, then the sense of all that is well typed."""
    found = list(document.problems)
    monitor, wrong = _typed(document)
    for where, text in (*wrong, *(file_checks.problems(monitor) if monitor else ())):
        problem = document.problem(where, text)
        if problem.field not in {known.field for known in found}:
            found.append(problem)
    return monitor, found


def _typed(document: Document) -> tuple[Monitor | None, list[tuple[Where, str]]]:
    """Return the monitor with its wrong values left out, None where too little is left, and what they are."""
    try:
        return _model(document.data), []
    except ValidationError as exc:
        wrong = list(explain(exc, Monitor, document.places))
    rest: object = document.data
    for where, _ in wrong:
        rest = _replaced(rest, where)
    try:
        return _model(rest), wrong
    except ValidationError as exc:
        for detail in exc.errors():
            rest = _replaced(rest, detail["loc"], "a:b" if detail["loc"][-1] == "train" else "unnamed")
    try:
        return _model(rest), wrong
    except ValidationError:
        return None, wrong


def _model(data: object) -> Monitor:
    return Monitor.model_validate(data, by_alias=True, by_name=False)


def _replaced(data: object, where: Where, value: str | None = None) -> object:
    """Return the data with one value replaced, None leaving out the key of a mapping; nothing else changes."""
    if not where:
        return data if value is None else value
    first, rest = where[0], where[1:]
    if isinstance(data, dict) and (rest or value is not None):
        return data | {first: _replaced(data.get(first), rest, value)}
    if isinstance(data, dict):
        return {key: kept for key, kept in data.items() if key != first}
    if isinstance(data, list) and rest:
        return [_replaced(item, rest, value) if i == first else item for i, item in enumerate(data)]
    return data


def _may_be_named(path: Path, name: str) -> bool:
    """Whether the text of a file could declare this name: spares parsing every file of a large folder."""
    try:
        return re.search(rf"name\W+{re.escape(name)}\b", path.read_bytes().decode("utf-8", "replace")) is not None
    except OSError:
        return False


def _name(path: Path) -> object:
    try:
        return read_document(path).data.get("name")
    except ConfigError:
        return path.stem


def _no_such_monitor(name: str, folder: Path) -> str:
    known = [str(_name(path)) for path in monitor_files(folder)]
    if not known:
        return f"no monitor {name!r}: there are no monitor files in {folder}"
    return f"no monitor {name!r} in {folder}{did_you_mean(name, known) or '; there are ' + ', '.join(known)}"
