"""Data Docs: Great Expectations' page of a validation stands alone, runs nothing and shows no row value."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.errors import ConfigError
from hindsight.reports.data_docs import data_docs
from tests.builders import a_window, at
from tests.pipeline.world import a_world

HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">'
REFERENCE_DAY, DAY = "2026-08-01", "2026-09-01"


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loaded: list[str] = []
        self.handlers: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loaded += [
            value or "" for name, value in attributes if name == "src" or (tag == "link" and name == "href")
        ]
        self.handlers += [name for name, _ in attributes if name.startswith("on")]


def a_result(type: str = "not_be_null", column: str = "amount", **result: Any) -> Any:
    kwargs = {"column": column} | ({"value_set": [HOSTILE]} if type == "be_in_set" else {})
    return {
        "success": not result,
        "expectation_config": {"type": f"expect_column_values_to_{type}", "kwargs": kwargs, "meta": {}},
        "result": result,
        "exception_info": {"raised_exception": False, "exception_message": "", "exception_traceback": ""},
        "meta": {},
    }


def a_validation(*results: Any) -> dict[str, Any]:
    return {
        "success": False,
        "suite_name": "credit",
        "suite_parameters": {},
        "results": list(results),
        "statistics": {
            "evaluated_expectations": len(results),
            "successful_expectations": 0,
            "unsuccessful_expectations": len(results),
            "success_percent": 0.0,
        },
        "meta": {"run_id": {"run_name": HOSTILE, "run_time": "2026-09-02T00:00:00+00:00"}},
    }


def test_the_page_names_each_column_with_what_was_expected_and_found() -> None:
    html = data_docs(
        a_validation(a_result(element_count=200, unexpected_count=30, unexpected_percent=15.0)), title="credit"
    )

    assert "values must never be null" in html
    assert "30 unexpected values found" in html
    assert "85% not null" in html


@pytest.mark.parametrize("type", ["not_be_null", "be_in_set"])
def test_names_and_values_cannot_become_markup(type: str) -> None:
    page = Page(data_docs(a_validation(a_result(type, HOSTILE, unexpected_percent=5.0)), title=HOSTILE))

    assert "script" not in page.tags
    assert "img" not in page.tags
    assert not page.handlers


def test_nothing_is_loaded_from_elsewhere() -> None:
    assert Page(data_docs(a_validation(a_result()), title="credit")).loaded == []


def test_a_windows_data_docs_are_kept_and_found_by_id(sqlite_url: sa.URL, tmp_path: Path) -> None:
    with a_world(sqlite_url, tmp_path, [REFERENCE_DAY, DAY], quality={"suite": "credit"}) as world:
        folder = world.resources.settings.great_expectations / "expectations"
        folder.mkdir(parents=True, exist_ok=True)
        expectation = {"type": "expect_column_values_to_be_between", "kwargs": {"column": "amount", "max_value": -1}}
        (folder / "credit.json").write_text(json.dumps({"name": "credit", "expectations": [expectation]}))
        id = pipeline.document_window(world.monitor, a_window(DAY), world.resources, made_at=at("2026-09-02"))
        report, html = pipeline.read_report(id, world.resources) or (None, "")

    assert report is not None
    assert (report.monitor, report.window, report.kind) == ("credit", a_window(DAY), "data docs")
    assert "100% unexpected" in html


def test_without_a_suite_there_is_nothing_to_document(sqlite_url: sa.URL, tmp_path: Path) -> None:
    with a_world(sqlite_url, tmp_path, [DAY]) as world, pytest.raises(ConfigError, match=r"quality\.suite"):
        pipeline.document_window(world.monitor, a_window(DAY), world.resources, made_at=at("2026-09-02"))
