"""Broken suites: what they do not concern is measured, judged and kept, and the fault is told until it is mended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.vocabulary.measurement import Kind, Measurement
from tests.builders import a_window
from tests.pipeline.world import REFERENCE, World, a_world

DAY, NEXT = "2026-09-01", "2026-09-02"
KNOWN = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "amount"}}
MISSPELT = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "amount", "mosty": 0.9}}
UNANSWERABLE = {"type": "expect_column_max_to_be_between", "kwargs": {"column": "region", "max_value": 3}}
HIGH = {"type": "expect_column_values_to_be_between", "kwargs": {"column": "amount", "max_value": -1}}


@pytest.fixture
def world(database_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(database_url, tmp_path, REFERENCE) as made:
        made.declare(quality={"suite": "credit"}).log(DAY).log(NEXT)
        yield made


def suite(world: World, *expectations: dict[str, Any]) -> None:
    """Write the suite of the monitor."""
    folder = world.resources.settings.great_expectations / "expectations"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "credit.json").write_text(json.dumps({"name": "credit", "expectations": expectations}, indent=1))


def of(world: World, metric: str, day: str = DAY) -> list[Measurement]:
    return [m for m in world.measured(Kind.QUALITY, day) if m.metric == metric]


def test_a_missing_suite_costs_no_other_number_and_is_told(world: World) -> None:
    done = pipeline.run_window(world.monitor, a_window(DAY), world.resources)
    assert {kind for kind in Kind if world.measured(kind, DAY)} >= {Kind.OPERATIONS, Kind.QUALITY, Kind.DRIFT}
    assert of(world, "null_rate")
    (failed,), (faults,) = of(world, "expectations_failed"), of(world, "suite_faults")
    assert (failed.value, faults.value) == (None, 1.0)
    assert "credit.json quality.suite: no such suite" in failed.note
    assert done["faults"] == [faults.note]
    assert [i.series.rule for i in world.run(DAY).incidents] == ["suite"]


def test_the_fault_of_an_expectation_is_named_and_ends_when_it_is_mended(world: World) -> None:
    suite(world, KNOWN, MISSPELT)
    (incident,) = world.run(DAY).incidents
    assert "credit.json:10 expectations[1]: expect_column_values_to_not_be_null: mosty: extra fields" in incident.reason
    suite(world, KNOWN)
    (ended,) = world.run(NEXT).incidents
    assert (ended.id, ended.state.value) == (incident.id, "resolved")
    assert [m.value for m in of(world, "suite_faults", NEXT)] == [0.0]


def test_an_expectation_nobody_can_answer_opens_no_incident(world: World) -> None:
    suite(world, KNOWN, UNANSWERABLE)
    assert world.run(DAY).incidents == ()
    assert {m.feature: m.value for m in of(world, "expectations_failed")} == {"amount": 0.0, "region": None}
    assert {m.bin: m.note for m in of(world, "expectation_success") if m.value is None} == {
        "expect_column_max_to_be_between": "not evaluated: raised TypeError: the check cannot work with values of the "
        "column's type; cast the column in a view or take it out"
    }


def test_a_critical_expectation_about_the_table_is_one_incident(world: World) -> None:
    rows = {"type": "expect_table_row_count_to_be_between", "kwargs": {"max_value": 1}, "severity": "critical"}
    suite(world, rows)
    assert [i.series.rule for i in world.run(DAY).incidents] == ["quality_critical"]


@pytest.mark.parametrize(
    ("severity", "rules"),
    [("critical", ["quality_critical"]), ("warning", ["quality"]), (None, ["quality"]), ("info", [])],
)
def test_the_severity_of_an_expectation_is_that_of_its_incident(
    world: World, severity: str | None, rules: list[str]
) -> None:
    suite(world, HIGH | ({"severity": severity} if severity else {}))
    found = world.run(DAY).incidents
    assert [(i.series.rule, i.severity.value) for i in found] == [
        (rule, "P1" if rule == "quality_critical" else "P2") for rule in rules
    ]
