"""Cases: what has one origin is told as one, under an id that stays, and again only when there is more to say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.verdicts.cases import brings_news, grouped, waits
from hindsight.verdicts.model import Incident, Series, State
from hindsight.verdicts.notices import needs_notice, told_now
from hindsight.vocabulary.severity import Severity
from tests.builders import DAY, a_monitor, at

MONITOR = a_monitor()
RULES = {rule.id: rule for rule in MONITOR.rules}
START, NOW = at("2026-09-01"), at("2026-09-02")


def an_incident(rule: str, feature: str = "", *, started: datetime = START, **given: object) -> Incident:
    id = f"{rule}-{feature}-{started:%d}"
    fields = {"ended": None, "breaches": (started,), "value": 1.0, "threshold": 1.0, "state": State.OPEN} | given
    severity = RULES[rule].severity
    return Incident(id, "credit", Series(rule, feature=feature), severity, started=started, **fields)  # type: ignore[arg-type]


def cases_of(*incidents: Incident) -> dict[str, str]:
    return {one.id: one.case for one in grouped(incidents, RULES, DAY)}


def parts(incidents: Iterable[Incident]) -> set[frozenset[str]]:
    """Which incidents are of one case, whatever its id."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in incidents:
        found[one.case].add(one.id)
    return {frozenset(some) for some in found.values()}


def recorded_one_by_one(incidents: Iterable[Incident]) -> list[Incident]:
    """What is on record when each was judged after the other."""
    known: list[Incident] = []
    for one in incidents:
        known = grouped([*known, one], RULES, DAY)
    return known


def test_a_campaign_that_moves_nine_columns_at_once_is_one_case() -> None:
    found = cases_of(*(an_incident("news", f"f{k}") for k in range(9)))
    assert set(found.values()) == {"news-f0-01"}


def test_an_hour_of_missing_weather_with_its_nulls_and_expectations_is_one_case() -> None:
    missing = [an_incident("null_rate", f"f{k}") for k in range(5)]
    found = cases_of(*missing, an_incident("quality"), an_incident("news", "f0", started=START + DAY))
    assert len(set(found.values())) == 1


def test_nulls_and_the_news_they_make_a_window_later_are_one_case() -> None:
    nulls, news = an_incident("null_rate", "amount"), an_incident("news", "amount", started=START + DAY)
    assert set(cases_of(nulls, news).values()) == {nulls.id}


def test_news_of_another_column_a_window_later_is_a_case_of_its_own() -> None:
    nulls, news = an_incident("null_rate", "a"), an_incident("news", "b", started=START + DAY)
    assert len(set(cases_of(nulls, news).values())) == 2


def test_a_symptom_is_a_case_of_its_own() -> None:
    found = cases_of(an_incident("news", "amount"), an_incident("accuracy_drop"), an_incident("latency_p95"))
    assert len(set(found.values())) == 3


def test_news_of_a_column_in_other_rows_is_the_same_case_while_the_first_lasts() -> None:
    def in_segment(segment: str, **given: object) -> Incident:
        one = an_incident("news", "car_park", **given)  # type: ignore[arg-type]
        return replace(one, id=f"{one.id}-{segment}", series=replace(one.series, segment=segment))

    first, later = in_segment("tier=tiny"), in_segment("tier=large", started=START + 5 * DAY)
    assert set(cases_of(first, later).values()) == {first.id}
    over = in_segment("tier=tiny", state=State.RESOLVED, ended=START + 4 * DAY)
    assert len(set(cases_of(over, later).values())) == 2


def test_news_of_all_rows_is_told_where_people_know_it_of_a_segment_only() -> None:
    part = an_incident("news", "amount")
    part = told_now(replace(part, id="part", series=replace(part.series, segment="tier=tiny")), START)
    whole = an_incident("news", "amount", started=START + 3 * DAY)
    case = grouped([part, whole], RULES, DAY)
    assert {one.case for one in case} == {"part"}
    assert brings_news(case[-1], case, RULES)


def test_values_beyond_the_reference_in_a_column_that_has_long_been_far_from_it_belong_to_that() -> None:
    level = an_incident("drift", "amount", started=at("2026-08-01"))
    beyond = [an_incident("out_of_range", "amount"), an_incident("new_categories", "amount", started=NOW)]
    assert set(cases_of(level, *beyond).values()) == {level.id}


def test_that_columns_far_from_the_reference_go_beyond_it_is_told_at_each_doubling_of_them() -> None:
    level = told_now(an_incident("drift", "hour", started=at("2026-08-01")), START)
    far = [an_incident("drift", f"f{k}", started=at("2026-08-15")) for k in range(8)]
    tellings, beyond = [], list[Incident]()
    for k in range(8):
        beyond.append(an_incident("out_of_range", f"f{k}"))
        case = grouped([level, *far, *beyond], RULES, DAY)
        new = next(one for one in case if one.id == beyond[-1].id)
        assert new.case == level.id
        assert waits(new, RULES)
        if brings_news(new, case, RULES):
            tellings.append(k + 1)
            beyond = [told_now(one, NOW) for one in beyond]
    assert tellings == [1, 2, 4, 8]


def test_what_waited_with_the_level_is_told_when_it_turns_out_to_be_news() -> None:
    level = told_now(an_incident("drift", "amount", started=at("2026-08-01")), START)
    known = told_now(an_incident("out_of_range", "hour", started=START), START)
    far = an_incident("drift", "hour", started=at("2026-08-01"))
    second = an_incident("new_categories", "amount")
    before = grouped([level, far, known, second], RULES, DAY)
    assert {one.case for one in before} == {level.id}
    after = grouped([*before, an_incident("news", "amount", started=NOW)], RULES, DAY)
    new = [one for one in after if one.case != level.id]
    assert [one.series.rule for one in new] == ["new_categories", "news"]
    assert all(brings_news(one, new, RULES) for one in new)


def test_values_beyond_the_reference_in_another_column_or_after_its_end_are_a_case_of_their_own() -> None:
    level = an_incident("drift", "amount", started=at("2026-08-01"), state=State.RESOLVED, ended=START)
    assert len(set(cases_of(level, an_incident("out_of_range", "amount")).values())) == 2
    lasting = an_incident("drift", "amount", started=at("2026-08-01"))
    assert len(set(cases_of(lasting, an_incident("out_of_range", "hour")).values())) == 2


def test_values_beyond_the_reference_with_news_of_their_column_are_told_with_the_news() -> None:
    level, beyond = an_incident("drift", "amount", started=at("2026-08-01")), an_incident("out_of_range", "amount")
    news = an_incident("news", "amount", started=NOW)
    assert parts(grouped([level, beyond, news], RULES, DAY)) == {frozenset({level.id}), frozenset({beyond.id, news.id})}


def test_labels_far_from_the_reference_are_told_once_while_anything_is_far_from_it() -> None:
    level = told_now(an_incident("drift", "hour", started=at("2026-08-01")), START)
    labels = an_incident("label_drift", "label", started=at("2026-08-10"), state=State.RESOLVED, ended=at("2026-08-15"))
    again = an_incident("label_drift", "label")
    first = grouped([level, replace(labels, state=State.OPEN, ended=None)], RULES, DAY)
    assert brings_news(first[-1], first, RULES)
    later = grouped([level, replace(told_now(labels, START), told=State.RESOLVED), again], RULES, DAY)
    assert len({one.case for one in later}) == 1
    assert not brings_news(later[-1], later, RULES)


def test_what_is_new_in_a_column_that_has_long_been_far_from_the_reference_is_a_case_of_its_own() -> None:
    level, again = an_incident("drift", "amount", started=at("2026-08-01")), an_incident("news", "amount")
    assert cases_of(level, again)[again.id] == again.id


def test_everything_far_from_the_reference_is_one_case_while_any_of_it_lasts() -> None:
    far = [an_incident("drift", f"f{k}", started=START + 10 * k * DAY) for k in range(3)]
    assert set(cases_of(*far).values()) == {far[0].id}
    over = replace(far[0], state=State.RESOLVED, ended=START + 3 * DAY)
    assert len(set(cases_of(over, far[1]).values())) == 2


def test_what_waits_for_its_end_lasts() -> None:
    over = an_incident("drift", "a", state=State.RESOLVED, ended=START + DAY, settled=START + 8 * DAY)
    assert len(set(cases_of(over, an_incident("drift", "b", started=START + 5 * DAY)).values())) == 1


def test_a_later_member_changes_no_id() -> None:
    late = recorded_one_by_one([an_incident("news", "b"), an_incident("news", "a"), an_incident("drift", "c")])
    assert {one.case for one in late} == {"news-b-01"}


def test_a_member_that_was_withdrawn_leaves_its_id_to_the_others() -> None:
    first, second = grouped([an_incident("news", "a"), an_incident("news", "b")], RULES, DAY)
    found = grouped([replace(first, state=State.WITHDRAWN), second], RULES, DAY)
    assert {one.case for one in found} == {first.id}


def test_two_cases_that_turn_out_to_be_one_keep_the_older_id() -> None:
    one, other = recorded_one_by_one([an_incident("news", "a"), an_incident("news", "a", started=START + 3 * DAY)])
    assert one.case != other.case
    between = an_incident("sentinel", "a", started=START + 2 * DAY)
    assert {i.case for i in grouped([one, other, between], RULES, DAY)} == {one.case}


def test_a_case_that_comes_apart_keeps_its_id_with_the_incident_it_is_named_after() -> None:
    one, other = grouped([an_incident("news", "a"), an_incident("news", "b")], RULES, DAY)
    moved = replace(one, started=START + 9 * DAY)
    assert {i.id: i.case for i in grouped([moved, other], RULES, DAY)} == {one.id: one.id, other.id: other.id}


DRAWN = st.lists(
    st.tuples(
        st.sampled_from(["news", "null_rate", "drift", "drift_share", "volume", "accuracy_drop"]),
        st.sampled_from("abc"),
        st.integers(0, 20),
        st.none() | st.integers(1, 9),
    ),
    unique_by=lambda drawn: drawn[:3],
)


def incidents_of(drawn: Iterable[tuple[str, str, int, int | None]]) -> list[Incident]:
    found = []
    for rule, feature, day, lasting in drawn:
        started = START + day * DAY
        over = {"ended": started + lasting * DAY, "state": State.RESOLVED} if lasting else {}
        found.append(an_incident(rule, feature, started=started, **over))
    return found


@given(DRAWN)
def test_every_incident_is_in_exactly_one_case_named_by_one_of_its_members(drawn: list[Any]) -> None:
    some = incidents_of(drawn)
    found = grouped(some, RULES, DAY)
    assert sorted(one.id for one in found) == sorted(one.id for one in some)
    assert all(one.case in {i.id for i in found if i.case == one.case} for one in found)


@given(DRAWN, st.randoms(use_true_random=False))
def test_the_order_incidents_are_recorded_in_changes_no_case(drawn: list[Any], random: Random) -> None:
    some = incidents_of(drawn)
    assert parts(recorded_one_by_one(random.sample(some, len(some)))) == parts(grouped(some, RULES, DAY))


@given(DRAWN, st.randoms(use_true_random=False))
def test_a_case_keeps_its_id_as_long_as_its_members_stay_together(drawn: list[Any], random: Random) -> None:
    some = incidents_of(drawn)
    known: list[Incident] = []
    for one in random.sample(some, len(some)):
        grown = grouped([*known, one], RULES, DAY)
        if parts(known) == parts(i for i in grown if i.id != one.id):
            assert {i.id: i.case for i in known}.items() <= {i.id: i.case for i in grown}.items()
        assert grouped(grown, RULES, DAY) == grown
        known = grown


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


def test_a_case_that_was_told_is_told_once_more_when_it_is_worse() -> None:
    heard = [told_now(replace(one, case="c"), NOW) for one in (an_incident("drift", "a"), an_incident("drift", "b"))]
    worse = [replace(one, severity=Severity.P1) for one in heard]
    assert [needs_notice(one, fresh=True) for one in worse] == [State.OPEN, State.OPEN]
    assert brings_news(worse[0], [worse[0], heard[1]], RULES)
    again = [told_now(worse[0], NOW), worse[1]]
    assert not brings_news(again[1], again, RULES)
    assert needs_notice(again[0], fresh=True) is None


def test_another_number_of_a_column_that_was_told_is_told_again() -> None:
    heard = told_now(replace(an_incident("news", "a"), case="c", number="values"), NOW)
    nulls = replace(heard, number="nulls")
    assert needs_notice(nulls, fresh=True) is State.OPEN
    assert brings_news(nulls, [nulls], RULES)
    for number in ("values", "nulls"):
        assert needs_notice(replace(told_now(nulls, NOW), number=number), fresh=True) is None


def test_what_is_far_further_off_than_was_told_is_told_again_and_less_is_not() -> None:
    heard = told_now(replace(an_incident("news", "a"), case="c", number="values"), NOW)
    far = replace(heard, number="values far off")
    assert needs_notice(far, fresh=True) is State.OPEN
    assert brings_news(far, [far], RULES)
    for number in ("values", "values far off"):
        assert needs_notice(replace(told_now(far, NOW), number=number), fresh=True) is None
    first = told_now(replace(an_incident("news", "a"), case="c", number="values far off"), NOW)
    assert needs_notice(replace(first, number="values"), fresh=True) is None


def test_the_segment_in_which_something_told_of_all_rows_is_found_is_told_once() -> None:
    heard = told_now(replace(an_incident("null_rate", "a"), case="c"), NOW)
    there, too = (
        replace(an_incident("news", "a"), case="c", series=Series("news", segment=s, feature="a"))
        for s in ("k=x", "k=y")
    )
    assert brings_news(there, [heard, there], RULES)
    assert not brings_news(replace(there, series=Series("news", feature="a")), [heard, there], RULES)
    assert not brings_news(too, [heard, told_now(there, NOW), too], RULES)
    grave = replace(heard, severity=Severity.P1, heard=replace(heard.heard, severity=Severity.P1))  # type: ignore[type-var]
    assert not brings_news(replace(there, severity=Severity.P1), [grave, there], RULES), "nobody is woken for it"


def test_that_a_column_far_from_the_reference_goes_further_beyond_it_is_not_told() -> None:
    beyond = told_now(replace(an_incident("out_of_range", "a"), case="c", number="doubled 0 times"), NOW)
    further = replace(beyond, number="doubled 1 times")
    assert needs_notice(further, fresh=True) is State.OPEN
    assert brings_news(further, [further], RULES), "by itself it is told"
    level = told_now(replace(an_incident("drift", "a"), case="c"), NOW)
    assert not brings_news(further, [level, further], RULES), "its column is told by how far it is"


@pytest.mark.parametrize("rule", ["stuck", "unit", "sentinel", "null_rate"])
def test_a_fault_of_a_column_that_is_told_to_be_far_from_the_reference_is_told_besides(rule: str) -> None:
    far = told(an_incident("drift", "a"), an_incident("out_of_range", "a"))
    fault = replace(an_incident(rule, "a"), case="c")
    assert brings_news(fault, [*far, fault], RULES)
    assert not brings_news(fault, [*far, *told(an_incident("news", "a")), fault], RULES), "its column was told as news"
