"""Monitor files to monitors: every error of every file at once, and one broken file takes away only itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from hindsight.errors import ConfigError, Problem, did_you_mean
from hindsight.monitors import file_checks
from hindsight.monitors.document import Document, Where, in_file_order, read_document
from hindsight.monitors.drafts import drafts_beside, is_draft, refused, standing
from hindsight.monitors.earlier_names import in_use
from hindsight.monitors.explain import explain
from hindsight.monitors.model import Monitor
from hindsight.monitors.own_types import missing_types
from hindsight.monitors.templates import SUFFIXES, read_extended, templates


@dataclass(frozen=True, slots=True)
class Loaded:
    """The monitors of a folder that are fine, by name, their files, and the problems of the others.

    `twice` are the files that would be fine but for their name, which another of them has too.
    """

    monitors: Mapping[str, Monitor]
    files: Mapping[str, Path]
    problems: tuple[Problem, ...]
    twice: frozenset[Path] = frozenset()


def load_monitor(name_or_path: str | Path, folder: Path | None = None) -> Monitor:
    """Return the monitor of a file, or the one of this name in a folder.

    Text that ends in .yml or .yaml or holds a slash is a path. Raises ConfigError with every problem of the file, where
    there is no such monitor, and where two files have its name.
    """
    if isinstance(name_or_path, Path) or "/" in name_or_path or name_or_path.endswith(SUFFIXES):
        return load_file(Path(name_or_path))
    if folder is None:
        raise ConfigError(f"no folder to look for monitor {name_or_path!r} in; give the path of its file")
    return load_file(find_file(name_or_path, folder))


def find_file(name: str, folder: Path) -> Path:
    """Return the file of the monitor of this name; raise ConfigError where there is none, and where two have it."""
    files = [path for path in monitor_files(require_folder(folder)) if _may_be_named(path, name)]
    named = standing([path for path in files if _name(path) == name])
    if not named:
        raise ConfigError(_no_such_monitor(name, folder))
    if len(named) > 1:
        raise ConfigError(*_same_name(name, named))
    return named[0]


def load_file(path: Path) -> Monitor:
    """Return the monitor of one file; raise ConfigError with everything that is wrong with it."""
    _, monitor, found = read_file(path)
    if monitor is None or found:
        raise ConfigError(*in_file_order(_of_templates({path: found})))
    return monitor


def read_file(path: Path) -> tuple[Document, Monitor | None, list[Problem]]:
    """Return a file with its template below it, its monitor without the values that are wrong, and what is wrong.

    The monitor is None where too little is left. Raises ConfigError for a file that cannot be read at all. A process
    reads a file once for each of its versions. One that lies in the folder of drafts is held to what drafts may say.
    """
    known = _read.get(path)
    if known is None or known.stamps != {file: _stamp(file) for file in known.stamps}:
        known = _read[path] = _Known.of(path)
    document, monitor, found = known.value
    return document, monitor, [*found, *(refused(document) if is_draft(path) else ())]


def files_of(path: Path) -> tuple[Path, ...]:
    """Return a monitor file and the templates it is laid over; the file alone where it cannot be read."""
    try:
        read_file(path)
    except ConfigError:
        return (path,)
    return tuple(_read[path].stamps)


@dataclass(frozen=True, slots=True)
class _Known:
    """What reading a file gave, and by what one sees that it, or a template of it, is another by now."""

    stamps: Mapping[Path, object]
    value: tuple[Document, Monitor | None, list[Problem]]

    @classmethod
    def of(cls, path: Path) -> _Known:
        stamps: dict[Path, object] = {}

        def read(file: Path) -> Document:
            stamps[file] = _stamp(file)
            return read_document(file)

        document = read_extended(path, read)
        return cls(stamps, (document, *_validate(document)))


_read: dict[Path, _Known] = {}


def _stamp(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def load_folder(folder: Path) -> Loaded:
    """Return the monitors of a folder's files, and drafts, that are fine, and the problems of those that are not."""
    return _load(monitor_files(folder))


def lint(paths: Iterable[Path]) -> list[Problem]:
    """Return every problem of these files and of the monitor files in these folders, in file order.

    The types a file trusts are imported, which is the one thing beyond the file that is looked at here.
    """
    files = dict.fromkeys(file for path in paths for file in (monitor_files(path) if path.is_dir() else [path]))
    return list(in_file_order([*_load(files).problems, *(found for path in files for found in _missing_types(path))]))


def _missing_types(path: Path) -> Iterator[Problem]:
    try:
        document = read_extended(path)
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
    """Return the monitor files of a folder, and of the drafts that go with it, by name."""
    drafts = drafts_beside(folder)
    return [*files_in(folder), *(path for path in (files_in(drafts) if drafts else ()) if path.parent != folder)]


def files_in(folder: Path) -> list[Path]:
    """Return the monitor files of one folder by name, templates left out; none where there is no folder."""
    if not folder.is_dir():
        return []
    files = [p for p in folder.iterdir() if p.suffix in SUFFIXES and not p.name.startswith(".") and p.is_file()]
    return sorted(set(files) - templates(files))


def _load(files: Iterable[Path]) -> Loaded:
    monitors: dict[Path, Monitor] = {}
    wrong: dict[Path, Sequence[Problem]] = {}
    for path in files:
        try:
            _, monitor, found = read_file(path)
        except ConfigError as exc:
            monitor, found = None, list(exc.problems)
        if monitor is None or found:
            wrong[path] = found
        else:
            monitors[path] = monitor
    for path, found in in_use(monitors).items():
        wrong[path] = found
        del monitors[path]
    problems = _of_templates(wrong)
    names: dict[str, list[Path]] = {}
    for path, monitor in monitors.items():
        names.setdefault(monitor.name, []).append(path)
    problems += (p for name, paths in names.items() if len(paths) > 1 for p in _same_name(name, paths))
    single = {name: stand[0] for name, paths in names.items() if len(stand := standing(paths)) == 1}
    twice = frozenset(monitors) - frozenset(single.values())
    return Loaded(
        {name: monitors[path] for name, path in single.items()}, single, tuple(in_file_order(problems)), twice
    )


def _of_templates(wrong: Mapping[Path, Sequence[Problem]]) -> list[Problem]:
    """Return the problems of these files, those of one template once, with the files that have them from it."""
    users: dict[Problem, list[Path]] = {}
    for path, found in wrong.items():
        for problem in found:
            users.setdefault(problem, []).append(path)
    return [_of_template(problem, paths) for problem, paths in users.items()]


def _of_template(problem: Problem, paths: Sequence[Path]) -> Problem:
    if problem.file is None or problem.file in paths:
        return problem
    who = f"{paths[0].name} and {len(paths) - 1} more extend" if len(paths) > 1 else f"{paths[0].name} extends"
    return replace(problem, message=f"{problem.message} - {who} it")


def _same_name(name: str, paths: Sequence[Path]) -> Iterator[Problem]:
    """Yield what is wrong with files of one name: with all that might have it, and with drafts of another's name."""
    stand = standing(paths)
    for path in paths if len(stand) > 1 else set(paths) - set(stand):
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


def names_in(folder: Path) -> list[str]:
    """Return the names that the monitor files of a folder declare, be the files fine or not."""
    return [str(_name(path)) for path in monitor_files(folder)]


def _no_such_monitor(name: str, folder: Path) -> str:
    known = names_in(folder)
    if not known:
        return f"no monitor {name!r}: there are no monitor files in {folder}"
    return f"no monitor {name!r} in {folder}{did_you_mean(name, known) or '; there are ' + ', '.join(known)}"
