"""Verdicts that expire take nothing with them: every incident keeps its own, and folding says what it said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from hindsight.monitors.rules import Rule
from hindsight.verdicts.incidents import fold_from, refold, retire
from hindsight.verdicts.model import Incident, State, Verdict
from hindsight.verdicts.retention import EVER, Span, expired, gaps, judged_until, needed
from tests.builders import DAY, at
from tests.verdicts.test_incidents import SERIES, a_rule, a_verdict, day, folded

LENGTH = 260
runs = st.lists(st.tuples(st.sampled_from("B.in"), st.integers(1, 60)), min_size=5, max_size=40)


def said(found: list[tuple[str, int]]) -> str:
    return "".join(letter * times for letter, times in found).ljust(LENGTH, ".")[:LENGTH]


def what_is_left(verdicts: Sequence[Verdict], incidents: Sequence[Incident], horizon: int, rule: Rule) -> list[Verdict]:
    until = judged_until(day(horizon), rule.for_, DAY)
    gone = [span for _, span in expired([SERIES], needed(incidents, DAY), until)]
    return [v for v in verdicts if not any(start <= v.window.start < end for start, end in gone)]


def folded_from(verdicts: Sequence[Verdict], recorded: list[Incident], changed: int, rule: Rule) -> list[Incident]:
    since = fold_from(rule, day(changed), recorded, size=DAY)
    return refold("credit", rule, SERIES, [v for v in verdicts if v.window.start >= since], recorded)


@given(runs, st.integers(150, 250), st.integers(1, 3), st.integers(1, 3), st.data())
def test_what_changes_after_the_horizon_is_folded_as_if_nothing_had_expired(
    found: list[tuple[str, int]], horizon: int, for_: int, keep_for: int, data: st.DataObject
) -> None:
    rule, text = a_rule(**{"for": for_, "keep_for": keep_for}), said(found)
    verdicts = [a_verdict(number, letter) for number, letter in enumerate(text)]
    recorded = folded(text, rule=rule)
    left = what_is_left(verdicts, recorded, horizon, rule)
    changed = data.draw(st.integers(horizon, LENGTH))
    news = [a_verdict(changed + number, letter) for number, letter in enumerate(said(data.draw(runs))[:40])]
    known, thinned = ([v for v in some if v.window.start < day(changed)] + news for some in (verdicts, left))
    assert folded_from(thinned, recorded, changed, rule) == folded_from(known, recorded, changed, rule)


@given(runs, st.integers(150, 250), st.integers(1, 3), st.integers(1, 3))
def test_every_window_of_every_incident_keeps_its_verdict(
    found: list[tuple[str, int]], horizon: int, for_: int, keep_for: int
) -> None:
    rule, text = a_rule(**{"for": for_, "keep_for": keep_for}), said(found)
    verdicts = [a_verdict(number, letter) for number, letter in enumerate(text)]
    recorded = folded(text, rule=rule)
    left = {v.window.start for v in what_is_left(verdicts, recorded, horizon, rule)}
    assert {start for incident in recorded for start in incident.breaches} <= left
    assert refold("credit", rule, SERIES, [v for v in verdicts if v.window.start in left], []) == recorded


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), max_size=6), st.integers(0, 60))
def test_a_gap_is_all_that_lies_before_a_moment_and_in_no_span(spans: list[tuple[int, int]], before: int) -> None:
    moments = [at("2026-01-01") + k * timedelta(hours=1) for k in range(80)]
    given_spans: list[Span] = [(moments[first], moments[first + length]) for first, length in spans]
    found = list(gaps(given_spans, moments[before]))
    inside = {m for m in moments if any(start <= m < end for start, end in found)}
    assert inside == {
        m for m in moments if m < moments[before] and not any(start <= m < end for start, end in given_spans)
    }
    assert found == sorted(found)


def test_of_an_open_incident_every_later_window_stays() -> None:
    (standing,) = folded("....BBB")
    assert standing.state is State.OPEN
    spans = needed([standing], DAY)[SERIES]
    assert list(gaps(spans, day(500))) == [(EVER, day(4))]


def test_breaches_that_wait_for_more_when_the_horizon_passes_them_still_count() -> None:
    rule, text = a_rule(**{"for": 3}), "." * 200 + "BB"
    left = what_is_left([a_verdict(number, letter) for number, letter in enumerate(text)], [], 202, rule)
    (incident,) = folded_from([*left, a_verdict(202, "B")], [], 202, rule)
    assert incident.breaches == (day(200), day(201), day(202))


def test_a_withdrawn_incident_is_not_joined_to_the_next_when_the_calm_between_them_goes() -> None:
    rule, text = a_rule(**{"for": 3}), "." * 10 + "BB" + "." * 20 + "BBB" + "." * 300
    verdicts = [a_verdict(number, letter) for number, letter in enumerate(text)]
    first = retire(folded("." * 10 + "BBB", rule=rule)[0], "labels came")
    recorded = refold("credit", rule, SERIES, verdicts, [first])
    left = what_is_left(verdicts, recorded, 330, rule)
    assert len(left) < len(verdicts)
    assert refold("credit", rule, SERIES, left, recorded) == recorded
