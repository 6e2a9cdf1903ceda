"""Cases: what has one origin is told as one, under an id that stays, and again only when there is more to say."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from hindsight.verdicts.cases import brings_news, grouped, waits
from hindsight.verdicts.model import Incident, Series, State
from hindsight.vocabulary.severity import Severity
from tests.builders import DAY, a_monitor, at

MONITOR = a_monitor()
RULES = {rule.id: rule for rule in MONITOR.rules}
START = at("2026-09-01")


def an_incident(rule: str, feature: str = "", *, started: datetime = START, **given: object) -> Incident:
    id = f"{rule}-{feature}-{started:%d}"
    fields = {"ended": None, "breaches": (started,), "value": 1.0, "threshold": 1.0, "state": State.OPEN} | given
    severity = RULES[rule].severity
    return Incident(id, "credit", Series(rule, feature=feature), severity, started=started, **fields)  # type: ignore[arg-type]


def cases_of(*incidents: Incident, known: tuple[Incident, ...] = ()) -> dict[str, str]:
    return {one.id: one.case for one in grouped(incidents, known, RULES, DAY)}


def test_a_campaign_that_moves_nine_columns_at_once_is_one_case() -> None:
    found = cases_of(*(an_incident("news", f"f{k}") for k in range(9)))
    assert set(found.values()) == {"news-f0-01"}


def test_nulls_and_the_news_they_make_a_window_later_are_one_case() -> None:
    nulls, news = an_incident("null_rate", "amount"), an_incident("news", "amount", started=START + DAY)
    assert set(cases_of(nulls, news).values()) == {nulls.id}


def test_a_symptom_is_a_case_of_its_own() -> None:
    found = cases_of(an_incident("news", "amount"), an_incident("accuracy_drop"), an_incident("latency_p95"))
    assert len(set(found.values())) == 3


def test_what_is_new_in_a_column_that_has_long_been_far_from_the_reference_is_a_case_of_its_own() -> None:
    (level,) = grouped([an_incident("drift", "amount", started=at("2026-08-01"))], [], RULES, DAY)
    assert cases_of(an_incident("news", "amount"), known=(level,)) == {"news-amount-01": "news-amount-01"}


def test_everything_far_from_the_reference_is_one_case_whenever_it_came() -> None:
    far = [an_incident("drift", f"f{k}", started=START + 10 * k * DAY) for k in range(5)]
    assert set(cases_of(*far).values()) == {far[0].id}


def test_a_later_member_changes_no_id() -> None:
    (first,) = grouped([an_incident("news", "b")], [], RULES, DAY)
    found = grouped([replace(first, value=2.0), an_incident("news", "a")], [], RULES, DAY)
    assert {one.case for one in found} == {first.case}


def test_the_order_incidents_come_in_changes_no_case() -> None:
    some = [an_incident("null_rate", "a"), an_incident("news", "a", started=START + DAY), an_incident("news", "b")]
    found = {tuple(sorted(cases_of(*order).items())) for order in permutations(some)}
    assert len(found) == 1


@given(st.lists(st.tuples(st.sampled_from(["news", "null_rate", "drift"]), st.sampled_from("abc"), st.integers(0, 20))))
def test_every_incident_is_in_exactly_one_case_named_by_one_of_them(drawn: list[tuple[str, str, int]]) -> None:
    unique = {(r, f, d): an_incident(r, f, started=START + d * DAY) for r, f, d in drawn}
    found = grouped(unique.values(), [], RULES, DAY)
    assert {one.case for one in found} <= {one.id for one in found}
    assert len(found) == len(unique)


def told(*incidents: Incident) -> list[Incident]:
    return [replace(one, told=State.OPEN, case="c") for one in incidents]


def test_the_same_column_is_told_once_and_again_when_it_is_graver() -> None:
    heard, more = told(an_incident("null_rate", "a")), replace(an_incident("news", "a"), case="c")
    assert not brings_news(more, [*heard, more], RULES)
    worse = replace(more, severity=Severity.P1)
    assert brings_news(worse, [*heard, worse], RULES)
    other = replace(an_incident("news", "b"), case="c")
    assert brings_news(other, [*heard, other], RULES)


def test_what_is_far_from_the_reference_is_told_again_at_each_doubling() -> None:
    tellings, heard = [], []
    for k in range(16):
        heard.append(replace(an_incident("drift", f"f{k}"), case="c"))
        if brings_news(heard[-1], heard, RULES):
            tellings.append(k + 1)
            heard = [replace(one, told=State.OPEN) for one in heard]
        assert waits(heard[-1], RULES)
    assert tellings == [1, 2, 4, 8, 16]


def test_an_end_is_told_when_nothing_of_the_case_is_open() -> None:
    one, other = told(an_incident("null_rate", "a"), an_incident("null_rate", "b"))
    over = replace(one, state=State.RESOLVED)
    assert not brings_news(over, [over, other], RULES)
    assert brings_news(over, [over, replace(other, state=State.RESOLVED)], RULES)
