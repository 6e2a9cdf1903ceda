"""Budgets that a file itself cannot keep: none agreed to, and what chance alone tells."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.monitors.budget_checks import budget_warnings, by_chance
from hindsight.monitors.rules import Rule
from tests.builders import a_monitor


def warned(**changes: Any) -> dict[str, str]:
    """Warnings by the key they are about."""
    return {".".join(map(str, where)): said for where, said in budget_warnings(a_monitor(**changes))}


def test_the_defaults_are_no_reason_to_warn() -> None:
    assert warned() == {}


def test_a_budget_of_none_cannot_be_kept_while_rules_mail() -> None:
    budget = {"budget": "0 pages and 2 notices per 30d"}
    said = warned(alerts=budget)["alerts.budget"]
    assert said.startswith("agrees to no page, but ")
    assert "rules of that severity mail (no_data, health_warning, health_critical, …)" in said
    told_otherwise = [{"id": rule.id, "severity": "P2"} for rule in a_monitor().rules]
    assert warned(alerts=budget, rules=told_otherwise) == {}
    of_none = {"budget": "1 page and 0 notices per 30d"}
    assert list(warned(alerts=of_none)) == ["alerts.budget"]
    assert warned(alerts=of_none, rules=[{"id": r.id, "severity": "P1"} for r in a_monitor().rules]) == {}


def test_three_sigmas_in_windows_of_five_minutes_are_chance() -> None:
    rule = {"id": "errors", "metric": "operations.error_rate_control", "above": 3, "severity": "P1"}
    said = warned(window="5m", rules=[rule])["rules.0"]
    assert "about 12 incidents in 30d by chance alone (windows of 5m, for: 1), 1 page agreed to" in said
    assert warned(window="5m", rules=[rule | {"for": 2}]) == {}
    assert warned(window="1d", rules=[rule]) == {}
    assert warned(window="5m", rules=[rule | {"then": ["dag:look"]}]) == {}


def test_a_p_value_of_five_percent_is_met_by_chance_in_many_columns() -> None:
    features = {f"x{number}": "numeric" for number in range(20)}
    rule = {"id": "moved", "metric": "drift.p_value", "below": 0.05}
    said = warned(features=features, segments=[], rules=[rule])["rules.0"]
    assert "about 28 incidents in 30d by chance alone (windows of 1d of 20 columns, for: 1)" in said


def test_what_the_file_cannot_tell_is_not_guessed() -> None:
    assert by_chance(a_monitor(window="5m"), a_rule("operations.latency_p95_ms", above=300)) == 0


def a_rule(metric: str, **limits: Any) -> Rule:
    return Rule.model_validate({"id": "mine", "metric": metric} | limits)


@pytest.mark.parametrize("lasting", [1, 2])
def test_as_many_are_expected_as_chance_opens(lasting: int) -> None:
    rng = np.random.default_rng(4)
    crossed = rng.standard_normal((200, 720)) >= 1.5  # 30 days of hours, 200 times
    held = crossed if lasting == 1 else crossed[:, 1:] & crossed[:, :-1]
    begun = held[:, 0].sum() + (held[:, 1:] & ~held[:, :-1]).sum()
    expected = by_chance(a_monitor(window="1h"), a_rule("operations.error_rate_control", above=1.5, **{"for": lasting}))
    assert begun / 200 == pytest.approx(expected, rel=0.05)


@given(st.floats(0, 5), st.floats(0.01, 2), st.integers(1, 4))
def test_a_milder_rule_opens_no_more_by_chance(limit: float, more: float, lasting: int) -> None:
    monitor = a_monitor(window="1h")

    def opened(above: float, count: int) -> float:
        return by_chance(monitor, a_rule("operations.error_rate_control", above=above, **{"for": count}))

    assert opened(limit + more, lasting) <= opened(limit, lasting) + 1e-9
    assert opened(limit, lasting + 1) <= opened(limit, lasting)
