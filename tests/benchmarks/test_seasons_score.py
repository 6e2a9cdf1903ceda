"""The score of the season bench falls short where a detector does: the deaf finds nothing, the chatty is counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from benchmarks import seasons_oracle as oracle
from benchmarks import seasons_page
from benchmarks.seasons import summary
from benchmarks.seasons_clean import Clean
from benchmarks.seasons_faults import DAY, Fault, plant
from benchmarks.seasons_grid import Past, between_windows, cells, on_the_clock, planned
from benchmarks.seasons_harm import told_of, worse_stretches
from benchmarks.seasons_port import Telling
from benchmarks.seasons_score import MONTH, Quiet, cases_of_cause, found, goals, share, told_otherwise
from tests.builders import a_monitor

ONSET = datetime(2026, 3, 2, tzinfo=UTC)
UNTIL = ONSET + timedelta(days=3)
FAULT = Fault("s", "shift", "middle", pd.Timestamp(ONSET), columns=("x",), window=DAY)


def a_telling(**rest: object) -> Telling:
    at = ONSET + timedelta(days=1)
    made = Telling(at, "c1", "P2", "opened", ONSET, rules=("drift",), columns=("x",), segments=())
    return replace(made, **rest)  # type: ignore[arg-type]


def test_a_deaf_detector_finds_nothing_and_pages_nobody() -> None:
    assert not found(FAULT, [], [], UNTIL)
    quiet = {"s": Quiet.of([], ONSET, ONSET + MONTH)}
    missed = {"strength": "middle", "place": "whole", "found": False, "oracle": True}
    held_to = goals(quiet, [missed], [])
    assert held_to["faults_found_middle"] == 0.0
    assert (held_to["pages_per_month"], held_to["notices_per_month"]) == (0.0, 0.0)


def test_a_chatty_detector_is_counted_by_every_telling_and_gets_no_credit_for_what_it_says_anyway() -> None:
    daily = [a_telling(at=ONSET + i * timedelta(days=1), begun=ONSET + i * timedelta(days=1)) for i in range(31)]
    quiet = Quiet.of([*daily, a_telling(severity="P0"), a_telling(severity="P1")], ONSET, ONSET + MONTH)
    assert (quiet.pages_per_month, quiet.notices_per_month) == pytest.approx((2.0, 31.0))
    assert not found(FAULT, daily, daily, UNTIL)
    assert found(FAULT, daily, [], UNTIL)


@pytest.mark.parametrize(
    ("rest", "hit"),
    [
        ({}, True),
        ({"columns": ("y",)}, False),
        ({"at": ONSET + timedelta(days=4)}, False),
        ({"begun": ONSET - timedelta(days=9)}, False),
        ({"begun": ONSET - timedelta(days=9), "how": "again"}, True),
    ],
)
def test_a_hit_names_the_column_in_time_and_is_new(rest: dict[str, object], hit: bool) -> None:
    assert found(FAULT, [a_telling(**rest)], [], UNTIL) is hit


def test_a_fault_in_a_segment_is_found_only_by_what_names_the_segment() -> None:
    fault = replace(FAULT, segment=("k", "a"))
    assert not found(fault, [a_telling()], [], UNTIL)
    assert found(fault, [a_telling(segments=("k=a",))], [], UNTIL)


def test_lost_rows_and_flipped_labels_are_found_by_the_right_rule() -> None:
    rows, labels = (replace(FAULT, kind=kind, columns=()) for kind in ("rows_lost", "labels_flipped"))
    drift, volume, accuracy = (a_telling(rules=(rule,), columns=()) for rule in ("drift", "volume", "accuracy_drop"))
    assert [found(rows, [one], [], UNTIL) for one in (drift, volume, accuracy)] == [False, True, False]
    assert [found(labels, [one], [], UNTIL) for one in (drift, volume, accuracy)] == [False, False, True]


def test_a_column_the_paired_run_names_by_another_rule_is_no_hit_but_told_otherwise() -> None:
    unit, paired = a_telling(rules=("unit",)), a_telling()
    assert not found(FAULT, [unit], [paired], UNTIL)
    assert told_otherwise(FAULT, [unit], [paired], UNTIL)
    assert not told_otherwise(FAULT, [paired], [paired], UNTIL)


def test_cases_of_a_cause_are_those_the_paired_run_does_not_tell() -> None:
    other = a_telling(case="c2", columns=("y",))
    again = a_telling(how="again", at=UNTIL)
    assert cases_of_cause(FAULT, [a_telling(), again, other], [], UNTIL) == 2
    assert cases_of_cause(FAULT, [a_telling(), again, other], [replace(other, case="of the clean run")], UNTIL) == 1


def test_what_neither_the_oracle_nor_anybody_sees_is_not_counted() -> None:
    seen, blind = ({"strength": "middle", "found": False, "oracle": sees} for sees in (True, False))
    hit = {"strength": "middle", "found": True, "oracle": False}
    assert share([seen, blind, hit], strength="middle") == 0.5
    assert share([blind], strength="middle") is None


def a_log(weeks: int = 12) -> pd.DataFrame:
    """A week with a Sunday unlike the rest, in one feature; noise between days of one."""
    days = pd.date_range("2026-01-05", periods=7 * weeks, tz="UTC")
    level = np.where(days.dayofweek == 6, 50.0, 10.0) + np.tile([-1.0, 1.0], len(days))[: len(days)]
    at = days.repeat(24) + pd.to_timedelta(np.tile(np.arange(24), len(days)), unit="h")
    frame = pd.DataFrame({"id": np.arange(len(at)).astype(str), "predicted_at": at, "x": level.repeat(24)})
    frame["hour"], frame["z"] = at.hour, np.arange(len(at)) % 97 * 1.0
    frame["part"] = np.array(["p", "q", "r", "s", "t"])[at.hour // 5]
    return frame.assign(prediction=0.0, label=0.0, labeled_at=at)


def test_the_deviation_between_windows_leaves_the_week_out() -> None:
    deviation = between_windows(a_log(), "x", DAY)
    assert deviation == pytest.approx(1.0, rel=0.02)  # each weekday alternates by one; Sundays add nothing
    assert between_windows(a_log(weeks=1), "x", DAY) > 10  # under three weeks nobody knows Sundays


def test_columns_of_the_clock_get_no_fault() -> None:
    log = a_log()
    past = Past("s", log, log["predicted_at"].iloc[-240], DAY, dict.fromkeys(("x", "hour", "z"), "numeric"), ["part"])
    assert on_the_clock(log, "hour")
    assert past.numeric == ["x", "z"]
    planted = [planned(past, cell) for cell in cells()]
    assert {one.columns for one in planted if isinstance(one, Fault) and one.columns} <= {
        ("x",), ("z",), ("x", "z"), ("z", "x"),
    }  # fmt: skip
    assert {one for one in planted if isinstance(one, str)} == {
        f"no category of about {share:.0%}" for share in (0.05, 0.15, 0.3)
    }
    assert past.segment is not None
    assert past.segment[0] == "part"


def test_an_oracle_sees_eight_deviations_and_not_two() -> None:
    log = a_log()
    onset = log["predicted_at"].iloc[24 * 60]
    for size, seen in ((8.0, True), (2.0, False)):
        fault = Fault("s", "shift", "middle", onset, columns=("x",), size=size, window=DAY)
        assert oracle.sees(log, plant(log, fault), fault, onset + 2 * DAY) is seen


def test_an_oracle_sees_a_spelling_nobody_ever_used() -> None:
    log = a_log()
    log["k"] = np.where(np.arange(len(log)) // 24 % 2 == 0, "7", "b")
    onset = log["predicted_at"].iloc[24 * 60]
    fault = Fault("s", "respelt", "middle", onset, columns=("k",), category="7", window=DAY)
    assert "7 " in set(plant(log, fault)["k"])
    assert oracle.sees(log, plant(log, fault), fault, onset + 2 * DAY)
    assert not oracle.sees(log, log, fault, onset + 2 * DAY)


def test_an_oracle_sees_half_of_the_rows_go_and_labels_turn() -> None:
    log = a_log()
    onset = log["predicted_at"].iloc[24 * 60]
    for kind in ("rows_lost", "labels_flipped"):
        fault = Fault("s", kind, "middle", onset, size=0.5, window=DAY)
        assert oracle.sees(log, plant(log, fault), fault, onset + 2 * DAY)
        assert not oracle.sees(log, log, fault, onset + 2 * DAY)


def test_the_page_says_what_was_met_and_what_was_left_out() -> None:
    quiet = [
        {
            "series": "a", "windows": 30, "window_days": 1, "months": 1.0, "pages": 0, "notices": 9,
            "pages_per_month": 0.0, "notices_per_month": 9.0, "told_of": {"P2 drift": 9},
            "worse_stretches": 2, "worse_told": 1, "source": "drawn", "licence": "none",
            "peers": {peer: {"notices_per_month": 3.0, "windows": 0.5} for peer in ("evidently", "nannyml")},
        },
        {"series": "b", "left_out": "HINDSIGHT_CASES names no folder of cases"},
    ]  # fmt: skip
    fault = {"what": "found", "series": "a", "kind": "shift", "place": "whole", "strength": "middle"}
    results = [fault | {"found": True, "oracle": True}, fault | {"left_out": "no two numeric features vary"}]
    lasting = [{"what": "lasting", "cases": 2}, {"what": "lasting", "cases": 0}]
    numbers = summary(quiet, [*results, *lasting])
    assert (numbers["notices_per_month_worst"], numbers["faults_found_middle"]) == (9.0, 1.0)
    assert numbers["cases_per_cause"] == 2.0
    text = seasons_page.page({"about": {"at": "2026-11-27T20:00:00", "wall_seconds": 60}} | numbers)
    for line in (
        "| notices a month, worst series | 9.00 | ≤ 4.00 | no |",
        "| middle faults found, whole | 100% | ≥ 90% | yes |",
        "| b | left out: HINDSIGHT_CASES names no folder of cases |",
        "| shift | whole | – | 1/1 (1) | – |",
        "| stretches of worse performance told | 50% | ≥ 100% | no |",
    ):
        assert line in text


def test_a_stretch_of_worse_performance_is_seen_and_wants_to_be_told_in_time() -> None:
    log = a_log()
    start, end = log["predicted_at"].iloc[24 * 30].to_pydatetime(), log["predicted_at"].iloc[-1].to_pydatetime()
    rng = np.random.default_rng(3)
    log["label"] = rng.normal(0, 1, len(log))
    assert worse_stretches(log, "regression", DAY, start, end) == []
    bad = (log["predicted_at"] >= start + 10 * DAY) & (log["predicted_at"] < start + 15 * DAY)
    log.loc[bad, "label"] *= 6
    [(began, ended)] = worse_stretches(log, "regression", DAY, start, end)
    assert (began, ended) == (start + 10 * DAY, start + 15 * DAY)
    in_time, late = (began + timedelta(days=days) for days in (5, 30))
    cases = [a_telling(rules=("accuracy_drop",), columns=(), begun=began, at=at) for at in (in_time, late)]
    during, after = ({"c1": {began + days * DAY}} for days in (1, 7))
    runs = [Clean("s", a_monitor(), start, end, told=[one], breached=during) for one in (*cases, a_telling())]
    runs.append(Clean("s", a_monitor(), start, end, told=[cases[0]], breached=after))
    assert [told_of([(began, ended)], run) for run in runs] == [1, 0, 0, 0]
