"""Build: the expectations of a suite as objects of Great Expectations, or what is wrong with each.

A class of one's own lies in `plugins/expectations/<file>.py` of the Great Expectations folder and nowhere else; the
files there are imported when a suite names a type that the library does not know.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from hindsight.checks.suites.library import great_expectations
from hindsight.checks.suites.suites import Expectation, Suite, columns_about, load_suite
from hindsight.errors import ConfigError, Problem, did_you_mean

CUSTOM = Path("plugins", "expectations")


def open_suite(root: Path, name: str) -> Suite:
    """Return a suite of which every expectation can be built, with the columns that a class of one's own is about.

    Raises ConfigError with everything that is wrong with the file and its expectations.
    """
    suite = load_suite(root, name)
    with great_expectations():
        problems = list(_loaded(suite, root))
        found, wrong = [], []
        for place, expectation in enumerate(suite.expectations):
            try:
                found.append(_with_columns(expectation, built(expectation, expectation.kwargs, place)))
            except _errors() as exc:
                wrong.append(suite.problem(place, _reason(exc, expectation)))
    if problems or wrong:
        raise ConfigError(*problems, *wrong)
    return replace(suite, expectations=tuple(found))


def built(expectation: Expectation, kwargs: Mapping[str, Any], place: int) -> Any:
    """Return the library's object for an expectation; its result says the place again."""
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    config = {**expectation.config, "kwargs": dict(kwargs), "meta": {"place": place}}
    made = ExpectationConfiguration(**config).to_domain_obj()
    for key in ("regex", "regex_list"):
        for pattern in _patterns(kwargs.get(key)):
            re.compile(pattern)
    return made


def _patterns(value: Any) -> Iterator[str]:
    yield from (value if isinstance(value, list) else [value] if isinstance(value, str) else [])


def _errors() -> tuple[type[Exception], ...]:
    from great_expectations.exceptions.exceptions import GreatExpectationsError

    return GreatExpectationsError, ValueError, TypeError, re.error


def _with_columns(expectation: Expectation, made: Any) -> Expectation:
    if expectation.columns:
        return expectation
    fields = {key: getattr(made, key, None) for key in ("column", "column_A", "column_B", "column_list")}
    about_table = expectation.type.startswith("expect_table_")
    return expectation if about_table else replace(expectation, columns=tuple(columns_about(fields)))


def _reason(exc: Exception, expectation: Expectation) -> str:
    """What the library says, shortened to each argument and what is wrong with it."""
    from great_expectations.exceptions.exceptions import ExpectationNotFoundError
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    if isinstance(exc, ExpectationNotFoundError):
        near = did_you_mean(expectation.type, list_registered_expectation_implementations())
        return f"no such expectation{near or f'; a class of your own belongs in {CUSTOM}/'}"
    if isinstance(exc, re.error):
        return f"regex: {exc}"
    if not hasattr(exc, "errors"):
        return " ".join(str(exc).split())
    said: dict[str, str] = {}
    for error in exc.errors():
        said.setdefault(".".join(map(str, error["loc"])).replace("__root__", ""), error["msg"])
    return "; ".join(f"{where}: {what}".lstrip(": ") for where, what in said.items())


def _loaded(suite: Suite, root: Path) -> Iterator[Problem]:
    """Import the files of one's own classes, once a process, where the suite needs them; yield what is wrong."""
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    known = set(list_registered_expectation_implementations())
    if {expectation.type for expectation in suite.expectations} <= known:
        return
    for path in sorted((root / CUSTOM).glob("*.py")):
        try:
            _import(path)
        except Exception as exc:  # noqa: BLE001 - the user's code: whatever it raises is what is wrong with that file
            yield Problem(f"cannot be imported: {type(exc).__name__}: {exc}", path, field="quality.suite")


def _import(path: Path) -> None:
    name = f"hindsight_expectations.{path.resolve()}"
    if name in sys.modules:
        return
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:  # whatever ended it, half a module must not pass for the whole one; it is raised again
        del sys.modules[name]
        raise
