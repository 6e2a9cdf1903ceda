"""Deploys: drift is silent for some windows after a new version, and never for most of a month."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from hindsight.verdicts.deploys import MONTH, Deploy, quiet_after
from tests.builders import DAY, HOUR, at

START = at("2026-09-01")


def test_drift_is_silent_until_the_windows_of_a_deploy_were_judged() -> None:
    (quiet,) = quiet_after([Deploy("v2", START)], DAY, 2)
    assert (quiet.since, quiet.until) == (START, START + 3 * DAY)


def test_of_three_deploys_in_a_month_of_days_the_second_is_silent_for_one_window_and_the_third_for_none() -> None:
    found = list(quiet_after([Deploy(f"v{k}", START + 5 * k * DAY) for k in (2, 3, 4)], DAY, 2))
    assert [(one.deploy.version, (one.until - one.since) // DAY - 1) for one in found] == [("v2", 2), ("v3", 1)]


def test_a_month_later_a_deploy_is_silent_again() -> None:
    found = list(quiet_after([Deploy("v2", START), Deploy("v3", START + 30 * DAY)], 7 * DAY, 2))
    assert [one.deploy.version for one in found] == ["v2", "v3"]


@given(
    gaps=st.lists(st.integers(0, 100), max_size=40),
    size=st.sampled_from([HOUR, DAY, 7 * DAY]),
    windows=st.integers(1, 10),
)
def test_a_version_a_day_silences_a_tenth_of_any_month_or_the_windows_of_one_deploy(
    gaps: list[int], size: timedelta, windows: int
) -> None:
    moments = [START + sum(gaps[:k]) * HOUR for k in range(len(gaps))]
    found = list(quiet_after([Deploy(f"v{k}", moment) for k, moment in enumerate(moments)], size, windows))
    for last in found:
        lately = [one for one in found if last.since - MONTH < one.since <= last.since]
        silenced = sum((one.until - one.since) // size - 1 for one in lately)
        assert silenced <= max(windows, MONTH // size // 10)
