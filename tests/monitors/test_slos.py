"""SLOs of a monitor file: what a short one means, which cannot be meant, and what OpenSLO makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from hindsight.errors import ConfigError
from hindsight.monitors.file_checks import problems
from hindsight.monitors.loader import load_file
from hindsight.monitors.openslo import openslo
from hindsight.monitors.slo_checks import slo_warnings
from tests.builders import a_monitor, monitor_file

AVAILABILITY = {"target": "99.9%", "period": "30d"}
LATENCY = {"metric": "operations.latency_p95_ms", "below": 300, "target": "99%", "period": "30d"}
HOURLY: dict[str, Any] = {"window": "1h", "slos": {"availability": AVAILABILITY, "latency": LATENCY}}


def test_names_have_usual_metrics() -> None:
    named = ("availability", "accuracy", "freshness", "latency", "quality")
    limits = {"freshness": {"below": 3600}, "latency": {"below": 300}}
    monitor = a_monitor(window="1h", slos={name: {"target": "99%"} | limits.get(name, {}) for name in named})
    assert list(problems(monitor)) == []
    assert [monitor.slos[name].metric for name in named] == [
        "operations.availability",
        "performance.accuracy",
        "operations.freshness_s",
        "operations.latency_p95_ms",
        "operations.log_completeness",
    ]


def test_the_rules_on_slos_are_there_where_some_are_declared_and_may_be_changed() -> None:
    assert not [rule for rule in a_monitor().rules if rule.metric.startswith("slo.")]
    change = {"id": "slo_burn", "above": 14.4, "severity": "P0"}
    found = {rule.id: rule for rule in a_monitor(**HOURLY, rules=[change]).rules if rule.metric.startswith("slo.")}
    assert list(problems(a_monitor(**HOURLY, rules=[change]))) == []
    assert (found["slo_burn"].above, found["slo_burn"].severity, found["slo_burn"].kind) == (14.4, "P0", "symptom")
    assert (found["slo_budget"].below, found["slo_budget"].severity) == (0, "P2")
    ((where, text),) = problems(a_monitor(rules=[{"id": "fast", "metric": "slo.burn_short", "above": 10.0}]))
    assert (where, text) == (("rules", 0, "metric"), "'slo.burn_short' needs slos")


@pytest.mark.parametrize(
    ("slos", "where", "said"),
    [
        ({"availability": {"target": "100%"}}, ("availability", "target"), "leaves no budget"),
        ({"availability": {"target": "150%"}}, ("availability", "target"), "leaves no budget"),
        ({"up": {"target": "99%"}}, ("up", "metric"), "no usual one for 'up'; availability, accuracy"),
        ({"latncy": {"target": "99%", "below": 3}}, ("latncy", "metric"), "did you mean 'latency'"),
        ({"latency": {"target": "99%"}}, ("latency", "metric"), "give below or above"),
        ({"latency": LATENCY | {"metric": "operations.latency_p95"}}, ("latency", "metric"), "unknown metric"),
        ({"latency": LATENCY | {"metric": "performance.mae"}}, ("latency", "metric"), "not measured for a binary"),
        ({"latency": LATENCY | {"metric": "slo.burn_short"}}, ("latency", "metric"), "made of SLOs"),
        ({"nulls": {"metric": "quality.null_rate", "target": "99%"}}, ("nulls", "metric"), "a value for each feature"),
        ({"latency": LATENCY | {"above": 100}}, ("latency", "below"), "one limit"),
        ({"latency": LATENCY | {"below": -1}}, ("latency", "below"), "at least 0, found -1"),
        ({"latency": LATENCY | {"target": "99.9%"}}, ("latency", "target"), "0.72 windows of 1h in 30d"),
        ({"latency": LATENCY | {"target": "99.9%"}}, ("latency", "target"), "target: 99.58%, period: 150d"),
        ({"availability": AVAILABILITY | {"short": "1h"}}, ("availability", "short"), "2 windows of 1h"),
        ({"availability": AVAILABILITY | {"long": "2h"}}, ("availability", "long"), "more than the short span, 2h"),
        ({"availability": AVAILABILITY | {"long": "31d"}}, ("availability", "long"), "longer than the period, 30d"),
        ({"availability": AVAILABILITY | {"period": "2h"}}, ("availability", "period"), "more than the short span"),
    ],
)
def test_what_cannot_be_meant_is_said(slos: dict[str, Any], where: tuple[str, ...], said: str) -> None:
    ((found, text),) = problems(a_monitor(window="1h", slos=slos))
    assert found == ("slos", *where)
    assert said in text


def test_what_would_do_does() -> None:
    for fix in ({"target": "99.58%"}, {"target": "99.9%", "period": "150d"}):
        assert list(problems(a_monitor(window="1h", slos={"latency": LATENCY | fix}))) == []


def test_spans_may_not_be_longer_than_history_is_kept() -> None:
    slos = {"availability": AVAILABILITY | {"period": "60d", "long": "40d"}}
    kept = {"retention": {"snapshots": "30d"}, "labels": {"matures_after": "7d"}}
    found = dict(problems(a_monitor(slos=slos, **kept)))
    assert set(found) == {("slos", "availability", "period"), ("slos", "availability", "long")}
    assert "retention.snapshots is 30d" in found["slos", "availability", "period"]


def test_accuracy_needs_labels_and_a_classifier() -> None:
    source = {"predictions": monitor_file()["source"]["predictions"]}
    slos = {"accuracy": {"target": "90%"}}
    no_labels = {"source": source, "labels": None}
    file = {key: value for key, value in (monitor_file() | no_labels).items() if value is not None}
    without = a_monitor().model_validate(file | {"slos": slos})
    assert [text for _, text in problems(without)] == ["'performance.accuracy' needs source.labels"]
    source["predictions"] = source["predictions"] | {"score": None}
    regression = a_monitor(
        model={"name": "m", "task": "regression"}, slos=slos, source=monitor_file()["source"] | source
    )
    assert next(text for _, text in problems(regression)).startswith(
        "'performance.accuracy' is not measured for a regr"
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("target: 99.9", "slos.availability.target: expected a percentage such as 15%, got 99.9 - did you mean 99.9%?"),
        ("target: 0%", "slos.availability.target: expected more than 0, found '0%'"),
        ("target: 99%, min_row: 3", "slos.availability.min_row: unknown key 'min_row' - did you mean 'min_rows'?"),
        ("target: 99%, period: a month", "slos.availability.period: expected a duration such as 15m, 6h or 7d"),
    ],
)
def test_a_wrong_value_is_named_with_its_line(line: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "credit.yml"
    YAML().dump(monitor_file(), path)
    with path.open("a") as file:
        file.write(f"slos:\n  availability: {{{line}}}\n")
    with pytest.raises(ConfigError) as caught:
        load_file(path)
    problem = caught.value.problems[0]
    assert f"{problem.field}: {problem.message}".startswith(said)
    assert problem.line == len(path.read_text().splitlines())


def test_more_than_five_are_doubted() -> None:
    slos = {f"errors_{i}": {"metric": "operations.error_rate", "target": "99%"} for i in range(6)}
    ((where, text),) = slo_warnings(a_monitor(slos=slos))
    assert where == ("slos",)
    assert text.startswith("6 SLOs: three to 5")
    assert list(slo_warnings(a_monitor(**HOURLY))) == []


def test_openslo_has_a_service_and_a_document_for_each() -> None:
    service, ratio, slices = YAML(typ="safe").load_all(openslo(a_monitor(**HOURLY)))
    assert {one["apiVersion"] for one in (service, ratio, slices)} == {"openslo/v1"}
    assert [one["kind"] for one in (service, ratio, slices)] == ["Service", "SLO", "SLO"]
    assert ratio["metadata"]["name"] == "credit-availability"
    assert ratio["spec"]["service"] == service["metadata"]["name"]
    assert ratio["spec"]["budgetingMethod"] == "Occurrences"
    assert ratio["spec"]["objectives"] == [{"target": 0.999}]
    assert ratio["spec"]["timeWindow"] == [{"duration": "30d", "isRolling": True}]
    assert set(ratio["spec"]["indicator"]["spec"]["ratioMetric"]) == {"counter", "good", "total"}
    (objective,) = slices["spec"]["objectives"]
    assert objective == {"op": "lt", "value": 300, "target": 0.99, "timeSliceTarget": 1, "timeSliceWindow": "1h"}
    assert slices["spec"]["budgetingMethod"] == "Timeslices"
    assert openslo(a_monitor()) == ""
