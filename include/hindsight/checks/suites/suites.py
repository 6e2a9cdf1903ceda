"""Suites: what a Great Expectations suite file says, read without importing Great Expectations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hindsight.errors import ConfigError, Problem

FIELD = "quality.suite"
FORMAT = 'expected {"name": ..., "expectations": [{"type": ..., "kwargs": {...}}]}, the format of 1.x'


@dataclass(frozen=True, slots=True)
class Expectation:
    """One expectation of a suite file; `columns` are those it is about, none for the table as a whole."""

    type: str
    columns: tuple[str, ...]
    config: Mapping[str, Any]

    @property
    def feature(self) -> str:
        """The column a failure is counted for; "" for none or several."""
        return self.columns[0] if len(self.columns) == 1 else ""

    @property
    def matters(self) -> bool:
        """False for expectations of severity info: they are shown, not counted."""
        return self.config.get("severity") != "info"


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite file: where it lies and what it expects, in its order."""

    path: Path
    expectations: tuple[Expectation, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column the suite is about, in order of appearance."""
        return tuple(dict.fromkeys(column for each in self.expectations for column in each.columns))

    def problem(self, place: int, message: str) -> Problem:
        """Say what is wrong with one expectation."""
        return Problem(f"{self.expectations[place].type}: {message}", self.path, field=f"expectations[{place}]")


def load_suite(root: Path, name: str) -> Suite:
    """Read `<root>/expectations/<name>.json`; raise ConfigError naming the file and what is wrong with it."""
    path = root / "expectations" / f"{name}.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        there = ", ".join(sorted(found.stem for found in path.parent.glob("*.json"))) or "none"
        raise ConfigError(Problem(f"no such suite; suites in this folder: {there}", path, field=FIELD)) from exc
    except (OSError, ValueError) as exc:
        raise ConfigError(Problem(f"cannot be read as JSON: {exc}", path, field=FIELD)) from exc
    configs = content.get("expectations") if isinstance(content, dict) else None
    if not isinstance(configs, list):
        raise ConfigError(Problem(FORMAT, path, field="expectations"))
    wrong = [Problem(FORMAT, path, field=f"expectations[{i}]") for i, c in enumerate(configs) if not _is_one(c)]
    if wrong:
        raise ConfigError(*wrong)
    return Suite(path, tuple(Expectation(c["type"], tuple(_columns(c.get("kwargs", {}))), c) for c in configs))


def _is_one(config: object) -> bool:
    return (
        isinstance(config, dict) and isinstance(config.get("type"), str) and isinstance(config.get("kwargs", {}), dict)
    )


def _columns(kwargs: Mapping[str, Any]) -> Iterator[str]:
    for key in ("column", "column_A", "column_B"):
        if isinstance(kwargs.get(key), str):
            yield kwargs[key]
    if isinstance(kwargs.get("column_list"), list):
        yield from map(str, kwargs["column_list"])
