"""A rule and a number make a verdict: every kind of threshold and every reason not to judge."""

from __future__ import annotations

from datetime import timedelta
from math import nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.verdicts.judge import judge
from hindsight.verdicts.model import Series, Status, Verdict
from hindsight.vocabulary.measurement import Kind, Measurement
from tests.builders import a_measurement, a_monitor
from tests.verdicts.rules import MATURE, WINDOW, a_ruled_monitor, judged

EARLY = WINDOW.end + timedelta(minutes=10)


def the_verdict(rule: dict[str, Any], fact: Measurement, kind: Kind = Kind.OPERATIONS, **rest: Any) -> Verdict:
    metric = {"id": "r", "metric": f"{kind}.{fact.metric}"}
    [verdict] = judged(a_ruled_monitor(metric | rule), fact, kind=kind, **rest)
    return verdict


@pytest.mark.parametrize(
    ("rule", "value", "reference", "status", "threshold"),
    [
        ({"above": 300}, 300, None, Status.BREACH, 300),
        ({"above": 300}, 299.9, None, Status.OK, 300),
        ({"below": 0.9}, 0.9, None, Status.OK, 0.9),
        ({"below": 0.9}, 0.89, None, Status.BREACH, 0.9),
        ({"below": 0.5, "above": 2}, 0.4, None, Status.BREACH, 0.5),
        ({"below": 0.5, "above": 2}, 2, None, Status.BREACH, 2),
        ({"below": 0.5, "above": 2}, 1.9, None, Status.OK, 2),
        ({"below": 0.5, "above": 2}, 0.6, None, Status.OK, 0.5),
        ({"drops_by": "15%"}, 0.764, 0.9, Status.BREACH, 0.765),
        ({"drops_by": "15%"}, 0.766, 0.9, Status.OK, 0.765),
        ({"drops_by": "50%"}, 0.5, 1.0, Status.OK, 0.5),
        ({"drops_by": "50%"}, -0.5, -0.5, Status.OK, -0.75),
        ({"drops_by": "50%"}, -0.8, -0.5, Status.BREACH, -0.75),
        ({"rises_by": "50%"}, 1.5, 1.0, Status.BREACH, 1.5),
        ({"rises_by": "50%"}, 1.49, 1.0, Status.OK, 1.5),
        ({"rises_by": "50%"}, 0.0, 0.0, Status.OK, 0.0),
        ({"rises_by": "50%"}, 0.01, 0.0, Status.BREACH, 0.0),
        ({"rises_by": "50%"}, -0.2, -0.5, Status.BREACH, -0.25),
        ({"drops_by": "15%", "below": 0.5}, 0.6, None, Status.OK, 0.5),
        ({"above": 0.05, "over_reference": True}, 0.2, 0.125, Status.BREACH, 0.175),
        ({"above": 0.05, "over_reference": True}, 0.15, 0.125, Status.OK, 0.175),
        ({"above": 0.05, "over_reference": True}, 0.06, None, Status.BREACH, 0.05),
    ],
)
def test_a_value_breaches_exactly_where_the_rule_says(
    rule: dict[str, Any], value: float, reference: float | None, status: Status, threshold: float
) -> None:
    verdict = the_verdict(rule, a_measurement("x", value, reference=reference))
    assert verdict.status is status
    assert verdict.threshold == pytest.approx(threshold)
    assert (verdict.series, verdict.value, verdict.n) == (Series("r"), value, 100)


def test_critical_replaces_above_for_features_marked_critical() -> None:
    features = {"amount": {"type": "numeric", "critical": True}, "region": "categorical"}
    rule = {"id": "r", "metric": "quality.null_rate", "above": 0.05, "critical": 0.01}
    facts = [a_measurement("null_rate", 0.02, feature=feature) for feature in features]
    verdicts = judged(a_ruled_monitor(rule, features=features), *facts, kind=Kind.QUALITY)
    assert {v.series.feature: (v.status, v.threshold) for v in verdicts} == {
        "amount": (Status.BREACH, 0.01),
        "region": (Status.OK, 0.05),
    }


def test_a_relative_rule_without_a_reference_says_so() -> None:
    verdict = the_verdict({"drops_by": "15%"}, a_measurement("x", 0.1))
    assert (verdict.status, verdict.note, verdict.threshold) == (Status.NO_DATA, "no reference", None)


def test_a_relative_breach_names_the_reference() -> None:
    assert the_verdict({"drops_by": "15%"}, a_measurement("x", 0.1, reference=0.9)).note == (
        "more than 15% below the reference 0.9"
    )


@pytest.mark.parametrize("value", [None, nan])
def test_a_number_that_was_not_evaluated_is_never_good_news(value: float | None) -> None:
    verdict = the_verdict({"above": 1}, a_measurement("x", value, note="one class only"))
    assert (verdict.status, verdict.note) == (Status.NO_DATA, "one class only")
    assert the_verdict({"above": 1}, a_measurement("x", value)).note == "not evaluated"
    assert the_verdict({"drops_by": "1%"}, a_measurement("x", value)).threshold is None


def test_too_few_rows_are_not_judged() -> None:
    verdict = the_verdict({"above": 1, "min_rows": 20}, a_measurement("x", 5, n=19))
    assert (verdict.status, verdict.note) == (Status.TOO_FEW, "19 rows, 20 are needed")
    assert the_verdict({"above": 1, "min_rows": 20}, a_measurement("x", 5, n=20)).status is Status.BREACH


def test_no_measurement_no_verdict() -> None:
    monitor = a_monitor()
    assert judged(monitor) == []
    assert judge(monitor, WINDOW, MATURE, {}) == []
    assert judged(monitor, a_measurement("total_requests"), kind=Kind.QUALITY) == []


def test_a_rule_judges_all_rows_together_unless_it_says_otherwise() -> None:
    facts = [
        a_measurement("x", 5),
        a_measurement("x", 5, segment="region=EU"),
        a_measurement("x", 5, model_version="2"),
        a_measurement("x", 5, bin="[0, 1)"),
        a_measurement("y", 5),
    ]
    rule = {"id": "r", "metric": "operations.x", "above": 1}

    def series(**more: bool) -> list[tuple[str, str]]:
        verdicts = judged(a_ruled_monitor(rule | more), *facts)
        return [(v.series.segment, v.series.model_version) for v in verdicts]

    assert series() == [("", "")]
    assert series(segments=True) == [("", ""), ("region=EU", "")]
    assert series(versions=True) == [("", ""), ("", "2")]
    assert series(versions=True, segments=True) == [("", ""), ("region=EU", ""), ("", "2")]


LOW = {"below": 0.9}


def test_immature_labels_never_breach() -> None:
    fact = a_measurement("accuracy", 0.1, n=5000)
    by_fact = the_verdict(LOW, fact, Kind.PERFORMANCE, mature=0.0)
    by_clock = the_verdict(LOW, fact, Kind.PERFORMANCE, as_of=WINDOW.end + timedelta(days=7, microseconds=-1))
    assert by_fact.status is by_clock.status is Status.IMMATURE
    assert the_verdict(LOW, a_measurement("accuracy", None), Kind.PERFORMANCE, mature=0.0).status is Status.IMMATURE
    assert the_verdict(LOW, a_measurement("coverage", 0.1), Kind.LABELS, as_of=EARLY).status is Status.IMMATURE


def test_labels_that_mature_early_are_judged_early() -> None:
    fact = a_measurement("accuracy", 0.1, n=5000)
    assert the_verdict(LOW, fact, Kind.PERFORMANCE, as_of=EARLY, mature=1.0).status is Status.BREACH
    assert the_verdict(LOW, fact, Kind.PERFORMANCE, as_of=WINDOW.end + timedelta(days=7)).status is Status.BREACH


def test_maturity_of_a_segment_or_a_version_is_not_that_of_the_window() -> None:
    monitor = a_ruled_monitor({"id": "r", "metric": "performance.accuracy", **LOW})
    labels = [a_measurement("mature", 1.0, segment="region=EU"), a_measurement("mature", 0.0)]
    facts = {Kind.PERFORMANCE: [a_measurement("accuracy", 0.1)], Kind.LABELS: labels}
    assert [v.status for v in judge(monitor, WINDOW, MATURE, facts)] == [Status.IMMATURE]


def test_too_few_labels_are_not_judged() -> None:
    verdict = the_verdict(LOW, a_measurement("accuracy", 0.1, n=99), Kind.PERFORMANCE)
    assert (verdict.status, verdict.note) == (Status.TOO_FEW, "99 labels, 100 are needed")
    assert the_verdict(LOW, a_measurement("accuracy", 0.1, n=100), Kind.PERFORMANCE).status is Status.BREACH
    assert the_verdict({"above": 1}, a_measurement("orphan_labels", 3, n=3), Kind.LABELS).status is Status.BREACH


@pytest.mark.parametrize(
    ("known", "status"),
    [
        ({("", ""): 0.4}, Status.TOO_FEW),
        ({("", ""): 0.5}, Status.BREACH),
        ({("", ""): 0.9, ("", "region=EU"): 0.4}, Status.TOO_FEW),
        ({("", ""): 0.4, ("", "region=EU"): 0.9}, Status.BREACH),
        ({("", ""): 0.9, ("", "region=EU"): None}, Status.BREACH),
        ({}, Status.TOO_FEW),
    ],
)
def test_coverage_is_that_of_the_rows_judged(known: dict[tuple[str, str], float | None], status: Status) -> None:
    rule = {"id": "r", "metric": "performance.accuracy", "segments": True, **LOW}
    monitor = a_ruled_monitor(rule, labels={"matures_after": "7d", "min_coverage": 0.5})
    facts = {
        Kind.PERFORMANCE: [a_measurement("accuracy", 0.1, segment="region=EU")],
        Kind.LABELS: [a_measurement("coverage", c, model_version=v, segment=s) for (v, s), c in known.items()],
    }
    [verdict] = judge(monitor, WINDOW, MATURE, facts)
    assert verdict.status is status


def test_a_verdict_is_due_when_its_window_is_read_or_matures() -> None:
    run = the_verdict({"above": 1}, a_measurement("x", 1))
    night = the_verdict(LOW, a_measurement("accuracy", 0.1), Kind.PERFORMANCE)
    assert run.due == WINDOW.end + timedelta(minutes=10)
    assert night.due == WINDOW.end + timedelta(days=7)
    assert (night.window, night.as_of) == (WINDOW, MATURE)


@pytest.mark.parametrize(
    ("expected", "status"), [(None, Status.BREACH), (0.0, Status.MUTED), (9.0, Status.MUTED), (10.0, Status.BREACH)]
)
def test_no_requests_when_hardly_any_were_to_be_expected_are_no_alarm(expected: float | None, status: Status) -> None:
    facts = [a_measurement("total_requests", 0, n=0), a_measurement("expected_requests", expected, n=0)]
    (verdict, *_) = judged(a_monitor(), *facts, kind=Kind.OPERATIONS)
    assert (verdict.series.rule, verdict.status) == ("no_data", status)


@pytest.mark.parametrize(
    ("value", "reference", "n", "status"),
    [
        (0.36, 0.30, 300, Status.OK),  # 2.3 standard errors
        (0.36, 0.30, 3000, Status.BREACH),
        (0.06, 0.0, 300, Status.BREACH),
        (0.06, 0.0, 50, Status.OK),  # three rows
        (0.34, 0.30, 300_000, Status.OK),  # no accident, but small
    ],
)
def test_a_rate_must_lie_over_its_reference_by_more_than_chance(
    value: float, reference: float, n: int, status: Status
) -> None:
    rate = a_measurement("null_rate", value, n=n, reference=reference, feature="amount")
    verdict = next(v for v in judged(a_monitor(), rate, kind=Kind.QUALITY) if v.series.rule == "null_rate")
    assert verdict.status is status


@pytest.mark.parametrize(("score", "status"), [(12.0, Status.BREACH), (2.5, Status.OK), (None, Status.BREACH)])
def test_a_null_rate_must_lie_over_its_reference_by_more_than_its_windows_vary(
    score: float | None, status: Status
) -> None:
    rate = a_measurement("null_rate", 0.36, n=3000, reference=0.30, feature="amount")
    control = a_measurement("null_rate_control", score, n=3000, feature="amount")
    verdicts = judged(a_monitor(), rate, control, kind=Kind.QUALITY)
    assert next(v.status for v in verdicts if v.series.rule == "null_rate") is status


@pytest.mark.parametrize(("half", "status"), [(0.01, Status.BREACH), (0.09, Status.OK), (None, Status.BREACH)])
def test_a_drop_within_what_chance_does_to_so_few_labels_is_none(half: float | None, status: Status) -> None:
    ends = {} if half is None else {"lower": 0.7 - half, "upper": 0.7 + half}
    for rule, reference in (({"drops_by": "15%"}, 0.85), ({"rises_by": "15%"}, 0.55)):
        moved = a_measurement("x", 0.7, reference=reference, **ends)
        assert the_verdict({**rule, "sigmas": 4}, moved).status is status
        assert the_verdict(rule, moved).status is Status.BREACH  # a rule without it is taken at its word


@pytest.mark.parametrize(("shown", "status"), [(4, Status.TOO_FEW), (5, Status.BREACH)])
def test_nobody_is_woken_for_a_few_slow_requests(shown: int, status: Status) -> None:
    found = judged(a_monitor(), a_measurement("health", 2.0, n=shown), kind=Kind.OPERATIONS)
    assert {v.series.rule: v.status for v in found}["health_critical"] is status


def test_a_share_by_a_rule_of_ones_own_is_taken_at_its_word() -> None:
    monitor = a_ruled_monitor({"id": "mine", "metric": "quality.null_rate", "above": 0.02})
    verdict = judged(monitor, a_measurement("null_rate", 0.03, n=100, feature="amount"), kind=Kind.QUALITY)[-1]
    assert (verdict.series.rule, verdict.status) == ("mine", Status.BREACH)


numbers = st.one_of(st.none(), st.floats(-10, 10))
facts = st.builds(
    Measurement,
    metric=st.sampled_from(["x", "accuracy", "coverage", "mature"]),
    value=numbers,
    n=st.integers(0, 300),
    segment=st.sampled_from(["", "region=EU"]),
    reference=numbers,
)


@given(st.dictionaries(st.sampled_from(Kind), st.lists(facts, max_size=4)), st.booleans())
def test_nothing_immature_or_unevaluated_breaches_and_a_breach_has_its_threshold(
    known: dict[Kind, list[Measurement]], mature: bool
) -> None:
    rules = [
        {"id": f"r{i}", "metric": metric, "segments": True, **bounds}
        for i, metric in enumerate(["operations.x", "performance.accuracy", "labels.coverage"])
        for bounds in [{"above": 1, "below": 0, "drops_by": "20%", "rises_by": "20%", "min_rows": 10}]
    ]
    as_of = MATURE if mature else EARLY
    known[Kind.LABELS] = [fact for fact in known.get(Kind.LABELS, []) if fact.metric != "mature"]
    for verdict in judge(a_ruled_monitor(*rules), WINDOW, as_of, known):
        if verdict.status in (Status.OK, Status.BREACH):
            assert verdict.value is not None
            assert verdict.threshold is not None
            assert verdict.n >= 10
            assert mature or verdict.series.rule == "r0"
        else:
            assert verdict.note


def class_share(label: str, value: float, reference: float | None) -> Measurement:
    return a_measurement("class_share", value, bin=label, reference=reference, n=500)


@pytest.mark.parametrize(
    ("shares", "status", "note"),
    [
        ({"yes": (0.5, 0.2), "no": (0.3, 0.4), "maybe": (0.2, 0.4)}, Status.BREACH, "of yes"),
        ({"yes": (0.1, 0.35), "no": (0.5, 0.4), "maybe": (0.4, 0.25)}, Status.BREACH, "of yes"),
        ({"yes": (0.3, 0.2), "no": (0.3, 0.4), "maybe": (0.4, 0.4)}, Status.OK, ""),
    ],
)
def test_a_rule_over_classes_judges_the_one_that_moved_most(
    shares: dict[str, tuple[float, float]], status: Status, note: str
) -> None:
    facts = [class_share(label, *of) for label, of in shares.items()]
    found = judged(a_monitor(), *facts, kind=Kind.DRIFT)
    [verdict] = [each for each in found if each.series.rule == "class_imbalance"]
    assert (verdict.status, verdict.note) == (status, note)


def test_classes_that_have_no_reference_are_not_judged() -> None:
    facts = [class_share("yes", 0.9, None), class_share("no", 0.1, None)]
    assert not [v for v in judged(a_monitor(), *facts, kind=Kind.DRIFT) if v.series.rule == "class_imbalance"]
