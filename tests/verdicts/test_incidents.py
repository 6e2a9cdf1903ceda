"""Incidents are a fold over the newest verdicts: the order of the nights leaves no trace in what is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.monitors.rules import Rule
from hindsight.verdicts.incidents import LOOK_BACK, fold_from, refold, retire
from hindsight.verdicts.model import Heard, Incident, Series, State, Status, Verdict
from hindsight.vocabulary.windows import Window
from tests.builders import DAY, at

START = at("2026-09-01")
SERIES = Series("accuracy_drop")
LETTERS = {
    "B": Status.BREACH,
    ".": Status.OK,
    "i": Status.IMMATURE,
    "f": Status.TOO_FEW,
    "n": Status.NO_DATA,
    "m": Status.MUTED,
}
NIGHT = at("2026-10-01")


def a_rule(metric: str = "performance.accuracy", **rest: object) -> Rule:
    return Rule.model_validate({"id": "accuracy_drop", "metric": metric, "below": 0.8, "severity": "P0", **rest})


def day(number: int) -> datetime:
    return START + number * DAY


def a_verdict(number: int, letter: str, as_of: datetime = NIGHT, value: float = 0.7) -> Verdict:
    window = Window(day(number), day(number + 1))
    return Verdict(SERIES, window, as_of, window.end + 7 * DAY, LETTERS[letter], value, 0.8, 500)


def verdicts(text: str, *, first: int = 0, as_of: datetime = NIGHT) -> list[Verdict]:
    """One verdict a day for each letter; a space is a day without one."""
    return [a_verdict(first + i, letter, as_of) for i, letter in enumerate(text) if letter != " "]


def folded(text: str, recorded: Sequence[Incident] = (), *, first: int = 0, rule: Rule | None = None) -> list[Incident]:
    return refold("credit", rule or a_rule(), SERIES, verdicts(text, first=first), recorded)


def drawn(incidents: Sequence[Incident]) -> list[str]:
    """Each standing incident as its state and the days that breached: 'open 2 3'."""
    return [
        " ".join([i.state, *(str((start - START).days) for start in i.breaches)])
        for i in incidents
        if i.state is not State.WITHDRAWN
    ]


@pytest.mark.parametrize(
    ("text", "for_", "keep_for", "expected"),
    [
        ("", 1, 1, []),
        ("...", 1, 1, []),
        ("B", 1, 1, ["open 0"]),
        ("B.", 1, 1, ["resolved 0"]),
        (".BB.B", 1, 1, ["resolved 1 2", "open 4"]),
        ("B", 2, 1, []),
        ("BB", 2, 1, ["open 0 1"]),
        ("B.B", 2, 1, []),
        ("B.BB", 2, 1, ["open 2 3"]),
        ("B. BB.", 2, 1, ["resolved 3 4"]),
        ("BBB.", 3, 2, ["recovering 0 1 2"]),
        ("BBB..", 3, 2, ["resolved 0 1 2"]),
        ("B.B.B.", 1, 2, ["recovering 0 2 4"]),
        ("B..B", 1, 3, ["open 0 3"]),
        ("B.B..B", 1, 2, ["resolved 0 2", "open 5"]),
        ("B.BB", 2, 2, ["open 2 3"]),
    ],
)
def test_an_episode_lasts_from_for_breaches_to_keep_for_good_windows(
    text: str, for_: int, keep_for: int, expected: list[str]
) -> None:
    assert drawn(folded(text, rule=a_rule(**{"for": for_}, keep_for=keep_for))) == expected


@pytest.mark.parametrize("letter", "ifnm ")
def test_what_cannot_be_judged_neither_extends_nor_ends_an_episode(letter: str) -> None:
    twice = a_rule(**{"for": 2}, keep_for=2)
    assert drawn(folded(f"B{letter}{letter}B", rule=twice)) == ["open 0 3"]
    assert drawn(folded(f"B{letter}{letter}", rule=twice)) == []
    assert drawn(folded(f"BB{letter}.{letter}{letter}.", rule=twice)) == ["resolved 0 1"]
    assert drawn(folded(f"BB.{letter}{letter}", rule=twice)) == ["recovering 0 1"]


def test_an_incident_says_what_broke_and_when() -> None:
    [incident] = folded(".BB.")
    assert (incident.started, incident.ended) == (day(1), day(4))
    assert (incident.monitor, incident.series, incident.severity) == ("credit", SERIES, "P0")
    assert (incident.value, incident.threshold, incident.told, incident.reason) == (0.7, 0.8, None, "")


def test_where_the_rule_waits_for_several_good_windows_the_end_is_that_of_the_last_breach() -> None:
    [incident] = folded("BB.m..", rule=a_rule(keep_for=3))
    assert (incident.state, incident.ended, incident.settled) == (State.RESOLVED, day(2), day(6))
    [waiting] = folded("BB.m.", rule=a_rule(keep_for=3))
    assert (waiting.state, waiting.ended, waiting.settled) == (State.RECOVERING, None, None)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("operations.health", "open 0"),
        ("operations.latency_p95_ms", "open 0"),
        ("operations.volume_ratio", "recovering 0"),
        ("drift.drifted", "recovering 0"),
    ],
)
def test_operations_are_open_until_they_are_over(metric: str, expected: str) -> None:
    assert drawn(folded("B.", rule=a_rule(metric, keep_for=3))) == [expected]


def test_a_week_without_a_breach_ends_an_episode_though_some_days_of_it_have_no_verdict() -> None:
    [over] = folded("B....nn.", rule=a_rule(keep_for=7))
    assert (over.state, over.ended, over.settled) == (State.RESOLVED, day(1), day(8))
    [waiting] = folded("B....nnn", rule=a_rule(keep_for=7))
    assert waiting.state is State.RECOVERING


def test_who_heard_of_incidents_that_merge_has_heard_of_the_one_they_become() -> None:
    older, younger = folded("B.B")
    heard = Heard(day(2), younger.severity, n=3)
    merged, gone = folded("B.B", [older, replace(younger, told=State.OPEN, heard=heard)], rule=a_rule(keep_for=2))
    assert (merged.told, merged.heard, gone.told) == (State.OPEN, heard, State.WITHDRAWN)


def test_ten_windows_of_flapping_are_one_incident_with_hysteresis_and_five_without() -> None:
    assert len(folded("B." * 5, rule=a_rule(keep_for=2))) == 1
    assert len(folded("B." * 5)) == 5


def test_the_order_of_windows_counts_not_that_of_judging() -> None:
    assert drawn(refold("credit", a_rule(), SERIES, verdicts(".BB.")[::-1], [])) == ["resolved 1 2"]


def test_the_newest_verdict_of_a_window_counts() -> None:
    old, new = a_verdict(0, "B", NIGHT), a_verdict(0, ".", NIGHT + DAY)
    assert refold("credit", a_rule(), SERIES, [new, old], []) == []


def test_the_same_verdicts_change_nothing() -> None:
    first = folded("BB..B")
    assert folded("BB..B", first) == first


def test_an_id_is_that_of_its_first_recording() -> None:
    [incident] = folded("..BB")
    [grown] = folded(".BBBB", [incident])
    assert (grown.id, grown.started, grown.breaches[-1]) == (incident.id, day(1), day(4))
    assert folded("..BB")[0].id == incident.id
    assert folded(".BB")[0].id != incident.id


def test_what_was_told_is_kept() -> None:
    [incident] = folded("B")
    [resolved] = folded("B.", [replace(incident, told=State.OPEN)])
    assert (resolved.state, resolved.told) == (State.RESOLVED, State.OPEN)


def test_late_labels_withdraw_an_incident_and_say_so() -> None:
    [gone] = folded("..", folded("BB"))
    assert (gone.state, gone.breaches) == (State.WITHDRAWN, (day(0), day(1)))
    assert gone.reason == "labels that arrived by 2026-10-01 00:00 UTC put it back within the threshold"
    assert folded("..", [gone]) == [gone]


def test_why_an_incident_was_withdrawn() -> None:
    recorded = folded("BB", rule=a_rule(**{"for": 2}))

    def reason(text: str, rule: Rule) -> str:
        return folded(text, recorded, rule=rule)[0].reason

    twice = a_rule(**{"for": 2})
    assert reason("B.", twice) == "as of 2026-10-01 00:00 UTC 1 of its windows still breach, not 2 in a row"
    assert reason("mm", twice) == "as of 2026-10-01 00:00 UTC it cannot be judged: muted"
    assert reason("..", a_rule("operations.error_rate")).startswith("data that arrived by")
    assert folded("..", [replace(recorded[0], breaches=(day(9),))])[0].reason == "its windows are no longer judged"


def test_a_withdrawn_incident_whose_windows_breach_again_is_reopened_under_its_id() -> None:
    [incident] = folded("BB")
    gone = folded("..", [replace(incident, told=State.OPEN)])
    [again] = folded(".B", gone)
    assert (again.id, again.state, again.told) == (incident.id, State.OPEN, State.OPEN)
    assert (again.breaches, again.reason) == ((day(1),), "its windows breach again")


def test_two_incidents_that_merge_keep_the_older_id() -> None:
    older, younger = recorded = folded("B.B")
    merged, gone = folded("BBB", recorded)
    assert (merged.id, merged.state, drawn([merged])) == (older.id, State.OPEN, ["open 0 1 2"])
    assert (gone.id, gone.state, gone.reason) == (younger.id, State.WITHDRAWN, f"merged into {older.id}")
    assert folded("BBB", [gone, merged]) == [merged, gone]


def test_two_incidents_that_merged_and_part_again_get_their_ids_back() -> None:
    recorded = folded("B.B")
    parted = folded("B.B", folded("BBB", recorded))
    assert [i.id for i in parted] == [i.id for i in recorded]
    assert drawn(parted) == drawn(recorded)


def test_an_incident_that_stands_is_preferred_to_an_older_one_that_was_withdrawn() -> None:
    older, younger = folded("..B", folded("B.B"))
    assert older.state is State.WITHDRAWN
    standing, merged = sorted(folded("BBB", [older, younger]), key=lambda i: i.state)
    assert (standing.id, merged.id) == (younger.id, older.id)


def test_an_incident_that_splits_keeps_its_id_on_the_earliest_part() -> None:
    [whole] = folded("BBB")
    first, second = folded("B.B", [whole])
    assert first.id == whole.id
    assert second.id not in ("", whole.id)
    assert drawn([first, second]) == ["resolved 0", "open 2"]


def test_an_id_that_is_taken_is_not_given_twice() -> None:
    [incident] = folded("..B")
    [grown] = folded("BBB", [incident])
    first, second = folded("B.B", [grown])
    assert first.id == incident.id == folded("..B")[0].id
    assert second.id != first.id
    assert drawn([first, second]) == ["resolved 0", "open 2"]


def test_incidents_before_the_first_verdict_are_left_alone() -> None:
    old, new = recorded = folded("B..B")
    assert folded("", recorded) == recorded
    untouched, gone = folded("...", recorded, first=2)
    assert untouched == old
    assert (gone.id, gone.state) == (new.id, State.WITHDRAWN)


def test_incidents_of_other_series_have_other_ids() -> None:
    ids = {
        refold(monitor, a_rule(), series, verdicts("B"), [])[0].id
        for monitor in ("credit", "churn")
        for series in (SERIES, Series("accuracy_drop", "2"), Series("accuracy_drop", "", "2"), Series("r", "", "", "2"))
    }
    assert len(ids) == 8


def test_a_fold_begins_where_nothing_before_can_matter() -> None:
    [resolved] = folded("B" * 150 + ".")
    rule = a_rule(**{"for": 3})
    assert fold_from(rule, day(400), [resolved], size=DAY) == day(400 - LOOK_BACK)
    assert fold_from(rule, day(200), [resolved], size=DAY) == day(0)
    assert fold_from(rule, day(400), [replace(resolved, ended=None, settled=None)], size=DAY) == day(0)
    assert fold_from(rule, day(200), [retire(resolved, "")], size=DAY) == day(100)
    assert fold_from(a_rule(**{"for": 150}), day(400), [], size=DAY) == day(250)


def test_an_incident_of_a_rule_that_is_gone_is_retired() -> None:
    [incident] = folded("B")
    gone = retire(incident, "the rule accuracy_drop was removed")
    assert (gone.state, gone.reason) == (State.WITHDRAWN, "the rule accuracy_drop was removed")


revisions = st.lists(
    st.tuples(st.integers(0, 11), st.integers(0, 4), st.sampled_from("BBB...im")),
    max_size=40,
    unique_by=lambda revision: revision[:2],
)
rules = st.builds(
    lambda for_, keep_for: a_rule(**{"for": for_}, keep_for=keep_for), st.integers(1, 3), st.integers(1, 3)
)


def newest(found: Sequence[Verdict]) -> list[Verdict]:
    return list({v.window: v for v in sorted(found, key=lambda v: v.as_of)}.values())


@given(revisions, rules, st.randoms(use_true_random=False))
def test_the_order_of_nights_does_not_matter(nights: list[tuple[int, int, str]], rule: Rule, random: st.Random) -> None:
    found = [a_verdict(window, letter, NIGHT + night * DAY) for window, night, letter in nights]
    at_once = refold("credit", rule, SERIES, found, [])
    random.shuffle(found)
    recorded: list[Incident] = []
    for known in range(1, len(found) + 1):
        before = recorded
        recorded = refold("credit", rule, SERIES, newest(found[:known]), before)
        assert refold("credit", rule, SERIES, newest(found[:known]), recorded) == recorded
        check_identity(before, recorded)
    assert drawn(recorded) == drawn(at_once)
    assert [(i.started, i.ended) for i in recorded if i.state is not State.WITHDRAWN] == [
        (i.started, i.ended) for i in at_once
    ]


def check_identity(before: list[Incident], after: list[Incident]) -> None:
    """Nobody is forgotten, no id is given twice, and who shares a window with a recorded incident takes its id."""
    ids = [incident.id for incident in after]
    assert len(set(ids)) == len(ids)
    assert {incident.id for incident in before} <= set(ids)
    claimed: set[str] = set()
    for incident in (i for i in after if i.state is not State.WITHDRAWN):
        sharing = {i.id for i in before if set(i.breaches) & set(incident.breaches)}
        assert incident.id in sharing or not sharing - claimed
        claimed.add(incident.id)


@given(revisions, rules, st.integers(0, 11))
def test_a_fold_of_the_recent_windows_equals_the_whole_fold(
    nights: list[tuple[int, int, str]], rule: Rule, changed: int
) -> None:
    spread = [(window * 30, night, letter) for window, night, letter in nights]
    found = newest([a_verdict(window, letter, NIGHT + night * DAY) for window, night, letter in spread])
    filled = {v.window.start: v for v in verdicts("." * 331)} | {v.window.start: v for v in found}
    before = refold("credit", rule, SERIES, list(filled.values()), [])
    filled[day(changed * 30)] = a_verdict(changed * 30, "B", NIGHT + 9 * DAY)
    whole = refold("credit", rule, SERIES, list(filled.values()), before)
    since = fold_from(rule, day(changed * 30), before, size=timedelta(days=1))
    recent = [verdict for start, verdict in filled.items() if start >= since]
    assert refold("credit", rule, SERIES, recent, before) == whole


@pytest.mark.parametrize(
    ("note", "number"),
    [
        ("mean 2336, 2177 expected (4.2 standard deviations of its own past)", "values"),
        ("mean 2.368, 2174 expected (28.8 standard deviations of its own past)", "values far off"),
        ("nulls 24.0%, 0.0% expected (33.0 standard deviations of its own past)", "nulls"),
        ("rows 143, 612 expected (33.7 standard deviations of its own past)", "rows"),
        ("share of one value 20.3%, 3.1% expected (10.6 standard deviations of its own past)", "share of one value"),
    ],
)
def test_of_news_an_incident_says_which_number_moves_in_its_newest_breach(note: str, number: str) -> None:
    breach = replace(a_verdict(0, "B"), note=note)
    [found] = refold("credit", a_rule("drift.news"), SERIES, [breach], ())
    assert found.number == number
    [other] = refold("credit", a_rule(), SERIES, [breach], ())
    assert other.number == ""


@pytest.mark.parametrize(
    ("metric", "value", "note", "times"),
    [
        ("quality.null_rate", 0.05, "", 0),
        ("quality.sentinel_share", 0.11, "-999", 1),
        ("quality.out_of_range_share", 0.41, "", 3),
        ("drift.drifted", 1.0, "psi 0.35 from the reference", 1),
        ("drift.drifted", 1.0, "psi 0.02 from the reference", 0),
    ],
)
def test_what_grows_is_another_number_each_time_it_has_doubled(
    metric: str, value: float, note: str, times: int
) -> None:
    breach = replace(a_verdict(0, "B"), value=value, threshold=0.05, note=note)
    [found] = refold("credit", a_rule(metric), SERIES, [breach], ())
    assert found.number == f"doubled {times} times"


def test_what_has_grown_is_told_once_it_lasts() -> None:
    shares = [replace(a_verdict(day, "B"), value=value, threshold=0.05) for day, value in enumerate((0.06, 0.5, 0.21))]
    numbers = [refold("credit", a_rule("quality.null_rate"), SERIES, shares[:n], ())[-1].number for n in (1, 2, 3)]
    assert numbers == ["doubled 0 times", "doubled 0 times", "doubled 2 times"]
    far = [
        replace(a_verdict(day, "B"), note=f"psi {psi} from the reference") for day, psi in enumerate((0.9, 0.25, 0.5))
    ]
    rule = a_rule("drift.drifted").model_copy(update={"keep_for": 3})
    assert refold("credit", rule, SERIES, far, ())[-1].number == "doubled 1 times"
