"""What a run is about: its window or its night, never the clock's."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
from airflow.sdk.execution_time.comms import ErrorResponse
from hypothesis import given
from hypothesis import strategies as st

from hindsight.airflow.runs import (
    asked_as_of,
    from_spans,
    night_of,
    request_of,
    to_chunks,
    why_refused,
    window_of,
)
from hindsight.errors import ConfigError
from tests.builders import a_monitor, a_window, at

NOW = at("2026-10-01")


def a_run(start: datetime | None = None, end: datetime | None = None, **params: str) -> dict[str, Any]:
    return {"params": params} | ({"data_interval_start": start, "data_interval_end": end} if start else {})


def test_a_scheduled_run_is_about_its_data_interval() -> None:
    run = a_run(at("2026-09-01"), at("2026-09-02"))

    assert window_of(a_monitor(), run, now=NOW) == a_window("2026-09-01")
    assert night_of(run, now=NOW) == at("2026-09-02")


@pytest.mark.parametrize("text", ["2026-09-03", "2026-09-03T00:00:00Z", "2026-09-03T02:00:00+02:00"])
def test_a_parameter_names_another_window(text: str) -> None:
    run = a_run(at("2026-09-01"), at("2026-09-02"), window_start=text, as_of=text)

    assert window_of(a_monitor(), run, now=NOW) == a_window("2026-09-03")
    assert night_of(run, now=NOW) == at("2026-09-03")


@pytest.mark.parametrize("run", [a_run(), a_run(at("2026-09-01"), at("2026-09-01"))])
def test_a_run_without_an_interval_is_refused(run: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"no data interval.*window_start"):
        window_of(a_monitor(), run, now=NOW)
    with pytest.raises(ConfigError, match=r"no data interval.*as_of"):
        night_of(run, now=NOW)


def test_an_interval_that_is_no_window_is_refused() -> None:
    with pytest.raises(ConfigError, match="2026-09-01T06:00:00Z starts no window of credit"):
        window_of(a_monitor(), a_run(at("2026-09-01T06:00"), at("2026-09-02T06:00")), now=NOW)
    with pytest.raises(ConfigError, match="starts no window"):
        window_of(a_monitor(), a_run(at("2026-09-01"), at("2026-09-01T06:00")), now=NOW)
    with pytest.raises(ConfigError, match="starts no window"):
        window_of(a_monitor(), a_run(window_start="2026-09-01T12:00"), now=NOW)


def test_what_is_not_over_yet_is_refused() -> None:
    with pytest.raises(ConfigError, match="may be read from 2026-10-02 00:10"):
        window_of(a_monitor(), a_run(window_start="2026-10-01"), now=NOW)
    with pytest.raises(ConfigError, match="in the future"):
        night_of(a_run(as_of="2026-10-02"), now=NOW)


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "' OR 1=1"])
def test_a_parameter_that_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="window_start: expected a moment"):
        window_of(a_monitor(), a_run(window_start=text), now=NOW)


def test_a_retraining_by_hand_is_a_request_of_its_own_which_is_always_the_same() -> None:
    by_hand, another = ({"params": dict[str, str](), "run_id": f"manual__{n}"} for n in (1, 2))

    assert request_of("credit", a_run(request="ab12")) == "ab12"
    assert request_of("credit", by_hand) == request_of("credit", dict(by_hand))
    assert len({request_of("credit", by_hand), request_of("credit", another), request_of("eta", by_hand)}) == 3


def test_a_retraining_knows_what_was_known_when_it_was_asked_for() -> None:
    triggered = {"dag_run": SimpleNamespace(run_after=NOW)}

    assert asked_as_of(a_run() | triggered, now=NOW) == NOW
    assert asked_as_of(a_run(as_of="2026-09-01") | triggered, now=NOW) == at("2026-09-01")
    with pytest.raises(ConfigError, match="in the future"):
        asked_as_of(a_run(as_of="2027-09-01") | triggered, now=NOW)


@given(days=st.sets(st.integers(0, 400)), at_most=st.integers(1, 10))
def test_chunks_hold_every_window_once_in_order(days: set[int], at_most: int) -> None:
    monitor = a_monitor()
    windows = [monitor.grid.window_at(at("2026-01-01") + timedelta(days=day)) for day in sorted(days)]
    chunks = json.loads(json.dumps(to_chunks(windows, at_most)))

    assert [window for chunk in chunks for window in from_spans(monitor, chunk)] == windows
    assert len(chunks) <= at_most
    assert all(chunks)


def test_a_year_of_short_windows_is_a_few_bytes() -> None:
    monitor = a_monitor(window="5m")
    windows = list(monitor.grid.starting_in(at("2026-01-01"), at("2027-01-01")))

    assert len(json.dumps(to_chunks(windows))) < 1000


def test_only_what_the_dag_itself_can_mend_makes_its_run_wait() -> None:
    def answered(status: int | None, **body: Any) -> str:
        detail = {"status_code": status, "detail": {"detail": body}}
        return why_refused("gone", AirflowRuntimeError(ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail=detail)))

    assert answered(404, reason="not_found").startswith("DAG gone is missing")
    broken = answered(400, reason="import_errors", message="Dag with dag_id 'gone' has import errors")
    assert broken == "DAG gone takes no run: Dag with dag_id 'gone' has import errors."
    assert answered(422) == "DAG gone takes no run: Airflow does not say why."
    assert [answered(status) for status in (401, 403, 500, 503, None)] == [""] * 5
    assert not why_refused("gone", AirflowRuntimeError(ErrorResponse(error=ErrorType.GENERIC_ERROR)))
