"""Drafts: a monitor file proposed from what a form says, and written to the folder of drafts once a person said yes.

What was shown is what is written: the text goes from the task that proposes to the task that writes, and both hold it
to what drafts may say. Nothing that is there is overwritten.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

import sqlalchemy as sa

from hindsight.checks.suites.suites import suite_file
from hindsight.errors import ConfigError, DataError, Problem
from hindsight.monitors.document import Document, Where, field_name, read_document
from hindsight.monitors.drafts import refused
from hindsight.monitors.loader import lint as lint_files
from hindsight.monitors.loader import load_folder, names_in
from hindsight.monitors.model import Task
from hindsight.pipeline.lint import lint, warnings
from hindsight.pipeline.propose import name_of, propose_monitor, suite_of, wishes
from hindsight.proposals.draft import draft, seen
from hindsight.proposals.overrides import lay_over
from hindsight.proposals.proposal import Line, Proposal, Wishes
from hindsight.proposals.roles import NONE
from hindsight.settings import Settings
from hindsight.snapshots.local import LocalFiles

FORM = Path("overrides")  # how errors call the text of that field
OF_THE_FORM: dict[Where, str] = {
    ("name",): "name",
    ("source", "connection"): "connection",
    ("source", "predictions", "table"): "table",
    ("source", "labels", "table"): "labels_table",
}
HEADER = (
    "Proposed in Airflow (hindsight__propose) from {seen}.",
    "Every line is a guess with its reason beside it (CHECK: look there first). Its DAGs are paused until somebody",
    "turns them on in Airflow. A draft names no code and no file: for that, move it to the folder of monitors.",
)
_STATE = Line(("state",), "active", "its DAGs are paused until somebody turns them on")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the form says; "" is what was left empty."""

    connection: str
    table: str
    labels_table: str = ""
    name: str = ""
    overrides: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A monitor file and the suite that goes with it ("" for none), as texts; what of, and what is doubtful."""

    name: str
    seen: str
    file: str
    suite: str = ""
    doubts: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON takes it as `draft`, and the words a person decides by as `summary`."""
        return {"draft": asdict(self), "summary": self.summary}

    @property
    def summary(self) -> str:
        """What is proposed and why, as Markdown."""
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", self.file)), default=0))
        doubts = "".join(f"- {_unmarked(doubt)}\n" for doubt in self.doubts)
        suite = "An expectation suite goes with it." if self.suite else "No expectation suite goes with it."
        said = (
            f"**{self.name}**, from {_unmarked(self.seen)}. Its DAGs stay paused until somebody turns them on. {suite}"
        )
        return f"{said}\n\n{doubts}\n{fence}yaml\n{self.file}{fence}\n"


def propose_draft(asked: Asked, warehouse: Callable[[str], sa.Engine], settings: Settings) -> Draft:
    """Look at a table and return the draft of a monitor for it, with what the person said laid over the guesses.

    What can be wrong with the form is looked at before the warehouse is. Raises ConfigError with every problem, of the
    overrides with its line, DataError for a table that is missing or empty, and what the warehouse answers.
    """
    name = asked.name or name_of(asked.table)
    _require_free(name, settings)
    said = _overrides(asked.overrides)
    try:
        made = _proposed(asked, name, said.data, warehouse)
    except (ConfigError, DataError) as exc:
        raise type(exc)(_for_the_form(str(exc))) from exc
    lay_over(made, said.data)
    return _checked(made, said, warehouse, settings)


def write_draft(made: Draft, settings: Settings, *, asked_by: str, approved_by: str) -> Path:
    """Write an approved draft and its suite; return the path of the file. Once more, it does nothing.

    Raises ConfigError where its name is taken by now, and where it says what no draft may say; StoreError where the
    folder cannot be written to.
    """
    folder = folder_of_drafts(settings)
    text = f"# Asked for by {asked_by}, approved by {approved_by}.\n{made.file}"
    path = folder / f"{made.name}.yml"
    if not (path.is_file() and path.read_text(encoding="utf-8") == text):
        _require_free(made.name, settings)
    with _aside(made.name, text, made.suite) as beside:
        root = beside.parent if made.suite else settings.great_expectations
        if problems := [*refused(read_document(beside)), *lint([beside], great_expectations=root)]:
            raise ConfigError(*(replace(problem, file=path) for problem in problems))
    files = LocalFiles(str(folder))
    for place, content in {suite_file(Path(), made.name): made.suite, Path(path.name): text}.items():
        if content and not files.put_new(str(place), data := content.encode()) and files.get(str(place)) != data:
            raise ConfigError(f"{folder / place} is there already, and nothing is overwritten: say another name")
    return path


def folder_of_drafts(settings: Settings) -> Path:
    """Return the folder of drafts; raise ConfigError where the settings name none."""
    if settings.drafts is None or ":/" in str(settings.drafts):
        raise ConfigError("HINDSIGHT_DRAFTS: expected a folder that all of Airflow reads and its workers write to")
    return settings.drafts


def _overrides(text: str) -> Document:
    """Read the overrides; raise ConfigError with what no draft may say and what other fields of the form say."""
    if not text.strip():
        return Document(FORM)
    with _aside(FORM.name, text) as path:
        try:
            found = read_document(path)
        except ConfigError as exc:
            raise ConfigError(*(replace(problem, file=FORM) for problem in exc.problems)) from exc
    found.path = FORM
    problems = [replace(problem, file=FORM) for problem in found.problems]
    problems += refused(found)
    for where, fieldname in OF_THE_FORM.items():
        if where in found.places:
            problems.append(found.problem(where, f"say it in the field {fieldname} of the form"))
    if problems:
        raise ConfigError(*problems)
    return found


def _proposed(asked: Asked, name: str, said: Mapping[str, Any], warehouse: Callable[[str], sa.Engine]) -> Proposal:
    if asked.connection.startswith("hindsight_"):
        raise ConfigError(f"connection {asked.connection!r} is one of Hindsight's own; name that of a warehouse")
    made = propose_monitor(
        warehouse(asked.connection),
        asked.connection,
        asked.table,
        name=name,
        given=_columns(said),
        labels_table=asked.labels_table or None,
        wishes=_wishes(said),
    )
    made.remarks = {where: [_for_the_form(text) for text in texts] for where, texts in made.remarks.items()}
    lines = [replace(line, why=_for_the_form(line.why)) for line in made.lines]
    made.lines = [_STATE if line.where == _STATE.where else line for line in lines]
    return made


def _columns(said: Mapping[str, Any]) -> dict[str, str]:
    """Return the columns that overrides name, by role; none for a role that is taken out."""
    source = _mapping(said, "source")
    named = {**_mapping(source, "predictions"), **_mapping(source, "labels")}
    return {role: NONE if column is None else column for role, column in named.items() if _is_column(column)}


def _is_column(value: object) -> bool:
    return value is None or isinstance(value, str)


def _mapping(said: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = said.get(key)
    return found if isinstance(found, dict) else {}


def _wishes(said: Mapping[str, Any]) -> Wishes:
    """Return what overrides say of the model and its windows; what cannot be meant is refused with its line later."""
    model = _mapping(said, "model")
    task, label = model.get("task"), model.get("positive_label")
    window, zone = (said.get(key) if isinstance(said.get(key), str) else None for key in ("window", "timezone"))
    try:
        found = wishes(task if task in get_args(Task) else None, None, window, zone)
    except ConfigError:
        return Wishes()
    return replace(found, positive_label=label if isinstance(label, str | int | float) else None)


def _checked(made: Proposal, said: Document, warehouse: Callable[[str], sa.Engine], settings: Settings) -> Draft:
    """Return the draft of a proposal; raise ConfigError with what is wrong with it, in the lines of the overrides."""
    text, suite = draft(made, HEADER), ""
    with _aside(made.name, text) as path:
        _require_none(lint_files([path]), said)
        if made.value("quality", "suite") == made.name:
            suite = suite_of(made)
            _write_suite(path.parent, made.name, suite)
        root = path.parent if suite else settings.great_expectations
        _require_none(lint([path], great_expectations=root, warehouse=warehouse), said)
        doubts = [str(replace(doubt, file=None, line=None)) for doubt in warnings([path])]
    return Draft(name=made.name, seen=seen(made), file=text, suite=suite, doubts=doubts)


def _require_none(problems: Iterable[Problem], said: Document) -> None:
    """Raise ConfigError where there are problems, each with its line in the overrides if it comes from there."""
    lines = {field_name(where): place.line for where, place in said.places.items()}
    if found := [_in_overrides(problem, lines) for problem in problems]:
        raise ConfigError(*found)


def _in_overrides(problem: Problem, lines: Mapping[str, int]) -> Problem:
    """Place a problem at the value of the overrides it is about, or that holds it; else in the proposal."""
    holders = [known for known in lines if re.match(rf"{re.escape(known)}($|[.\[])", problem.field)]
    if not holders:
        return replace(problem, file=Path("proposal"))
    return replace(problem, file=FORM, line=lines[max(holders, key=len)])


def _require_free(name: str, settings: Settings) -> None:
    """Raise ConfigError for a name that is none, or that a monitor has, had before, or left a suite of."""
    folder = folder_of_drafts(settings)
    if re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name) is None:
        raise ConfigError(f"name: expected lower-case letters, digits and underscores, at most 63, got {name!r}")
    monitors = load_folder(settings.monitors).monitors.values()
    taken = {*names_in(settings.monitors), *names_in(folder), *(n for one in monitors for n in one.renamed_from)}
    if name in taken:
        raise ConfigError(f"name: there is a monitor {name!r} already, or was under that name; say another name")
    for left in (suite_file(settings.great_expectations, name), suite_file(folder, name), folder / f"{name}.yml"):
        if left.exists():
            raise ConfigError(f"name: {left} is there already, and nothing is overwritten; say another name")


@contextmanager
def _aside(name: str, text: str, suite: str = "") -> Iterator[Path]:
    """Write texts where nothing reads them but who looks at them here."""
    with tempfile.TemporaryDirectory(prefix="hindsight-") as folder:
        path = Path(folder) / f"{name}.yml"
        path.write_text(text, encoding="utf-8")
        if suite:
            _write_suite(path.parent, name, suite)
        yield path


def _write_suite(folder: Path, name: str, text: str) -> None:
    path = suite_file(folder, name)
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")


def _for_the_form(text: str) -> str:
    """Name a field of the form, or the key in its overrides, where an option of the command line is named."""

    def named(option: re.Match[str]) -> str:
        field = option[1].replace("-", "_")
        return field if field in OF_THE_FORM.values() else f"{field} in overrides"

    return re.sub(r"--([a-z]+(?:-[a-z]+)*)", named, text)


def _unmarked(text: str) -> str:
    """Keep Markdown from reading names as marks."""
    return re.sub(r"([\\`*_\[\]<>|#~])", r"\\\1", text)
