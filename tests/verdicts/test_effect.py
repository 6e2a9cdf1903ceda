"""Effect: a verdict on drift says how far the column is, by what decides, and the note can be read again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.verdicts.effect import Effect, effect_of, effects
from hindsight.verdicts.judge import judge
from hindsight.verdicts.model import Series, Status
from hindsight.vocabulary.measurement import Kind, Measurement
from tests.builders import a_monitor, a_window, at


def test_a_verdict_on_drift_says_how_far_the_column_is() -> None:
    facts = [
        Measurement("psi", 0.34, 900, feature="amount"),
        Measurement("psi_fine", 0.4512, 900, feature="amount"),
        Measurement("drifted", 1.0, 900, feature="amount"),
        Measurement("js_distance", 0.02, 900, feature="region"),
        Measurement("drifted", 0.0, 900, feature="region"),
    ]
    judged = judge(a_monitor(), a_window(), at("2026-09-02"), {Kind.DRIFT: facts})
    notes = {v.series.feature: v.note for v in judged if v.series.rule == "drift"}
    assert notes == {"amount": "psi 0.34 from the reference", "region": "js_distance 0.02 from the reference"}
    assert {v.status for v in judged if v.series.feature == "amount"} == {Status.BREACH}


def test_a_category_that_has_no_such_measure_is_told_by_js_distance() -> None:
    facts = [
        Measurement("ks", 0.2, 900, feature="amount"),
        Measurement("js_distance", 0.5, 900, feature="amount"),
        Measurement("js_distance", 0.3, 900, feature="region"),
    ]
    found = effects("ks", facts)
    assert found[Series("", feature="amount")] == Effect("ks", 0.2)
    assert found[Series("", feature="region")] == Effect("js_distance", 0.3)


def test_of_a_test_of_evidentlys_no_distance_is_said() -> None:
    facts = [Measurement("evidently", 0.001, 900, feature="amount"), Measurement("js_distance", 0.5, 900)]
    assert effects("evidently:ks", facts) == {}


@pytest.mark.parametrize(("psi", "times"), [(0.02, 0), (0.1, 0), (0.19, 0), (0.21, 1), (0.41, 2), (13.0, 7)])
def test_how_often_it_has_doubled_counts_from_what_is_worth_telling(psi: float, times: int) -> None:
    assert Effect("psi", psi).doublings == times


@given(st.floats(1e-9, 1e9))
def test_a_note_is_read_as_it_was_written(value: float) -> None:
    found = effect_of(str(Effect("psi", value)))
    assert found is not None
    assert found.value == pytest.approx(value, rel=5e-3)
    assert effect_of("muted: something else") is None
