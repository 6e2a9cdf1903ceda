"""Where causes began, found in one pass, against the definition read out of the rule word by word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hindsight.verdicts.cases import NEAR, _lasts_at, _roots, topic
from hindsight.verdicts.incidents import NEWS
from hindsight.verdicts.model import Incident, Series, State
from hindsight.vocabulary.severity import Severity
from tests.builders import DAY, a_monitor, at

RULES = {rule.id: rule for rule in a_monitor().rules}
START = at("2026-09-01")
DRAWN = st.lists(
    st.tuples(
        st.sampled_from(["news", "null_rate", "drift", "sentinel"]),
        st.sampled_from("ab"),
        st.sampled_from(["", "region=EU", "region=US"]),
        st.integers(0, 15),
        st.none() | st.integers(1, 9),
    ),
    unique_by=lambda drawn: drawn[:4],
)


def incidents_of(drawn: Sequence[Any]) -> list[Incident]:
    found = []
    for rule, feature, segment, day, lasting in drawn:
        started = START + day * DAY
        ended = started + lasting * DAY if lasting else None
        state = State.RESOLVED if lasting else State.OPEN
        series = Series(rule, segment=segment, feature=feature)
        id = f"{rule}-{feature}-{segment}-{day}"
        found.append(Incident(id, "credit", series, Severity.P2, state, started, ended, (started,), 1.0, 1.0))
    return sorted(found, key=lambda one: (one.started, one.id))


def by_definition(causes: Sequence[Incident]) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for place, one in enumerate(causes):
        same = [before for before in causes[:place] if topic(before.series, RULES) == topic(one.series, RULES)]
        with_it = [found[before.id] for before in same if goes_with(one, before)]
        found[one.id] = min([one.started, *with_it])
    return found


def goes_with(one: Incident, before: Incident) -> bool:
    """Begun at most NEAR windows before; or both are news, in other rows, and the earlier one lasts."""
    if one.started - before.started <= NEAR * DAY:
        return True
    both_news = all(RULES[each.series.rule].metric == NEWS for each in (one, before))
    return both_news and one.series.segment != before.series.segment and _lasts_at(before, one.started)


@given(DRAWN)
def test_one_pass_finds_what_the_definition_says(drawn: Sequence[Any]) -> None:
    causes = incidents_of(drawn)
    assert _roots(causes, RULES, DAY) == by_definition(causes)
