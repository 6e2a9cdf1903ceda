"""Harm: an estimate is believed as far as it was right, and what drifted is as grave as it hurts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.verdicts.harm import FEWEST, Estimate, harmful, is_said_by, weighed
from hindsight.verdicts.model import Heard, Incident, Series, State
from hindsight.vocabulary.severity import Severity
from tests.builders import DAY, at

START, RULES = at("2026-09-01"), {"drift": Severity.P2}


def an_estimate(day: int, value: float = 0.9, *, half: float = 0.01) -> Estimate:
    return Estimate(START + day * DAY, value, value - half, value + half, 0.9)


def truths(*values: float) -> dict[datetime, float]:
    return {START + day * DAY: value for day, value in enumerate(values)}


def found(estimates: list[Estimate], known: dict[datetime, float], *, loss: bool = False) -> list[int]:
    return [(start - START).days for start in harmful(estimates, known, loss=loss, known_after=3 * DAY)]


@pytest.mark.parametrize(
    ("value", "loss", "expected"),
    [(0.8, False, [10]), (0.86, False, []), (1.0, False, []), (0.8, True, []), (1.0, True, [10])],
)
def test_an_interval_that_excludes_the_reference_on_the_worse_side_is_harm(
    value: float, loss: bool, expected: list[int]
) -> None:
    past = [an_estimate(day) for day in range(8)]  # each was 0.05 off
    assert found([*past, an_estimate(10, value)], truths(*[0.95] * 8), loss=loss) == expected


def test_what_the_estimate_was_off_by_before_widens_its_interval() -> None:
    past = [an_estimate(day) for day in range(8)]
    said = harmful([*past, an_estimate(10, 0.8)], truths(*[0.95] * 8), loss=False, known_after=3 * DAY)
    assert list(said.values()) == ["0.8 (0.75 to 0.85), 0.9 on the reference"]
    known = truths(*[0.95] * 7, 0.7)  # the last was off by more, which is known three days later
    assert found([*past, an_estimate(9, 0.8)], known) == [9]
    assert found([*past, an_estimate(10, 0.8)], known) == []


def test_an_estimate_that_was_seldom_checked_is_not_trusted() -> None:
    few = [an_estimate(day) for day in range(FEWEST - 1)]
    assert found([*few, an_estimate(10, 0.5)], truths(*[0.9] * (FEWEST - 1))) == []
    assert found([*few, an_estimate(4), an_estimate(10, 0.5)], truths(*[0.9] * FEWEST)) == [10]


@given(st.lists(st.floats(0.5, 1), min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_order_does_not_matter_and_a_better_estimate_is_never_more_harm(values: list[float], random: Random) -> None:
    estimates = [an_estimate(day, value) for day, value in enumerate(values)]
    known = truths(*[0.9] * len(values))
    here = found(estimates, known)
    assert found(random.sample(estimates, len(estimates)), known) == here
    last = replace(estimates[-1], value=0.95, lower=0.94, upper=0.96)
    assert set(found([*estimates[:-1], last], known)) <= set(here)


def test_an_incident_is_grave_from_its_first_harmful_breach_on() -> None:
    drift = Incident(
        "a", "credit", Series("drift"), Severity.P2, State.OPEN, START, None, (START, START + DAY), 1.0, 1.0
    )
    others = [replace(drift, series=Series("volume")), replace(drift, state=State.WITHDRAWN)]
    harm = {START: "estimated accuracy 0.7"}
    assert [one.severity for one in weighed([drift, *others], RULES, harm)] == ["P1", "P2", "P2"]
    assert weighed([drift], RULES, {START + 2 * DAY: ""}) == [drift]
    assert weighed([drift], {"drift": Severity.P0}, harm)[0].severity == "P0"


def test_how_grave_it_is_is_said_by_a_symptom_of_the_same_windows_that_lasts_or_is_over() -> None:
    heard = Heard(START, Severity.P2, 1, ("values",))
    drift = Incident(
        *("a", "credit", Series("drift"), Severity.P1, State.OPEN, START, None, (START,), 1.0, 1.0),
        told=State.OPEN,
        heard=heard,
        number="values",
    )
    loss = replace(drift, id="b", series=Series("accuracy_drop"), severity=Severity.P0)
    assert is_said_by([loss], drift)
    assert is_said_by([replace(loss, state=State.RESOLVED)], drift)
    assert not is_said_by([replace(loss, state=State.WITHDRAWN)], drift)
    assert not is_said_by([replace(loss, breaches=(START + DAY,))], drift)
    assert not is_said_by([loss], replace(drift, told=None))
    assert not is_said_by([loss], replace(drift, severity=Severity.P2))
    assert not is_said_by([loss], replace(drift, number="nulls"))  # something else is new
