"""Pausing in the file: what was due meanwhile is not caught up, what is asked for by hand is done."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from hindsight.airflow.pauses import noted, paused_in_airflow, resumed, skip_if_paused
from hindsight.pipeline.act.delivery import Delivery
from tests.builders import a_monitor, at
from tests.ledgers import a_ledger
from tests.pipeline.world import sqlite

MINUTE = timedelta(minutes=2)
MONDAY, TUESDAY, THURSDAY = at("2026-09-07"), at("2026-09-08"), at("2026-09-10")


def a_pause(since: Any, until: Any, *, lasts: bool) -> dict[str, dict[str, Any]]:
    return {"credit": {"since": since.isoformat(), "until": until.isoformat(), "lasts": lasts}}


def test_a_pause_grows_as_long_as_it_lasts() -> None:
    paused = [a_monitor(state="paused")]
    pauses: dict[str, dict[str, Any]] = {}
    for k in range(4):
        pauses = noted(pauses, paused, MONDAY + k * MINUTE)

    assert pauses == a_pause(MONDAY, MONDAY + 3 * MINUTE, lasts=True)


def test_it_is_remembered_when_it_is_over_and_another_begins_anew() -> None:
    over = noted(a_pause(MONDAY, TUESDAY, lasts=True), [a_monitor()], THURSDAY)
    again = noted(over, [a_monitor(state="paused")], THURSDAY)

    assert over == a_pause(MONDAY, TUESDAY, lasts=False)
    assert again["credit"] == a_pause(THURSDAY, THURSDAY, lasts=True)["credit"] | {
        "earlier": [[MONDAY.isoformat(), TUESDAY.isoformat()]]
    }


def test_monitors_that_were_never_paused_leave_nothing() -> None:
    assert noted({}, [a_monitor(), a_monitor(name="other", state="archived")], MONDAY) == {}


def skipped(due: Any, run_type: str = "scheduled", name: str = "credit") -> bool:
    try:
        skip_if_paused(a_monitor(name=name), due, {"dag_run": SimpleNamespace(run_type=run_type)})
    except AirflowSkipException:
        return True
    return False


def test_only_what_was_due_in_the_pause_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_HINDSIGHT_PAUSES", json.dumps(a_pause(MONDAY, THURSDAY, lasts=False)))

    assert [skipped(MONDAY - MINUTE), skipped(MONDAY), skipped(TUESDAY), skipped(THURSDAY + MINUTE)] == [
        False,
        True,
        True,
        False,
    ]
    assert not skipped(TUESDAY, name="other")


@pytest.mark.parametrize("run_type", ["manual", "backfill"])
def test_the_gap_can_be_filled_on_purpose(run_type: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_HINDSIGHT_PAUSES", json.dumps(a_pause(MONDAY, THURSDAY, lasts=False)))

    assert not skipped(TUESDAY, run_type)


def test_it_is_known_when_each_monitor_went_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_HINDSIGHT_PAUSES", json.dumps(a_pause(MONDAY, THURSDAY, lasts=False)))

    assert resumed() == {"credit": THURSDAY}


def test_a_dag_paused_in_airflow_is_a_pause_and_its_silence_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    paused = noted({}, [a_monitor()], MONDAY, {"credit"})
    lasting = noted(paused, [a_monitor()], TUESDAY, {"credit"})
    over = noted(lasting, [a_monitor()], THURSDAY)

    assert (lasting["credit"]["since"], lasting["credit"]["until"]) == (MONDAY.isoformat(), TUESDAY.isoformat())
    for pauses, known in ((lasting, {}), (over, {"credit": TUESDAY})):
        monkeypatch.setenv("AIRFLOW_VAR_HINDSIGHT_PAUSES", json.dumps(pauses))
        assert resumed() == known
        assert skipped(TUESDAY)


def test_all_dags_are_asked_once_an_hour_and_those_that_were_paused_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monitors = [a_monitor(name=name) for name in ("credit", "fraud")] + [a_monitor(name="old", state="archived")]
    asked: list[str] = []

    def is_paused(dag_id: str) -> bool:
        asked.append(dag_id)
        return dag_id == "monitor__fraud"

    monkeypatch.setenv("AIRFLOW_VAR_HINDSIGHT_PAUSES", json.dumps(a_pause(MONDAY, TUESDAY, lasts=True)))
    assert paused_in_airflow(monitors, is_paused) == {"fraud"}
    assert asked == ["monitor__credit", "monitor__fraud"]
    asked.clear()
    assert paused_in_airflow(monitors, is_paused, asks_all=False) == set()
    assert asked == ["monitor__credit"]


def test_what_was_due_in_an_earlier_pause_is_skipped_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    paused, active = [a_monitor(state="paused")], [a_monitor()]
    pauses = noted({}, paused, MONDAY)
    pauses = noted(pauses, active, TUESDAY)
    pauses = noted(pauses, paused, THURSDAY)
    monkeypatch.setenv("AIRFLOW_VAR_HINDSIGHT_PAUSES", json.dumps(pauses))
    assert [skipped(moment) for moment in (MONDAY, TUESDAY, THURSDAY)] == [True, False, True]


def test_nobody_ever_paused_skips_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_VAR_HINDSIGHT_PAUSES", raising=False)

    assert not skipped(TUESDAY)


def test_the_relay_notes_pauses(
    write_monitor: Any, parse: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import sqlalchemy as sa
    from airflow.models.dag import DagModel
    from airflow.models.variable import Variable
    from airflow.utils.session import create_session

    from hindsight import pipeline
    from tests.builders import monitor_file

    resources = SimpleNamespace(ledger=a_ledger(sqlite(tmp_path, "ledger.db")))
    monkeypatch.setattr("hindsight.airflow.tasks.open_resources", lambda: resources)
    monkeypatch.setattr(pipeline, "deliver", lambda *a, **k: Delivery())
    monkeypatch.setattr(pipeline, "pending_starts", lambda resources: [])
    for nothing in ("watch_over", "tell_what_lasts", "post_alerts"):
        monkeypatch.setattr(pipeline, nothing, lambda *a, **k: {})
    monkeypatch.setattr("hindsight.airflow.tasks.now", lambda: THURSDAY)
    for name in ("sleeper", "stopped", "awake"):
        write_monitor(monitor_file(name=name, state="paused" if name == "sleeper" else "active"))
    dags = parse().dags
    with create_session() as session:
        session.execute(sa.update(DagModel).where(DagModel.dag_id == "monitor__stopped").values(is_paused=True))
    run = dags["hindsight__relay"].test()

    assert run.state == "success"
    pauses = json.loads(Variable.get("hindsight_pauses"))
    assert {name for name, pause in pauses.items() if pause["lasts"]} >= {"sleeper", "stopped"}
    assert "awake" not in pauses
    assert pauses["stopped"]["in_airflow"] is True
