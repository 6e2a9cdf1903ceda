"""Suites: what a Great Expectations suite file says, read without importing Great Expectations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from json.decoder import JSONObject  # type: ignore[attr-defined]
from json.scanner import py_make_scanner  # type: ignore[attr-defined]
from pathlib import Path
from typing import Any

from hindsight.checks.suites.conditions import columns_of, translated, words_of
from hindsight.errors import ConfigError, Problem
from hindsight.settings import drafts_folder

FIELD = "quality.suite"
FORMAT = 'expected {"name": ..., "expectations": [{"type": ..., "kwargs": {...}}]}, as Great Expectations writes it'
# What 0.18 wrote beside the arguments: how a result is shown, who proposed the bounds, and what 1.x has dropped.
_NO_ARGUMENTS = {
    "allow_cross_type_comparisons", "auto", "batch_id", "catch_exceptions", "include_config", "output_strftime_format",
    "parse_strings_as_datetimes", "profiler_config", "result_format",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Expectation:
    """One expectation of a suite file and the line it begins in; no columns means that it is about the table."""

    type: str
    columns: tuple[str, ...]
    config: Mapping[str, Any]
    line: int | None = None

    @property
    def kwargs(self) -> Mapping[str, Any]:
        """The arguments; none holds a condition as text."""
        found: Mapping[str, Any] = self.config["kwargs"]
        return found

    @property
    def needs(self) -> frozenset[str]:
        """The columns without which it cannot be answered: those it is about and those of its condition."""
        return frozenset(self.columns) | set(columns_of(self.kwargs.get("row_condition")))

    @property
    def looks_at(self) -> frozenset[str]:
        """The columns it may look at: those it needs, and every name in a condition in pandas' words."""
        return self.needs | words_of(self.kwargs.get("row_condition"))

    @property
    def feature(self) -> str:
        """The column a failure is counted for; "" for none or several."""
        return self.columns[0] if len(self.columns) == 1 else ""

    @property
    def severity(self) -> str:
        """What Great Expectations calls critical, warning or info; a warning where the file does not say."""
        return str(self.config.get("severity", "warning"))


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite file: where it lies and what it expects, in its order."""

    path: Path
    expectations: tuple[Expectation, ...]

    def problem(self, place: int, message: str) -> Problem:
        """Say what is wrong with one expectation."""
        wrong = self.expectations[place]
        return Problem(f"{wrong.type}: {message}", self.path, wrong.line, field=f"expectations[{place}]")


def load_suite(root: Path, name: str) -> Suite:
    """Read `<root>/expectations/<name>.json`, else the one that came with a draft, of the format of 1.x or of 0.18.

    Raises ConfigError naming the file and everything that is wrong with it.
    """
    path = _place(root, name)
    content, lines = _read(path)
    configs = content.get("expectations") if isinstance(content, dict) else None
    if not isinstance(configs, list):
        raise ConfigError(Problem(FORMAT, path, field="expectations"))
    wrong = [i for i, config in enumerate(configs) if not _is_one(config)]
    if wrong:
        raise ConfigError(
            *(Problem(FORMAT, path, lines.get(id(configs[i])), field=f"expectations[{i}]") for i in wrong)
        )
    given = content.get("suite_parameters") or content.get("evaluation_parameters") or {}
    return Suite(path, tuple(_expectation(config, given, lines[id(config)]) for config in configs))


def _place(root: Path, name: str) -> Path:
    path, drafts = suite_file(root, name), drafts_folder()
    beside = suite_file(drafts, name) if drafts and not path.exists() else path
    return beside if beside.is_file() else path


def suite_file(folder: Path, name: str) -> Path:
    """Return where a suite lies below the folder of Great Expectations, or below that of drafts."""
    return folder / "expectations" / f"{name}.json"


def _read(path: Path) -> tuple[Any, Mapping[int, int]]:
    """Return what the file holds and the line in which each of its objects begins."""
    try:
        text = path.read_text(encoding="utf-8")
        decoder = _Located()
        return decoder.decode(text), {id: text.count("\n", 0, at) + 1 for id, at in decoder.places.items()}
    except FileNotFoundError as exc:
        there = ", ".join(sorted(found.stem for found in path.parent.glob("*.json"))) or "none"
        raise ConfigError(Problem(f"no such suite; suites in this folder: {there}", path, field=FIELD)) from exc
    except (OSError, ValueError, RecursionError) as exc:
        line = exc.lineno if isinstance(exc, json.JSONDecodeError) else None
        raise ConfigError(Problem(f"cannot be read as JSON: {exc}", path, line, field=FIELD)) from exc


class _Located(json.JSONDecoder):
    """Remembers where in the text each object begins, by the identity of the object it became."""

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[int, int] = {}
        self.parse_object = self._placed
        self.scan_once = py_make_scanner(self)

    def _placed(self, text_and_start: tuple[str, int], *rest: Any) -> tuple[dict[str, Any], int]:
        found, end = JSONObject(text_and_start, *rest)
        self.places[id(found)] = text_and_start[1]
        return found, end


def _is_one(config: object) -> bool:
    return isinstance(config, dict) and isinstance(_type(config), str) and isinstance(config.get("kwargs", {}), dict)


def _type(config: Mapping[str, Any]) -> Any:
    return config.get("type", config.get("expectation_type"))


def _expectation(config: Mapping[str, Any], given: Mapping[str, Any], line: int) -> Expectation:
    kwargs = {key: _filled(value, given) for key, value in config.get("kwargs", {}).items()}
    if "type" not in config:
        kwargs = {key: value for key, value in kwargs.items() if key not in _NO_ARGUMENTS}
    kwargs = translated(kwargs)
    severity = {"severity": config["severity"]} if config.get("severity") else {}
    whole = {"type": _type(config), "kwargs": kwargs, **severity}
    return Expectation(whole["type"], tuple(columns_about(kwargs)), whole, line)


def _filled(value: Any, given: Mapping[str, Any]) -> Any:
    """Put the suite's own value where an argument only names a parameter of it."""
    name = value.get("$PARAMETER") if isinstance(value, dict) else None
    return given.get(name, value) if isinstance(name, str) else value


def columns_about(kwargs: Mapping[str, Any]) -> Iterator[str]:
    """The columns that the arguments of an expectation are about."""
    for key in ("column", "column_A", "column_B"):
        if isinstance(kwargs.get(key), str):
            yield kwargs[key]
    if isinstance(kwargs.get("column_list"), list | tuple):
        yield from map(str, kwargs["column_list"])
