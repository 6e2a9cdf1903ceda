"""Reviews are asked for on Mondays or firsts of the month, by what the environment says, of the time before the run."""

from __future__ import annotations

import pytest

from hindsight.airflow import tasks
from hindsight.settings import reviewed
from tests.airflow.runs import Parse, Recorded, Write
from tests.builders import at, monitor_file


@pytest.mark.parametrize(
    ("said", "schedule"), [("", "0 6 * * 1"), ("weekly", "0 6 * * 1"), ("monthly", "0 6 1 * *"), (" OFF ", None)]
)
def test_how_often_is_said_in_the_environment(
    said: str, schedule: str | None, write_monitor: Write, parse: Parse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HINDSIGHT_REVIEW", said)
    write_monitor(monitor_file())
    dag = parse().dags.get("hindsight__review")
    assert (dag and dag.schedule) == schedule
    assert "hindsight__relay" in parse().dags


def test_a_run_tells_of_the_week_that_was_over_before_it(
    write_monitor: Write, parse: Parse, use_cases: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "now", lambda: at("2026-11-30T06:00"))
    write_monitor(monitor_file())
    parse().dags["hindsight__review"].test(logical_date=at("2026-11-30T06:00"))
    assert ("send_reviews", ["credit"], "2026-W48") in use_cases.calls


def test_what_is_not_known_means_weekly() -> None:
    assert [reviewed({"HINDSIGHT_REVIEW": said}) for said in ("yearly", "monthly", "off")] == ["week", "month", None]
