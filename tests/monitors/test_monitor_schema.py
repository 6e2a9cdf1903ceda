"""The JSON Schema that editors use accepts what the loader accepts, and refuses what anyone can see is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from hindsight.monitors.document import read_document
from hindsight.monitors.loader import lint
from hindsight.monitors.model import Monitor
from hindsight.monitors.schema import schema, text
from tests.builders import monitor_file

MONITORS = Path(__file__).parents[2] / "include" / "monitors"
FULL = """\
name: credit
anchor: 2026-01-05
start: 2026-09-01T06:00Z
end: 2027-09-01
model: {name: credit, task: multiclass, positive_label: yes, version: '1'}
source:
  predictions: {table: ml.log, id: id, timestamp: at, prediction: prediction, score: {0: score_0, 1: score_1}}
  labels: {table: truth, id: id, label: label, arrived_at: at}
labels: {matures_after: 14d, min_coverage: 0.1, absent_means: 0}
features: {amount: numeric, region: {type: categorical, critical: true, importance: 0.4}}
reference: {parquet: s3://bucket/ref.parquet, output: {split: holdout}, max_age: 90d}
drift: {method: evidently:anderson, threshold: auto}
kpis: {revenue: {sum: amount, where: {label: 1, amount: {above: 3}}}, ratio: {ratio: [a, b]}, n: {count: true}}
rules:
  - {id: accuracy_drop, drops_by: 15%}
  - {id: poor, metric: kpi.revenue, rises_by: 0.2, for: 2}
timezone: Europe/Berlin
calendar: {holidays: DE-BY}
alerts: {email: [a@example.com], max_age: 2d, budget: 1 page and 2 notices per 30d}
retrain: {train: a.b:c, budget: 2 per 30d, cooldown: 7d}
"""


def complaints(data: object) -> list[str]:
    return [error.json_path for error in jsonschema.Draft202012Validator(schema()).iter_errors(data)]


def test_the_published_schema_is_up_to_date_and_a_schema() -> None:
    assert (MONITORS / "schema.json").read_text() == text()
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("path", sorted(MONITORS.glob("*.yml")), ids=lambda path: path.name)
def test_every_monitor_that_comes_along_is_valid_and_names_its_schema(path: Path) -> None:
    assert lint([path]) == []
    assert complaints(read_document(path).data) == []
    assert path.read_text().startswith("# yaml-language-server: $schema=schema.json\n")


def test_an_editor_does_not_flag_a_valid_file(tmp_path: Path) -> None:
    path = tmp_path / "credit.yml"
    path.write_text(FULL)
    assert complaints(read_document(path).data) == []
    Monitor.model_validate(read_document(path).data, by_alias=True, by_name=False)
    assert complaints(monitor_file()) == []


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"windw": "1d"}, "$"),
        ({"window": 86400}, "$.window"),
        ({"window": "P1D"}, "$.window"),
        ({"state": "activ"}, "$.state"),
        ({"drift": {"method": "psl"}}, "$.drift.method"),
        ({"rules": [{"id": "low", "metric": "performance.acuracy"}]}, "$.rules[0].metric"),
        ({"features": {"amount": "number"}}, "$.features.amount"),
        ({"retrain": {"train": "a:b", "budget": "twice"}}, "$.retrain"),
        ({"labels": {"min_coverage": 2}}, "$.labels.min_coverage"),
    ],
)
def test_an_editor_flags_what_the_loader_refuses(changes, place) -> None:
    found = complaints(monitor_file(**changes))
    assert found
    assert all(path.startswith(place) for path in found)


def test_defaults_are_shown_as_users_write_them() -> None:
    properties = schema()["properties"]
    assert properties["lateness"]["default"] == "10m"
    assert properties["anchor"]["default"] == "1970-01-05"
    assert schema()["$defs"]["LabelPolicy"]["properties"]["matures_after"]["default"] == "14d"
    assert '"P' not in json.dumps(properties)
