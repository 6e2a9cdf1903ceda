"""Lint: what would fail at run time is said before, every error of every file in one pass, with its place."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from ruamel.yaml import YAML

from hindsight.pipeline.lint import lint
from hindsight.warehouse.connect import open_engine
from tests.builders import monitor_file

PARSER = "great_expectations"
NOT_NULL = "expect_column_values_to_not_be_null"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a monitor file called `name`, with these top-level keys."""

    def file(name: str = "credit", **changes: Any) -> Path:
        path = tmp_path / f"{name}.yml"
        YAML().dump(monitor_file(name=name) | changes, path)
        return path

    return file


def suite(folder: Path, *expectations: dict[str, Any], name: str = "credit", **top: Any) -> None:
    """Write a suite file, two lines an expectation from line 3 on."""
    (folder / "expectations").mkdir(exist_ok=True)
    listed = ",\n".join(json.dumps(each).replace("{", "{\n", 1) for each in expectations)
    head = json.dumps({"name": name} | top)[:-1]
    (folder / "expectations" / f"{name}.json").write_text(f'{head},\n"expectations": [\n{listed}]}}')


def said(tmp_path: Path, *paths: Path, warehouse: Callable[[str], sa.Engine] | None = None) -> list[str]:
    """The problems, each with the names of files alone."""
    found = lint(paths, great_expectations=tmp_path, warehouse=warehouse)
    return [str(problem).replace(f"{tmp_path}/", "") for problem in found]


def line_of(path: Path, text: str) -> int:
    return next(i for i, line in enumerate(path.read_text().splitlines(), start=1) if text in line)


def test_a_missing_suite_is_an_error_of_the_line_that_names_it(tmp_path: Path, write: Write) -> None:
    path = write(quality={"suite": "churn"})
    suite(tmp_path)
    (problem,) = said(tmp_path, path)
    assert problem.startswith(f"credit.yml:{line_of(path, 'suite: churn')} quality.suite: ")
    assert "churn.json: no such suite; suites in this folder: credit" in problem


def test_every_expectation_that_does_not_build_is_named_with_its_line(tmp_path: Path, write: Write) -> None:
    suite(
        tmp_path,
        {"type": NOT_NULL, "kwargs": {"column": "amount"}},
        {"type": NOT_NULL, "kwargs": {"column": "amount", "mostly": 1.5}},
        {"type": NOT_NULL, "kwargs": {"column": "amount", "mosty": 0.5}},
        {"type": "expect_column_values_to_not_be_nul", "kwargs": {"column": "amount"}},
        {"type": "expect_column_values_to_match_regex", "kwargs": {"column": "amount", "regex": "("}},
        {"type": NOT_NULL, "kwargs": {"column": "amount", "row_condition": "amount > 1"}, "severity": "grave"},
        {
            "type": NOT_NULL,
            "kwargs": {"column": "amount", "row_condition": "?", "condition_parser": "great_expectations"},
        },
    )
    problems = said(tmp_path, write(quality={"suite": "credit"}))
    places = [problem.split(": ")[0] for problem in problems]
    assert places == [f"expectations/credit.json:{3 + 2 * i} expectations[{i}]" for i in range(1, 7)]
    words = (
        "less than or equal to 1.0",
        "mosty: extra fields",
        f"did you mean '{NOT_NULL}'?",
        "regex: ",
        "grave",
        "parse",
    )
    assert [problem for problem, word in zip(problems, words, strict=True) if word not in problem] == []


def test_a_suite_of_the_old_format_is_read(tmp_path: Path, write: Write) -> None:
    old = {
        "expectation_type": NOT_NULL,
        "kwargs": {"column": "amount", "result_format": "BASIC", "auto": False},
        "meta": {},
    }
    bounds = {"column": "amount", "min_value": {"$PARAMETER": "least"}, "parse_strings_as_datetimes": True}
    between = {"expectation_type": "expect_column_values_to_be_between", "kwargs": bounds}
    suite(tmp_path, old, between, expectation_suite_name="credit", evaluation_parameters={"least": 0})
    assert said(tmp_path, write(quality={"suite": "credit"})) == []


def test_all_errors_of_all_files_are_said_in_one_pass(tmp_path: Path, write: Write) -> None:
    suite(tmp_path, {"type": NOT_NULL, "kwargs": {"column": "amount", "mosty": 1}})
    first = write("first", quality={"suite": "credit"}, sorce={})
    second = write(
        "second", quality={"suite": "none"}, retrain={"train": "no_such_module:train"}, drift={"method": "psl"}
    )
    broken = tmp_path / "third.yml"
    broken.write_text("name: [")
    problems = "\n".join(said(tmp_path, first, second, broken))
    expected = ("expectations[0]", "sorce: ", "quality.suite: ", "retrain.train: cannot import", "drift.method: ")
    assert [word for word in (*expected, "third.yml:1") if word not in problems] == []


def test_a_training_that_cannot_be_called_is_named(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "bad_module_of_lint.py").write_text("1 / 0\n")
    (tmp_path / "good_module_of_lint.py").write_text("def train(rows, as_of): ...\ndef other(rows): ...\n")

    def about(train: str, **changes: Any) -> list[str]:
        path = write(retrain={"train": train}, **changes)
        start = f"credit.yml:{line_of(path, 'train: ')} retrain.train: "
        return [problem.removeprefix(start) for problem in said(tmp_path, path)]

    assert about("good_module_of_lint:train") == []
    assert about("bad_module_of_lint:train") == [
        "importing 'bad_module_of_lint' raised ZeroDivisionError: division by zero"
    ]
    assert "has no function 'trian'" in about("good_module_of_lint:trian")[0]
    assert "must take (rows, as_of)" in about("good_module_of_lint:other")[0]
    assert about("no_such_module:train", state="paused") == []  # nothing trains it


def test_a_class_of_ones_own_has_its_place(tmp_path: Path, write: Write) -> None:
    folder = tmp_path / "plugins" / "expectations"
    folder.mkdir(parents=True)
    (folder / "amounts.py").write_text(
        "import great_expectations.expectations as gxe\n"
        "class ExpectOwnAmounts(gxe.ExpectColumnValuesToBeBetween):\n"
        "    column: str = 'amount'\n    min_value: float = 0\n"
    )
    suite(tmp_path, {"type": "expect_own_amounts", "kwargs": {}})
    path = write(quality={"suite": "credit"})
    assert said(tmp_path, path) == []
    (folder / "broken.py").write_text("raise RuntimeError('no')\n")
    suite(tmp_path, {"type": "expect_own_things", "kwargs": {}})
    problems = said(tmp_path, path)
    assert "expect_own_things: no such expectation" in problems[0]
    assert problems[1:] == ["plugins/expectations/broken.py quality.suite: cannot be imported: RuntimeError: no"]


def test_tables_and_columns_are_looked_for_where_a_connection_is_given(
    tmp_path: Path, write: Write, database_url: sa.URL
) -> None:
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    texts = [sa.Column(name, sa.Text()) for name in ("request_id", "prediction", "region")]
    table = sa.Table("inference_log", sa.MetaData(), *texts, sa.Column("predicted_at", sa.DateTime(timezone=True)))
    table.create(engine)
    suite(tmp_path, {"type": NOT_NULL, "kwargs": {"column": "gone"}})
    path = write(
        features={"amount": "numeric", "region": "categorical"}, segments=["country"], quality={"suite": "credit"}
    )
    problems = "\n".join(said(tmp_path, path, warehouse=lambda _: open_engine(database_url)))
    for field in ("source.labels.table", "source.predictions.score", "features.amount", "segments[0]"):
        assert f" {field}: inference_log." in problems or f" {field}: ground_truth: no such table" in problems
    assert (
        "expectations/credit.json:3 expectations[0]: expect_column_values_to_not_be_null: inference_log.gone"
        in problems
    )
    assert "features.region" not in problems
    assert said(tmp_path, write(features={"amount": "numeric"})) == []


def test_a_warehouse_that_is_not_there_is_said_at_its_connection(tmp_path: Path, write: Write) -> None:
    nowhere = sa.URL.create("sqlite", database=str(tmp_path / "none.db"))
    path = write()
    (problem,) = said(tmp_path, path, warehouse=lambda _: open_engine(nowhere))
    assert problem.startswith(f"credit.yml:{line_of(path, 'source:')} source.connection: connection 'warehouse'")


def test_great_expectations_is_imported_only_for_a_suite(tmp_path: Path, write: Write) -> None:
    program = (
        "import sys; from pathlib import Path; from hindsight.pipeline.lint import lint;"
        "print(lint([Path(sys.argv[1])], great_expectations=Path('.')), 'great_expectations' in sys.modules)"
    )
    command = [sys.executable, "-c", program, str(write(retrain={"train": "json:dumps"}))]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stdout.endswith("False\n")
