"""A verdict as one plain sentence, the same for every reader."""

from __future__ import annotations

from typing import Any

import pytest

from hindsight.verdicts.explain import explain
from hindsight.verdicts.judge import judge
from hindsight.vocabulary.measurement import Kind, Measurement
from tests.builders import a_measurement, a_monitor, a_window, at


def said(rule_id: str, *facts: Measurement, kind: Kind, as_of: str = "2026-10-01", **changes: Any) -> str:
    monitor = a_monitor(**changes)
    verdicts = judge(monitor, a_window(), at(as_of), {kind: facts})
    [verdict] = [v for v in verdicts if v.series.rule == rule_id]
    return explain(verdict, next(rule for rule in monitor.rules if rule.id == rule_id), monitor)


ACCURACY = {"kind": Kind.PERFORMANCE}


@pytest.mark.parametrize(
    ("fact", "as_of", "sentence"),
    [
        (
            a_measurement("accuracy", 0.71, 4210, reference=0.9),
            "2026-10-01",
            "accuracy was 0.71 on 4,210 labels, more than 15% below the reference 0.9",
        ),
        (
            a_measurement("accuracy", 0.91, 4210, reference=0.9),
            "2026-10-01",
            "accuracy was 0.91 on 4,210 labels, as it should be",
        ),
        (
            a_measurement("accuracy", 0.71, 4210, reference=0.9),
            "2026-09-03",
            "accuracy was 0.71 on 4,210 labels, provisional: labels are still arriving, until 2026-09-09",
        ),
        (
            a_measurement("accuracy", 0.71, 12, reference=0.9),
            "2026-10-01",
            "accuracy was 0.71 on 12 labels, not judged: 12 labels, 100 are needed",
        ),
        (
            a_measurement("accuracy", 0.71, 4210),
            "2026-10-01",
            "accuracy was 0.71 on 4,210 labels, not judged: no reference",
        ),
        (
            a_measurement("accuracy", None, 0, note="no labels"),
            "2026-10-01",
            "accuracy was not evaluated: no labels",
        ),
    ],
)
def test_every_status_has_its_sentence(fact: Measurement, as_of: str, sentence: str) -> None:
    assert said("accuracy_drop", fact, kind=Kind.PERFORMANCE, as_of=as_of) == sentence


def test_a_threshold_is_named_with_its_side() -> None:
    slow = a_measurement("latency_p95_ms", 1412.3, 9120)
    few = a_measurement("volume_ratio", 0.2, 9120)
    assert said("latency_p95", slow, kind=Kind.OPERATIONS) == (
        "latency_p95_ms was 1,412 on 9,120 rows, at or above the threshold 300"
    )
    assert said("volume", few, kind=Kind.OPERATIONS) == "volume_ratio was 0.2 on 9,120 rows, below the threshold 0.5"


def test_states_are_words_not_numbers() -> None:
    drifted = a_measurement("drifted", 1, 900, feature="amount")
    assert said("drift", drifted, kind=Kind.DRIFT) == "drift of amount was present on 900 rows"
    assert said("health_critical", a_measurement("health", 2, 900), kind=Kind.OPERATIONS) == (
        "health was critical on 900 rows"
    )
    assert said("health_warning", a_measurement("health", 2, 900), kind=Kind.OPERATIONS) == (
        "health was critical on 900 rows, muted: health_critical says more"
    )


def test_a_sentence_says_which_rows_and_which_version() -> None:
    rules = [{"id": "null_rate", "segments": True, "versions": True}]
    fact = a_measurement("null_rate", 0.5, 900, feature="amount", segment="region=EU", model_version="3")
    assert said("null_rate", fact, kind=Kind.QUALITY, rules=rules) == (
        "null_rate of amount in region=EU of credit version 3 was 0.5 on 900 rows, at or above the threshold 0.05"
    )
