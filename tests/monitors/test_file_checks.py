"""Whether the parts of a monitor file make sense together."""

from __future__ import annotations

from pathlib import Path

import pytest

from hindsight.monitors.built_in_rules import built_in_rules
from hindsight.monitors.document import field_name
from hindsight.monitors.file_checks import EVIDENTLY_STATTESTS, problems
from hindsight.monitors.metric_catalog import CATALOG, markdown, metric, rule_metrics
from hindsight.monitors.rule_checks import rounded_times
from tests.builders import DAY, a_monitor, monitor_file

REFERENCE = {"reference": {"trailing": "28d"}}


def told(**changes: object) -> list[str]:
    return [f"{field_name(where)}: {text}" for where, text in problems(a_monitor(**changes))]


def rules_told(*rules: dict[str, object], **changes: object) -> list[str]:
    return told(rules=list(rules), **(REFERENCE | changes))


def source(**predictions: object) -> dict[str, object]:
    """The builder's source with some prediction columns changed; None leaves one out."""
    whole = monitor_file()["source"]
    columns = {k: v for k, v in (whole["predictions"] | predictions).items() if v is not None}
    return whole | {"predictions": columns}


def test_the_builders_monitor_has_no_problem() -> None:
    assert told() == []


@pytest.mark.parametrize("method", ["psi", "psi_fine", "js_distance", "ks", "wasserstein_normed", "evidently:anderson"])
def test_the_known_drift_methods_are_accepted(method) -> None:
    assert told(drift={"method": method}) == []


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("psl", "unknown method 'psl' - did you mean 'psi'?"),
        ("zzz", "unknown method 'zzz'; known are psi, psi_fine, js_distance"),
        ("evidently:andersen", "unknown Evidently test 'andersen' - did you mean 'anderson'?"),
        ("evidently:", "unknown Evidently test ''; known are TVD"),
    ],
)
def test_an_unknown_drift_method_is_told(method, expected) -> None:
    (message,) = told(drift={"method": method})
    assert message.startswith(f"drift.method: {expected}")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_list_of_evidently_tests_is_evidentlys() -> None:
    from evidently.legacy.calculations import stattests
    from evidently.legacy.calculations.stattests.registry import StatTest

    names = {test.name for test in vars(stattests).values() if isinstance(test, StatTest)}
    assert names == set(EVIDENTLY_STATTESTS)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"id": "low", "metric": "performance.acuracy", "below": 0.9}, "metric: unknown metric 'performance.acuracy'"),
        (
            {"id": "low", "metric": "performance.rmse", "above": 1},
            "metric: 'performance.rmse' is not measured for a bi",
        ),
        (
            {"id": "low", "metric": "performance.confusion", "above": 1},
            "metric: 'performance.confusion' holds one value",
        ),
        ({"id": "low", "metric": "kpi.revenue", "below": 1}, "metric: unknown metric 'kpi.revenue'"),
        ({"id": "low"}, "metric: is missing: 'low' is not a built-in rule"),
        (
            {"id": "acuracy_drop", "enabled": False},
            "metric: is missing: 'acuracy_drop' is not a built-in rule - did you",
        ),
        ({"id": "low", "metric": "performance.accuracy"}, "has no threshold"),
        (
            {"id": "low", "metric": "performance.accuracy", "below": 90},
            "below: 'performance.accuracy' is at least 0 and at",
        ),
        (
            {"id": "low", "metric": "operations.error_rate", "above": -0.1},
            "above: 'operations.error_rate' is at least 0",
        ),
        ({"id": "volume", "above": 1, "below": 2}, "below: 2 is more than above: 1, so that every value would breach"),
        ({"id": "null_rate", "above": 0.1, "critical": 0.2}, "critical: must be as strict as `above` or stricter"),
        (
            {"id": "slow", "metric": "operations.error_rate", "above": 1, "critical": 1},
            "critical: is for critical features",
        ),
        (
            {"id": "slow", "metric": "operations.error_rate", "rises_by": 0.1},
            "rises_by: 'operations.error_rate' has no",
        ),
        ({"id": "accuracy_drop", "drops_by": 1.5}, "drops_by: a drop of 100 % or more can never happen"),
        ({"id": "volume", "above": 2, "then": ["dag:a b"]}, "then[0]: 'a b' cannot be a DAG id"),
        (
            {"id": "volume", "above": 2, "over_reference": True},
            "over_reference: 'operations.volume_ratio' has no value",
        ),
        ({"id": "volume", "above": 2, "against": "previous"}, "against: compares nothing: give drops_by, rises_by or"),
        (
            {"id": "class_imbalance", "rises_by": 0.2, "against": "previous"},
            "against: 'drift.class_share' holds a value a bin, which is compared with the reference only",
        ),
    ],
)
def test_a_rule_that_cannot_be_meant_is_told(rule, expected) -> None:
    (message,) = rules_told(rule)
    assert message.removeprefix("rules[0]").lstrip(".: ").startswith(expected)


@pytest.mark.parametrize(
    "rule",
    [
        {"id": "accuracy_drop", "metric": "performance.accuracy", "below": 0.90, "for": 2, "severity": "P0"},
        {"id": "slow", "metric": "operations.latency_p99_ms", "above": 1000, "then": ["email", "dag:restart_api"]},
        {"id": "accuracy_drop", "drops_by": "10%", "segments": True, "versions": True},
        {"id": "null_rate", "above": 0.1, "critical": 0.02},
        {"id": "leak", "metric": "performance.accuracy", "above": 0.999},
        {"id": "shift", "metric": "drift.mean_shift", "above": 1, "below": -1},
        {"id": "drift", "enabled": False},
        {"id": "worse", "metric": "estimate.accuracy", "drops_by": "10%"},
        {"id": "sudden", "metric": "operations.error_rate", "rises_by": "50%", "against": "same_weekday"},
    ],
)
def test_a_rule_that_can_be_meant_is_accepted(rule) -> None:
    assert rules_told(rule) == []


def test_a_rule_id_used_twice_is_told() -> None:
    assert rules_told({"id": "drift", "above": 1}, {"id": "drift", "above": 1}) == [
        "rules[1].id: 'drift' is already used by rules[0]; change it there"
    ]


def test_a_kpi_of_labels_needs_labels() -> None:
    source = {key: value for key, value in monitor_file()["source"].items() if key != "labels"}
    assert "kpis.x.sum: 'labels.paid' needs source.labels" in told(kpis={"x": {"sum": "labels.paid"}}, source=source)


def test_a_kpi_is_compared_with_a_period_but_not_with_a_file_of_rows() -> None:
    rule, kpis = {"id": "poor", "metric": "kpi.revenue", "drops_by": "15%"}, {"revenue": {"sum": "amount"}}
    assert rules_told(rule, kpis=kpis, reference={"trailing": "28d"}) == []
    (message,) = rules_told(rule, kpis=kpis, reference={"parquet": "reference.parquet"})
    assert "'kpi.revenue' has no value on the reference to compare with" in message
    (message,) = rules_told(rule, kpis=kpis, reference=None)
    assert "the file has no reference section" in message


def test_a_rule_on_a_kpi_of_the_file_is_accepted() -> None:
    rule = {"id": "poor", "metric": "kpi.revenue", "below": -5}
    assert rules_told(rule, kpis={"revenue": {"sum": "amount"}}) == []


def test_a_comparison_without_a_reference_is_told() -> None:
    (message,) = told(rules=[{"id": "accuracy_drop", "drops_by": "10%"}])
    assert message == "rules[0].drops_by: compares with the reference, but the file has no reference section"


def test_a_rule_on_something_that_is_not_collected_is_told() -> None:
    slow = {"id": "slow", "metric": "operations.latency_p99_ms", "above": 1000}
    low = {"id": "low", "metric": "performance.accuracy", "below": 0.5}
    unlabelled = {k: v for k, v in source(latency_ms=None).items() if k != "labels"}
    changes = {"source": unlabelled, "labels": {}}
    assert [m for m in rules_told(slow, low, **changes) if m.startswith("rules")] == [
        "rules[0].metric: 'operations.latency_p99_ms' needs source.predictions.latency_ms",
        "rules[1].metric: 'performance.accuracy' needs source.labels",
    ]


def test_judging_segments_or_versions_that_are_not_declared_is_told() -> None:
    rule = {"id": "volume", "above": 2, "segments": True, "versions": True}
    assert rules_told(rule, segments=[], source=source(model_version=None)) == [
        "rules[0].segments: the file lists no segments to judge",
        "rules[0].versions: needs source.predictions.model_version",
    ]


@pytest.mark.parametrize(
    ("retrain", "expected"),
    [
        ({"require": ["drift_shar"]}, ["retrain.require[0]: unknown rule 'drift_shar' - did you mean 'drift_share'?"]),
        (
            {"require": ["volume"]},
            ["retrain.require[0]: rule 'volume' is disabled, so that retraining could never be asked for"],
        ),
        (
            {"require": []},
            ["retrain.require: needs at least one rule; without one nothing would ever ask for retraining"],
        ),
        ({"dag": "a b"}, ["retrain.dag: 'a b' cannot be a DAG id: letters, digits, '_', '.' and '-'"]),
        ({"require": ["drift_share", "low"]}, []),
    ],
)
def test_retraining_must_be_able_to_happen(retrain, expected) -> None:
    low = {"id": "low", "metric": "performance.f1", "below": 0.5}
    off = {"id": "volume", "enabled": False}
    assert rules_told(low, off, retrain={"train": "lending.models:train"} | retrain) == expected


def test_retraining_on_labels_that_do_not_exist_is_told() -> None:
    unlabelled = {k: v for k, v in source().items() if k != "labels"}
    messages = told(source=unlabelled, retrain={"train": "a:b"})
    assert "retrain.require[0]: rule 'accuracy_drop' judges performance.accuracy, which needs source.labels" in messages
    assert "labels: says when labels count, but source.labels does not say where they are" in messages


@pytest.mark.parametrize(
    ("task", "score", "expected"),
    [
        ("regression", "score", "a regression has no score"),
        ("binary", {"yes": "score"}, "a binary model has one score column"),
        ("multiclass", "score", "a multiclass model has one column per class"),
    ],
)
def test_scores_fit_the_task(task, score, expected) -> None:
    (message,) = told(model={"name": "m", "task": task}, source=source(score=score))
    assert message.startswith(f"source.predictions.score: {expected}")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"end": "2026-09-01"}, "end: must be after start, 2026-09-01T00:00Z"),
        ({"window": "400d"}, "window: expected at most 366d, found 400d"),
        ({"lateness": "4000d"}, "lateness: expected at most 3660d, found 4000d"),
        ({"labels": {"schedule": "0 2 * *"}}, "labels.schedule: expected the five fields of cron"),
        ({"labels": {"schedule": "0 25 * * *"}}, "labels.schedule: not a valid cron schedule: '0 25 * * *'"),
        ({"pii": {"hash": ["amount"]}}, "pii.hash[0]: 'amount' is used as a number"),
        ({"pii": {"hash": ["x"], "drop": ["x"]}}, "pii.hash[0]: 'x' is also in pii.drop"),
        ({"pii": {"drop": ["request_id"]}}, "pii.drop[0]: 'request_id' is needed"),
        ({"pii": {"drop": ["region"]}}, "pii.drop[0]: 'region' is dropped here, but listed in features"),
        ({"segments": ["region", "region"]}, "segments[1]: 'region' is listed twice"),
        ({"segments": ["request_id"]}, "segments[0]: 'request_id' has a value of its own in every row"),
        ({"kpis": {"revenue": {"sum": "region"}}}, "kpis.revenue.sum: 'region' is a categorical feature"),
        ({"kpis": {"x": {"ratio": ["amount", "region"]}}}, "kpis.x.ratio: 'region' is a categorical feature; a ratio "),
        ({"kpis": {"x": {"sum": "predicted_at"}}}, "kpis.x.sum: 'predicted_at' holds times; a sum needs numbers"),
        ({"kpis": {"x": {"mean": "n"}}, "pii": {"hash": ["n"]}}, "kpis.x.mean: 'n' is hashed; a mean needs numbers"),
        ({"kpis": {"x": {"count": "n"}}, "pii": {"drop": ["n"]}}, "kpis.x.count: 'n' is in pii.drop and is never read"),
        (
            {"kpis": {"x": {"count": True, "where": {"n": "a"}}}, "pii": {"hash": ["n"]}},
            "kpis.x.where.n: 'n' is hashed; no row would equal 'a'",
        ),
        (
            {"kpis": {"x": {"count": True, "where": {"amount": {"above": 2, "below": 2}}}}},
            "kpis.x.where.amount: above is not less than below",
        ),
        (
            {"kpis": {"x": {"count": True, "where": {"region": {"above": 2}}}}},
            "kpis.x.where.region: 'region' is a categorical feature; a range needs numbers",
        ),
        (
            {"kpis": {"x": {"sum": "label"}}, "features": {"label": "numeric"}},
            "kpis.x.sum: 'label' is a column of the predictions and of the labels; write predictions.label or ",
        ),
        ({"alerts": {"runbook": "javascript:alert(1)"}}, "alerts.runbook: expected a link"),
        ({"model": {"name": "m", "task": "binary", "endpoint": "http://["}}, "model.endpoint: expected a link"),
    ],
)
def test_what_cannot_be_meant_is_told(changes, expected) -> None:
    (message,) = told(**changes)
    assert message.startswith(expected)


@pytest.mark.parametrize(
    "address",
    [
        "nobody",
        "a@b@c.de",
        "a@b.de\r\nBcc: x@y.z",
        "ü@example.com",
        "a@exämple.com",
        "a b@c.de",
        "A <a@b.de>",
        "@b.de",
        "a@",
    ],
)
def test_an_address_mail_cannot_go_to_is_told(address) -> None:
    (message,) = told(alerts={"email": [address]})
    assert message.startswith("alerts.email[0]: expected an address such as risk-ml@example.com")


def test_hashed_ids_other_segments_and_ordinary_addresses_are_accepted() -> None:
    alerts = {"email": ["risk-ml@example.com", "oncall+ml@localhost"], "runbook": "https://wiki.example.com/a?b=c#d"}
    assert told(pii={"hash": ["request_id", "customer_id"]}, segments=["country"], alerts=alerts) == []


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_built_in_rule_judges_a_metric_of_the_catalog(task) -> None:
    assert {rule.metric for rule in built_in_rules(task, 0.3, DAY)} <= set(rule_metrics(task))


def test_every_metric_stands_once_in_the_catalog() -> None:
    assert len({each.path for each in CATALOG}) == len(CATALOG)
    assert all(metric(each.path) is each for each in CATALOG)


def test_the_page_about_metrics_is_up_to_date() -> None:
    assert (Path(__file__).parents[2] / "docs" / "metrics.md").read_text() == markdown()


def test_resources_may_carry_rules_and_a_wrong_name_is_told() -> None:
    named = source(resources={"cpu_pct": "cpu", "cold_start": "cold"})
    rules = [
        {"id": "cpu", "metric": "operations.cpu_pct_p95", "above": 90},
        {"id": "cold", "metric": "operations.cold_start_rate", "above": 0.1},
    ]
    assert rules_told(*rules, source=named) == []
    (message,) = rules_told({"id": "cpu", "metric": "operations.cpu_pct_p59", "above": 90}, source=named)
    assert "did you mean 'operations.cpu_pct_p95'?" in message
    assert rules_told(*rules) != []


def test_a_resource_may_not_be_called_like_a_metric_nor_be_hashed() -> None:
    (message,) = told(source=source(resources={"error": "errors"}))
    assert message == "source.predictions.resources.error: is taken: operations.error_rate is a metric already"
    (message,) = told(source=source(resources={"cpu": "cpu"}), pii={"hash": ["cpu"]})
    assert message.startswith("pii.hash[0]: 'cpu' is used as a number")


# Times and runbooks of rules


def test_times_of_rules_are_windows_rounded_up() -> None:
    lasting = [{"id": "latency_p95", "for": "30m", "keep_for": "3h"}, {"id": "volume", "for": 2}]
    hourly = a_monitor(rules=lasting, window="1h")
    rules = {rule.id: rule for rule in hourly.rules}
    assert (rules["latency_p95"].for_, rules["latency_p95"].keep_for, rules["volume"].for_) == (1, 3, 2)
    five = {rule.id: rule for rule in a_monitor(rules=lasting, window="5m").rules}
    assert (five["latency_p95"].for_, five["latency_p95"].keep_for) == (6, 36)
    assert [(field_name(where), text) for where, text in rounded_times(hourly)] == [
        ("rules[0].for", "30m is rounded up to 1 window of 1h")
    ]


def test_a_time_of_too_many_windows_is_told() -> None:
    assert rules_told({"id": "volume", "for": "90d"}, window="5m") == [
        "rules[0].for: expected at most 20,000 windows of 5m"
    ]


def test_a_rule_may_have_a_runbook_of_its_own() -> None:
    assert rules_told({"id": "volume", "runbook": "https://wiki.example.com/volume"}) == []
    (message,) = rules_told({"id": "volume", "runbook": "wiki"})
    assert message == "rules[0].runbook: expected a link that starts with https:// or http://, found 'wiki'"


def test_a_tag_that_is_listed_twice_is_told() -> None:
    assert told(tags=["eu", "lending"]) == []
    assert told(tags=["eu", "lending", "eu"]) == ["tags[2]: 'eu' is listed twice"]
