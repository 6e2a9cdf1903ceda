"""What a period came to, counted by hand; nothing is counted twice, and a quiet one says so in one line."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hindsight.verdicts.error_budget import Spent
from hindsight.verdicts.model import Incident, Series, State
from hindsight.verdicts.review_words import headline, said
from hindsight.verdicts.reviews import Alert, Burnt, Graded, Known, Total, review, together
from hindsight.verdicts.silence import Silence
from hindsight.vocabulary.periods import Period, parse_period
from hindsight.vocabulary.severity import Severity
from tests.builders import DAY, HOUR, a_monitor, at

WEEK = parse_period("2026-W37")  # 7 to 13 September
MONITOR = a_monitor(
    owner="risk-ml",
    kpis={"lost": {"sum": "amount"}, "margin": {"mean": "amount"}},
    slos={"availability": {"target": "99%"}},
    rules=[
        {"id": "losses", "metric": "kpi.lost", "above": 1e6},
        {"id": "dear", "metric": "operations.cost_per_prediction", "above": 1},
    ],
)


def an_incident(id: str, rule: str, start: str, end: str | None = None, **changes: Any) -> Incident:
    state = State.OPEN if end is None else State.RESOLVED
    first = at(start)
    days = tuple(first + k * DAY for k in range(changes.pop("windows", 1)))
    series = Series(rule, feature=changes.pop("feature", ""))
    fields: dict[str, Any] = {"severity": Severity.P2, "state": state, "case": id} | changes
    ended = at(end) if end else None
    return Incident(id, "credit", series, started=first, ended=ended, breaches=days, value=1, threshold=0, **fields)


INCIDENTS = (
    an_incident("before", "latency_p95", "2026-09-01", "2026-09-04", severity=Severity.P1),
    an_incident("lasting", "drift", "2026-09-05", None, feature="amount", windows=6),  # 5 to 10 September
    an_incident("region", "drift", "2026-09-12", "2026-09-14", feature="region", windows=2),
    an_incident("grave", "accuracy_drop", "2026-09-08", "2026-09-09", severity=Severity.P0),
    an_incident("undone", "accuracy_drop", "2026-09-09", "2026-09-10", state=State.WITHDRAWN),
    an_incident("later", "drift", "2026-09-14", None, feature="amount"),
)
KNOWN = Known(
    alerts=(
        Alert(at("2026-09-06T23:59"), frozenset({"lasting"})),
        Alert(at("2026-09-07"), frozenset({"lasting"})),
        Alert(at("2026-09-09T01:00"), frozenset({"grave", "lasting"})),
        Alert(at("2026-09-09T02:00"), frozenset({"grave"})),
        Alert(at("2026-09-13T23:59"), frozenset({"region"})),
        Alert(at("2026-09-14"), frozenset({"later"})),
    ),
    incidents=INCIDENTS,
    acted={"grave", "before"},
    expected={"region"},
    silences=(
        Silence(at("2026-09-01"), at("2026-09-07"), "ann", "over"),
        Silence(at("2026-09-13"), at("2026-09-20"), "bea", "campaign", rule="news"),
    ),
    spent={"availability": (Spent(30, 1_000), Spent(40, 8_000))},
    asked=2,
    outcomes={"done": 1, "kept": 1},
    grades=(Graded("v7", 0, "0.9 was promised"), Graded("v6", None)),
    rollbacks=1,
    totals={"no_data": Total(7, 4_200.0, 0.0), "dear": Total(7, 0.7, 412.5), "losses": Total(7, 12_345.0, 0.0)},
    late=2,
    labels="2 windows late",
)


def test_a_week_is_what_one_counts_by_hand() -> None:
    found = review(MONITOR, KNOWN, WEEK)
    assert found.alerts == (1, 0, 2, 0, 0, 0, 1)
    assert (found.before, found.told, found.acted, found.expected) == (1, 3, 1, 1)
    assert found.began == {Severity.P0: 1, Severity.P2: 1}
    assert (found.ended, found.open) == (2, {Severity.P2: 1})
    assert found.moved == (("amount", 4), ("region", 2))
    assert (found.windows, found.rows, found.cost) == (7, 4_200, 412.5)
    assert found.kpis == (("lost", 12_345.0),)
    [budget] = found.budgets
    assert budget == Burnt("availability", 3.0, 0.5)
    assert [one.by for one in found.silences] == ["bea"]


def test_it_is_said_in_sentences_under_its_topics() -> None:
    assert list(said(review(MONITOR, KNOWN, WEEK)).lines()) == [
        ("alerts", "4 alerts (1 the week before), at most 2 a day; of 3 cases told 1 acted on, 1 was expected"),
        ("incidents", "1 P0, 1 P2 began, 2 ended, 1 P2 open at its end"),
        ("labels", "2 windows late"),
        ("budgets", "availability: burnt 3 times as fast as it may, 50 % left"),
        ("retraining", "2 asked for; 1 promoted, 1 kept the champion"),
        ("retraining", "1 rollback to an earlier version"),
        ("retraining", "v7 did as promised: 0.9 was promised"),
        ("retraining", "v6 cannot be graded"),
        ("drift", "amount in 4, region in 2 of 7 windows"),
        ("cost", "predictions cost 412.50"),
        ("cost", "lost 12,345"),
        ("silences", "news until 2026-09-20 00:00 UTC by bea: campaign"),
    ]


def test_a_quiet_week_is_one_line() -> None:
    quiet = review(MONITOR, Known(totals={"no_data": Total(7, 700.0, 0.0)}, labels="as expected"), WEEK)
    assert quiet.is_quiet
    assert list(said(quiet).lines()) == [("quiet", "nothing happened, 7 windows checked")]
    assert headline([quiet]) == "nothing happened (1 monitor)"
    assert headline([]) == "nothing happened (0 monitors)"
    unwatched = review(a_monitor(state="paused"), Known(), WEEK)
    assert said(unwatched).quiet == "nothing happened, paused"


def test_several_are_added_up_and_said_in_one_line() -> None:
    one = review(MONITOR, KNOWN, WEEK)
    whole = together([one, one, review(MONITOR, Known(), WEEK)])
    assert whole is not None
    assert whole.alerts == (2, 0, 4, 0, 0, 0, 2)
    assert (whole.told, whole.open, whole.cost) == (6, {Severity.P2: 2}, 825.0)
    assert len(whole.budgets) == 2
    assert headline([one, one]) == "8 alerts, 2 of 6 cases acted on, 2 P2 open"
    assert together([]) is None


starts = st.integers(0, 40 * 24).map(lambda hours: at("2026-08-20") + hours * HOUR)
spans = st.tuples(starts, st.one_of(st.none(), st.integers(1, 300).map(lambda hours: hours * HOUR)))


@given(st.lists(spans, max_size=8), st.lists(starts, max_size=12))
def test_weeks_in_a_row_count_every_alert_and_every_beginning_once(
    lasted: list[tuple[datetime, timedelta | None]], told: list[datetime]
) -> None:
    incidents = [
        an_incident(str(k), "drift", f"{start:%Y-%m-%dT%H:%M}", length and f"{start + length:%Y-%m-%dT%H:%M}")
        for k, (start, length) in enumerate(lasted)
    ]
    known = Known(incidents=incidents, alerts=[Alert(moment, frozenset()) for moment in told])
    weeks: list[Period] = [parse_period(f"2026-W{n}") for n in range(33, 54)]
    found = [review(MONITOR, known, week) for week in weeks]
    assert sum(sum(one.alerts) for one in found) == len(told)
    assert sum(sum(one.began.values()) for one in found) == len(lasted)
    assert [one.before for one in found[1:]] == [sum(one.alerts) for one in found[:-1]]
    for earlier, later in pairwise(found):
        assert sum(later.open.values()) == sum(earlier.open.values()) + sum(later.began.values()) - later.ended
