"""Both ways: what a suite answers does not depend on where it runs, for every expectation that a file may name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight.checks.suites import expectations as suites
from hindsight.checks.suites.library import great_expectations
from hindsight.checks.suites.places import Place
from hindsight.vocabulary.measurement import Measurement
from tests.checks.suites.a_log import WINDOW, log, rows_of, warehouse_at, watching
from tests.checks.suites.every_type import EVERY

# Where pandas and SQL mean different things, only the rows in hand are asked.
DIFFER = {
    "expect_column_pair_values_a_to_be_greater_than_b": "pandas says no where a value is missing, SQL says nothing",
    "expect_column_values_to_match_regex": r"each engine has its own \w",
}
ABOUT_LOGGED_ROWS = {
    "expect_column_values_to_be_unique",
    "expect_compound_columns_to_be_unique",
    "expect_column_proportion_of_unique_values_to_be_between",
    "unexpected_rows_expectation",
}
Asked = tuple[bool | None, str, dict[str, Any]]
Write = Callable[..., Path]


@pytest.fixture
def suite(tmp_path: Path) -> Write:
    """Write a suite and return the Great Expectations folder."""

    def write(*asked: tuple[str, dict[str, Any]]) -> Path:
        folder = tmp_path / "expectations"
        folder.mkdir(exist_ok=True)
        content = {"name": "credit", "expectations": [{"type": type, "kwargs": kwargs} for type, kwargs in asked]}
        (folder / "credit.json").write_text(json.dumps(content))
        return tmp_path

    return write


def answers(url: sa.URL, root: Path, folder: Path) -> list[Measurement]:
    """The answer to each expectation of the suite, as a run of the window gives it."""
    with rows_of(url, watching(), folder) as rows:
        found = suites.run_suite(
            watching(), WINDOW, root=root, warehouse=warehouse_at(url, watching(), WINDOW), rows=rows
        )
    return [m for m in found if m.metric == "expectation_success"]


def every(url: sa.URL) -> list[Asked]:
    """Every question; in DuckDB texts are called VARCHAR, and Great Expectations has no LIKE for it."""
    if url.get_backend_name() != "duckdb":
        return EVERY
    called = {"TEXT": "VARCHAR"}
    return [
        (None if "like_pattern" in type else right, type, {k: called.get(str(v), v) for k, v in kwargs.items()})
        for right, type, kwargs in EVERY
    ]


def wrong_of(asked: list[Asked], found: list[Measurement]) -> list[tuple[Asked, float | None, str]]:
    """The answers that are not right."""
    return [(each, m.value, m.note) for each, m in zip(asked, found, strict=True) if m.value != each[0]]


def test_every_type_that_great_expectations_knows_is_asked() -> None:
    with great_expectations():
        from great_expectations.expectations.registry import list_registered_expectation_implementations

        known = {type for type in list_registered_expectation_implementations() if "_own_" not in type}
    assert known == {type for _, type, _ in EVERY}


@pytest.mark.parametrize("at_once", [200_000, 10], ids=["few rows", "many rows"])
def test_every_expectation_is_answered_rightly(
    database_url: sa.URL, suite: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(suites, "AT_ONCE", at_once)
    log(database_url)
    asked = every(database_url)
    found = answers(database_url, suite(*((type, kwargs) for _, type, kwargs in asked)), tmp_path)
    assert wrong_of(asked, found) == []
    assert all(m.note.startswith("not evaluated: ") for m in found if m.value is None)


def test_a_repeated_id_changes_no_answer_about_the_same_rows(
    database_url: sa.URL, suite: Write, tmp_path: Path
) -> None:
    asked = [each for each in every(database_url) if "_table_" not in each[1] and each[1] not in ABOUT_LOGGED_ROWS]
    log(database_url, repeated=True)
    found = answers(database_url, suite(*((type, kwargs) for _, type, kwargs in asked)), tmp_path)
    assert wrong_of(asked, found) == []


def test_where_both_can_answer_they_answer_the_same(
    database_url: sa.URL, suite: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log(database_url)
    root = suite(*((type, kwargs) for _, type, kwargs in EVERY))
    monkeypatch.setattr(suites, "places", lambda *_, **__: (Place.WAREHOUSE,))
    as_sql = [m.value for m in answers(database_url, root, tmp_path)]
    both = [(each, said) for each, said in zip(EVERY, as_sql, strict=True) if None not in (each[0], said)]
    assert len(both) > 90
    unknown = "expect_column_values_to_match_regex" if database_url.drivername == "duckdb" else ""
    texts = {"expect_column_values_to_be_between"} if database_url.drivername == "sqlite" else set()  # times are texts
    assert {each[1] for each, said in both if each[0] != said} == DIFFER.keys() - {unknown} | texts


def test_repeated_rows_fail_what_is_about_repetition(database_url: sa.URL, suite: Write, tmp_path: Path) -> None:
    log(database_url, repeated=True)
    unique = ("expect_column_values_to_be_unique", {"column": "id"})
    share = ("expect_column_proportion_of_unique_values_to_be_between", {"column": "id", "min_value": 1})
    found = answers(database_url, suite(unique, share), tmp_path)
    assert [(m.value, m.n) for m in found] == [(0.0, 81), (0.0, 81)]


def test_one_that_raises_takes_no_other_along(postgres_url: sa.URL, suite: Write, tmp_path: Path) -> None:
    log(postgres_url)
    wrong = ("expect_column_mean_to_be_between", {"column": "unnamed", "min_value": 0})
    right = ("expect_column_distinct_values_to_be_in_set", {"column": "unnamed", "value_set": ["u0", "u1"]})
    length = ("expect_column_unique_value_count_to_be_between", {"column": "unnamed", "min_value": 2})
    found = answers(postgres_url, suite(wrong, right, length), tmp_path)
    assert [m.value for m in found] == [None, 1.0, 1.0]
    assert found[0].note.startswith("not evaluated: ")


def test_a_column_nobody_read_is_asked_of_the_warehouse(database_url: sa.URL, suite: Write, tmp_path: Path) -> None:
    log(database_url)
    known = ("expect_column_values_to_be_in_set", {"column": "unnamed", "value_set": ["u0", "u1"]})
    gone = ("expect_column_values_to_not_be_null", {"column": "gone"})
    typed = ("expect_column_values_to_be_of_type", {"column": "unnamed", "type_": "float64"})
    found = answers(database_url, suite(known, gone, typed), tmp_path)
    assert [m.value for m in found] == [1.0, 0.0, None]
    assert [m.note for m in found[1:]] == [
        "column gone does not exist",
        "not evaluated: names a type of the rows in hand, and these do not have its column",
    ]


def test_a_class_of_ones_own_is_asked_like_the_librarys(database_url: sa.URL, suite: Write, tmp_path: Path) -> None:
    log(database_url, repeated=True)
    folder = tmp_path / "plugins" / "expectations"
    folder.mkdir(parents=True)
    own = "class ExpectOwnFees(gxe.ExpectColumnValuesToBeBetween):\n    column: str = 'fee'\n    max_value: float = 6\n"
    (folder / "fees.py").write_text(f"import great_expectations.expectations as gxe\n{own}")
    (found,) = answers(database_url, suite(("expect_own_fees", {})), tmp_path)
    assert (found.feature, found.value, found.n) == ("fee", 0.0, 80)
