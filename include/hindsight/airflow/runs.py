"""Runs: what a DAG run is about, a window or a night, read from the run and never from the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from airflow.sdk.api.client import ServerResponseError
from airflow.sdk.exceptions import AirflowRuntimeError

from hindsight.errors import ConfigError
from hindsight.monitors.model import Monitor
from hindsight.verdicts.retraining import key_of
from hindsight.vocabulary.windows import Window, parse_moment

CHUNKS = 8  # tasks a night is spread over at most

Span = str  # the start of the first window and how many follow each other from there: short in an XCom


def window_of(monitor: Monitor, run: Mapping[str, Any], *, now: datetime) -> Window:
    """Return the window of a run: the one named by the parameter window_start, else the run's data interval.

    `run` is the task's context. Raises ConfigError where the run has neither, as a run triggered without a logical
    date, where that is no window of the monitor's grid, and where it may not be read yet at `now`.
    """
    wanted = run["params"].get("window_start")
    start = _moment(wanted, "window_start") if wanted else _interval(run, "window_start")[0]
    window = monitor.grid.window_at(start)
    if window.start != start or not (wanted or window.end == _interval(run, "window_start")[1]):
        raise ConfigError(
            f"{start:%Y-%m-%dT%H:%M:%SZ} starts no window of {monitor.name}; the window there is {window}"
        )
    if window.end + monitor.lateness > now:
        raise ConfigError(f"window {window} of {monitor.name} may be read from {window.end + monitor.lateness} on")
    return window


def night_of(run: Mapping[str, Any], *, now: datetime) -> datetime:
    """Return the moment a night is as of: the parameter as_of, else the end of the run's data interval.

    Raises ConfigError where the run has neither, and where it lies after `now`.
    """
    wanted = run["params"].get("as_of")
    as_of = _moment(wanted, "as_of") if wanted else _interval(run, "as_of")[1]
    if as_of > now:
        raise ConfigError(f"as_of {as_of} lies in the future: labels may still arrive before it")
    return as_of


def request_of(name: str, run: Mapping[str, Any]) -> str:
    """Return the key of the request a retraining run is for: the one it names, else its own, which is always the same.

    A run that names none was triggered by a person, whose wish it is.
    """
    return str(run["params"].get("request") or key_of(name, "run", run["run_id"]))


def asked_as_of(run: Mapping[str, Any], *, now: datetime) -> datetime:
    """Return the moment whose knowledge a person wants trained on: the parameter as_of, else when the run was made.

    Raises ConfigError where the parameter lies after `now`.
    """
    return night_of(run, now=now) if run["params"].get("as_of") else plain(run["dag_run"].run_after)


def start_run(ti: Any, dag_id: str, run_id: str, conf: Mapping[str, Any]) -> str:
    """Start a DAG run under its fixed id; return "" where it is there, also from before, else why it cannot start yet.

    What only its DAG can mend, that it is missing, broken, paused or takes no such run, is returned. Anything else, as
    an API that fails or cannot be reached, is raised as Airflow raises it. `ti` is the task instance that asks.
    """
    from airflow.sdk.execution_time.comms import TriggerDagRun
    from airflow.sdk.execution_time.task_runner import SUPERVISOR_COMMS  # is there once a task runs

    try:
        if ti.get_dag(dag_id).is_paused:
            return f"DAG {dag_id} is paused: its run starts once somebody unpauses it."
        SUPERVISOR_COMMS.send(TriggerDagRun(dag_id=dag_id, run_id=run_id, conf=dict(conf)))
    except (AirflowRuntimeError, ServerResponseError) as exc:
        if why := why_refused(dag_id, exc):
            return why
        raise
    return ""


def skip(*tasks: str) -> None:
    """Skip tasks of this run that have nothing to do, without a process to find that out in."""
    from airflow.sdk.execution_time.comms import SkipDownstreamTasks
    from airflow.sdk.execution_time.task_runner import SUPERVISOR_COMMS  # is there once a task runs

    SUPERVISOR_COMMS.send(SkipDownstreamTasks(tasks=list(tasks)))


def why_refused(dag_id: str, exc: AirflowRuntimeError | ServerResponseError) -> str:
    """Return why Airflow's API refused a run of a DAG, or "" where its answer is about something else."""
    status, said = _answer(exc)
    if status == HTTPStatus.NOT_FOUND:
        return f"DAG {dag_id} is missing: no file in the DAG folder makes it, or the one that does is broken."
    if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY):
        return f"DAG {dag_id} takes no run: {said.rstrip('.') or 'Airflow does not say why'}."
    return ""


def _answer(exc: AirflowRuntimeError | ServerResponseError) -> tuple[int | None, str]:
    """Status and message of Airflow's API, whose answer a task gets wrapped and a test run bare; None without one."""
    if isinstance(exc, ServerResponseError):
        told = {"status_code": exc.response.status_code, "detail": exc.response.json()}
    else:
        told = exc.error.detail or {}
    status, body = told.get("status_code"), told.get("detail")
    detail = body.get("detail") if isinstance(body, dict) else None
    return status, str(detail.get("message", "") if isinstance(detail, dict) else detail or "")


def is_paused(ti: Any) -> Callable[[str], bool]:
    """Return what asks Airflow, through a running task, whether a DAG is paused; one that is missing is not."""

    def ask(dag_id: str) -> bool:
        found = _dag(ti, dag_id)
        return found is not None and bool(found.is_paused)

    return ask


def is_known(ti: Any, dag_id: str) -> bool:
    """Ask Airflow, through a running task, whether it has a DAG of that id, be it made by a file still or not."""
    return _dag(ti, dag_id) is not None


def _dag(ti: Any, dag_id: str) -> Any:
    """Return what Airflow knows of a DAG, None for one that is missing."""
    try:
        return ti.get_dag(dag_id)
    except (AirflowRuntimeError, ServerResponseError) as exc:
        if _answer(exc)[0] == HTTPStatus.NOT_FOUND:
            return None
        raise


def plain(moment: datetime) -> datetime:
    """Return the same moment as a standard datetime in UTC: Airflow's own class does not divide by a timedelta."""
    return datetime.fromisoformat(moment.isoformat()).astimezone(UTC)


def to_chunks(windows: Sequence[Window], at_most: int = CHUNKS) -> list[list[Span]]:
    """Return the windows in at most so many lists of about equal length, as JSON; neighbours become one span."""
    size = -(-len(windows) // at_most)
    return [_spans(windows[i : i + size]) for i in range(0, len(windows), size or 1)]


def from_spans(monitor: Monitor, spans: Iterable[Span]) -> list[Window]:
    """Return the windows that `to_chunks` wrote."""
    pairs = (span.split() for span in spans)
    firsts = ((parse_moment(start), int(n) * monitor.window) for start, n in pairs)
    return [window for start, length in firsts for window in monitor.grid.starting_in(start, start + length)]


def _spans(windows: Sequence[Window]) -> list[Span]:
    joined: list[list[Window]] = []
    for window in windows:
        if joined and joined[-1][-1].end == window.start:
            joined[-1].append(window)
        else:
            joined.append([window])
    return [f"{neighbours[0].start.isoformat()} {len(neighbours)}" for neighbours in joined]


def _interval(run: Mapping[str, Any], parameter: str) -> tuple[datetime, datetime]:
    start, end = run.get("data_interval_start"), run.get("data_interval_end")
    if start is None or end is None or start == end:
        raise ConfigError(f"this run has no data interval: trigger it with a logical date, or with {parameter}")
    return plain(start), plain(end)


def _moment(text: str, parameter: str) -> datetime:
    try:
        return parse_moment(text)
    except ValueError as exc:
        raise ConfigError(f"{parameter}: expected a moment such as 2026-09-01T00:00Z, got {text!r}") from exc
