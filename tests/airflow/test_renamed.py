"""The DAG of a new name leaves out what the one of the earlier name has done, and nothing that people ask for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from hindsight.airflow.pauses import skip_if_paused
from hindsight.airflow.renamed import take_over_night, take_over_window
from tests.airflow.runs import Recorded
from tests.builders import a_monitor, a_window, at

RENAMED = at("2026-09-04T12:00")
RESOURCES = SimpleNamespace(ledger=None)
MONITOR = a_monitor(name="credit_v2", renamed_from="credit")


def is_skipped(take_over: Any, what: Any, run_type: str = "scheduled") -> bool:
    try:
        take_over(MONITOR, what, RESOURCES, {"dag_run": SimpleNamespace(run_type=run_type)}, RENAMED)
    except AirflowSkipException:
        return True
    return False


def test_a_scheduled_window_is_skipped_where_it_was_measured_before_the_rename(use_cases: Recorded) -> None:
    use_cases.renamed_at = RENAMED
    use_cases.measured = {a_window("2026-09-01"), a_window("2026-09-04")}
    days = ("2026-09-01", "2026-09-02", "2026-09-04")
    assert [is_skipped(take_over_window, a_window(day)) for day in days] == [True, False, False]
    assert not is_skipped(take_over_window, a_window("2026-09-01"), "manual")


def test_a_scheduled_night_is_skipped_up_to_the_rename(use_cases: Recorded) -> None:
    use_cases.renamed_at = RENAMED
    assert [is_skipped(take_over_night, at(night)) for night in ("2026-09-04T02:00", "2026-09-05T02:00")] == [
        True,
        False,
    ]
    assert not is_skipped(take_over_night, at("2026-09-04T02:00"), "backfill")


def test_a_pause_goes_with_the_monitor(monkeypatch: pytest.MonkeyPatch) -> None:
    pause = {"since": "2026-09-01T00:00:00+00:00", "until": "2026-09-03T00:00:00+00:00", "lasts": False}
    monkeypatch.setattr("hindsight.airflow.pauses._known", lambda: {"credit": pause})
    with pytest.raises(AirflowSkipException, match="credit_v2 was paused"):
        skip_if_paused(MONITOR, at("2026-09-02"), {"dag_run": SimpleNamespace(run_type="scheduled")})
