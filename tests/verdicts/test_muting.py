"""Muting: no data silences the rest, bad quality its column's drift, the louder rule the quieter one."""

from __future__ import annotations

from typing import Any

import pytest

from hindsight.monitors.model import Monitor
from hindsight.verdicts.judge import judge
from hindsight.verdicts.model import Status
from hindsight.verdicts.muting import ROUNDED
from hindsight.vocabulary.measurement import Kind, Measurement
from tests.builders import a_measurement, a_monitor
from tests.verdicts.rules import MATURE, WINDOW, a_ruled_monitor, judged


def statuses(monitor: Monitor, facts: dict[Kind, list[Measurement]]) -> dict[tuple[str, ...], Status]:
    verdicts = judge(monitor, WINDOW, MATURE, facts)
    return {tuple(filter(None, (v.series.rule, v.series.feature, v.series.segment))): v.status for v in verdicts}


def test_no_data_mutes_every_other_rule_and_good_news_too() -> None:
    facts = {
        Kind.OPERATIONS: [a_measurement("total_requests", 0, n=0), a_measurement("volume_ratio", 0.0, n=60)],
        Kind.QUALITY: [a_measurement("expectations_failed", 0.0)],
        Kind.PERFORMANCE: [a_measurement("accuracy", 0.1, reference=0.9)],
        Kind.DRIFT: [a_measurement("drift_share", None)],
    }
    assert statuses(a_monitor(), facts) == {
        ("no_data",): Status.BREACH,
        ("volume",): Status.MUTED,
        ("quality",): Status.MUTED,
        ("accuracy_drop",): Status.MUTED,
        ("drift_share",): Status.NO_DATA,
    }


def test_no_data_of_one_segment_mutes_only_that_segment() -> None:
    each = [{"id": id, "metric": metric, "segments": True, **bounds} for id, metric, bounds in EACH]
    facts = [a_measurement("total_requests", n, n=int(n), segment=s) for s, n in (("r=EU", 0.0), ("r=US", 9.0))]
    facts += [a_measurement("error_rate", 0.5, segment=s) for s in ("", "r=EU", "r=US")]
    assert statuses(a_ruled_monitor(*each), {Kind.OPERATIONS: facts}) == {
        ("no_data", "r=EU"): Status.BREACH,
        ("no_data", "r=US"): Status.OK,
        ("errors",): Status.BREACH,
        ("errors", "r=EU"): Status.MUTED,
        ("errors", "r=US"): Status.BREACH,
    }


EACH = [("no_data", "operations.total_requests", {"below": 1}), ("errors", "operations.error_rate", {"above": 0.1})]


def test_bad_quality_of_a_column_mutes_its_drift_and_nothing_else() -> None:
    facts = {
        Kind.QUALITY: [a_measurement("null_rate", 0.5, feature="amount"), a_measurement("expectations_failed", 1.0)],
        Kind.DRIFT: [
            a_measurement("drifted", 1, feature="amount"),
            a_measurement("drifted", 1, feature="region"),
            a_measurement("drift_share", 1.0),
        ],
        Kind.OPERATIONS: [a_measurement("health", 2.0)],
        Kind.PERFORMANCE: [a_measurement("accuracy", 0.1, reference=0.9)],
    }
    found = statuses(a_monitor(), facts)
    assert found.pop(("drift", "amount")) is Status.MUTED
    assert found.pop(("health_warning",)) is Status.MUTED
    assert set(found.values()) == {Status.BREACH}
    [muted] = [v for v in judge(a_monitor(), WINDOW, MATURE, facts) if v.series.feature == "amount" and v.note]
    assert muted.note == "null_rate on amount explains it"


@pytest.mark.parametrize(
    ("drifted", "bad", "status", "note"),
    [
        ("abcd", "", Status.BREACH, ""),
        ("abcd", "a", Status.MUTED, "bad data in a explains it"),
        ("abcde", "a", Status.BREACH, ""),
        ("abcde", "abcdefghij", Status.MUTED, "bad data in a, b, c, d, e explains it"),
        ("abcd", "efgh", Status.BREACH, ""),
    ],
)
def test_a_drifted_column_that_bad_data_explains_does_not_count_towards_the_share(
    drifted: str, bad: str, status: Status, note: str
) -> None:
    monitor = a_monitor(features=dict.fromkeys("abcdefghij", "numeric"), drift={"share": 0.3})
    moved = [a_measurement("drifted", float(name in drifted), feature=name) for name in "abcdefghij"]
    output = a_measurement("drifted", 1.0, feature="score")  # never was part of the share
    facts = {
        Kind.QUALITY: [a_measurement("null_rate", 0.5, feature=name) for name in bad],
        Kind.DRIFT: [*moved, output, a_measurement("drift_share", len(drifted) / 10)],
    }
    [found] = [v for v in judge(monitor, WINDOW, MATURE, facts) if v.series.rule == "drift_share"]
    assert (found.status, found.note, found.value) == (status, note, len(drifted) / 10)


@pytest.mark.parametrize(
    ("fact", "moved", "status"),
    [
        (("null_rate", 0.3), 0.25, Status.MUTED),
        (("null_rate", 0.3), 0.8, Status.BREACH),  # seven rows in ten were made from good values
        (("stuck", 1.0), 0.8, Status.MUTED),
    ],
)
def test_a_bad_feature_explains_no_more_of_the_output_than_it_is_bad(
    fact: tuple[str, float], moved: float, status: Status
) -> None:
    drift = [
        a_measurement("drifted", 1, n=1000, feature="prediction"),
        a_measurement("ks", moved, feature="prediction"),
    ]
    facts = {Kind.QUALITY: [a_measurement(fact[0], fact[1], feature="amount")], Kind.DRIFT: drift}
    assert statuses(a_monitor(), facts)["drift", "prediction"] is status


@pytest.mark.parametrize(("found", "status"), [("string", Status.MUTED), (ROUNDED, Status.BREACH)])
def test_a_column_of_another_type_explains_its_nulls_and_one_that_lost_its_fractions_does_not(
    found: str, status: Status
) -> None:
    changed = a_measurement("schema_change", 1.0, feature="amount", note=f"retyped: found {found}")
    facts = {Kind.QUALITY: [changed, a_measurement("null_rate", 0.4, feature="amount")]}
    assert statuses(a_monitor(), facts)["null_rate", "amount"] is status


@pytest.mark.parametrize(("of_score", "status"), [(0.2, Status.MUTED), (0.4, Status.BREACH)])
def test_a_score_is_missing_where_there_was_no_answer(of_score: float, status: Status) -> None:
    nulls = {"prediction": 0.2, "score": of_score}
    facts = {Kind.QUALITY: [a_measurement("null_rate", rate, feature=name) for name, rate in nulls.items()]}
    found = statuses(a_monitor(), facts)
    assert (found["null_rate", "prediction"], found["null_rate", "score"]) == (Status.BREACH, status)


def test_good_quality_mutes_nothing() -> None:
    facts = {
        Kind.QUALITY: [a_measurement("null_rate", 0.0, feature="amount")],
        Kind.DRIFT: [a_measurement("drifted", 1, feature="amount")],
    }
    assert statuses(a_monitor(), facts)["drift", "amount"] is Status.BREACH


def test_bad_quality_of_a_segment_leaves_the_drift_of_others() -> None:
    rules = [
        {"id": "null_rate", "metric": "quality.null_rate", "above": 0.05, "segments": True},
        {"id": "drift", "metric": "drift.drifted", "above": 1, "segments": True},
    ]
    drifted = [a_measurement("drifted", 1, feature="amount", segment=s) for s in ("", "r=EU", "r=US")]
    nulls = [a_measurement("null_rate", 0.5, feature="amount", segment="r=EU")]
    found = statuses(a_ruled_monitor(*rules), {Kind.QUALITY: nulls, Kind.DRIFT: drifted})
    assert {key[2:]: status for key, status in found.items() if key[0] == "drift"} == {
        (): Status.BREACH,
        ("r=EU",): Status.MUTED,
        ("r=US",): Status.BREACH,
    }


@pytest.mark.parametrize(
    ("warning", "critical", "retrain", "muted"),
    [
        ({"severity": "P1"}, {"severity": "P0"}, {}, True),
        ({"severity": "P1"}, {"severity": "P1"}, {}, False),
        ({"severity": "P1"}, {"severity": "P0", "for": 3}, {}, False),
        ({"severity": "P1", "for": 3}, {"severity": "P0", "for": 3}, {}, True),
        ({"severity": "P1"}, {"severity": "P0"}, {"retrain": {"train": "m:f", "require": ["warning"]}}, False),
    ],
)
def test_the_louder_rule_about_the_same_number_speaks_alone(
    warning: dict[str, Any], critical: dict[str, Any], retrain: dict[str, Any], muted: bool
) -> None:
    monitor = a_ruled_monitor(
        {"id": "warning", "metric": "operations.health", "above": 1, **warning},
        {"id": "critical", "metric": "operations.health", "above": 2, **critical},
        **retrain,
    )
    found = judged(monitor, a_measurement("health", 2.0))
    assert [v.status for v in found] == [Status.MUTED if muted else Status.BREACH, Status.BREACH]
    assert found[0].note == ("critical says more" if muted else "")
    assert [v.status for v in judged(monitor, a_measurement("health", 1.0))] == [Status.BREACH, Status.OK]
