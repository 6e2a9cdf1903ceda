"""What people accept is no longer bad from the moment they said so; nulls, schema and rules of the user's own stay."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hindsight.verdicts.acceptance import LEARNING, Acceptance, accepted, is_usual
from hindsight.verdicts.model import Series, Status, Verdict
from tests.builders import DAY, a_monitor, a_window, at

OWN = {"id": "mine", "metric": "drift.drifted", "above": 1}
RULES = {rule.id: rule for rule in a_monitor(rules=[OWN]).rules}
SAID = Acceptance(at("2026-09-01T12:00"), "ann", "new product", feature="amount")


def a_breach(rule: str = "drift", feature: str = "amount", day: str = "2026-09-01", note: str = "") -> Verdict:
    window = a_window(day)
    series = Series(rule, feature=feature)
    return Verdict(series, window, window.end, window.end, Status.BREACH, 1.0, 1.0, 100, note)


def status(verdict: Verdict, *given: Acceptance) -> Status:
    return accepted([verdict], given, RULES)[0].status


def test_a_verdict_knows_what_was_said_before_its_as_of_and_says_so() -> None:
    (found,) = accepted([a_breach()], [SAID], RULES)
    assert (found.status, found.note) == (Status.OK, "accepted as usual by ann on 2026-09-01 12:00 UTC: new product")
    assert status(a_breach(day="2026-08-31"), SAID) is Status.BREACH
    assert status(a_breach(), replace(SAID, accepted_at=a_breach().as_of)) is Status.BREACH


@pytest.mark.parametrize("rule", ["null_rate", "schema", "mine", "volume", "label_drift"])
def test_other_rules_know_no_acceptance(rule: str) -> None:
    assert status(a_breach(rule), replace(SAID, feature="")) is Status.BREACH


def test_it_is_about_the_series_it_names() -> None:
    assert status(a_breach(feature="region"), SAID) is Status.BREACH
    assert status(a_breach("drift_share", ""), SAID) is Status.BREACH
    assert status(a_breach("drift_share", ""), replace(SAID, feature="")) is Status.OK
    assert status(a_breach("news"), replace(SAID, rule="drift")) is Status.BREACH
    assert status(a_breach(), replace(SAID, segment="region=EU")) is Status.BREACH


def test_news_of_it_is_expected_until_it_is_learnt_and_nulls_never() -> None:
    later = f"{SAID.accepted_at + LEARNING + DAY:%Y-%m-%d}"
    assert status(a_breach("news", note="mean 5, 4 expected"), SAID) is Status.OK
    assert status(a_breach("news", day=later), SAID) is Status.BREACH
    assert status(a_breach("drift", day=later), SAID) is Status.OK
    assert status(a_breach("news", note="nulls 12.0%, 1.0% expected"), SAID) is Status.BREACH


def test_what_is_expected_for_a_while_is_bad_again_after_it() -> None:
    until = replace(SAID, until=at("2026-09-03"))
    assert [status(a_breach(day=f"2026-09-0{day}"), until) for day in (1, 2, 3)] == ["ok", "ok", "breach"]


def test_windows_before_an_acceptance_for_good_are_usual_from_then_on() -> None:
    news, before = Series("news", feature="amount"), at("2026-08-30")
    assert is_usual([SAID], news, before, at("2026-09-02"))
    assert not is_usual([SAID], news, before, at("2026-09-01"))
    assert not is_usual([SAID], news, at("2026-09-02"), at("2026-09-03"))
    assert not is_usual([replace(SAID, until=at("2026-10-01"))], news, before, at("2026-09-02"))
