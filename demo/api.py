"""Api: what the demo asks of Airflow's REST API: is it up, has it caught up, does somebody wait for an answer?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx

ACTIVE = ("queued", "running")
UPKEEP = {"hindsight__relay", "hindsight__maintenance"}  # these never rest


class AirflowApi:
    """Airflow at `url`, signed in as admin."""

    def __init__(self, url: str, password: str) -> None:
        self._password = password
        self._client = httpx.Client(base_url=url, timeout=30)

    def is_up(self) -> bool:
        """Whether the API answers and every component reports healthy."""
        try:
            answer = self._client.get("/api/v2/monitor/health")
        except httpx.TransportError:
            return False
        if answer.status_code != 200:
            return False
        health: dict[str, dict[str, Any]] = answer.json()
        return all(health[part]["status"] == "healthy" for part in ("metadatabase", "scheduler", "dag_processor"))

    def dags(self) -> list[dict[str, Any]]:
        """Return Hindsight's DAGs, those of the plugin's own upkeep included."""
        return list(self._pages("/api/v2/dags", "dags", tags="hindsight"))

    def runs(self, *states: str) -> list[dict[str, Any]]:
        """Return the runs of all DAGs, in any of the states where some are named."""
        filters = {"state": list(states)} if states else {}
        return list(self._pages("/api/v2/dags/~/dagRuns", "dag_runs", **filters))

    def import_errors(self) -> list[str]:
        """Return what is wrong with DAG files."""
        return [error["stack_trace"] for error in self._pages("/api/v2/importErrors", "import_errors")]

    def failed_tasks(self, run: dict[str, Any]) -> list[str]:
        """Return the names of the tasks of a run that failed themselves."""
        path = f"/api/v2/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances"
        return [task["task_id"] for task in self._pages(path, "task_instances") if task["state"] == "failed"]

    def tasks_done(self) -> int:
        """Return how many tasks have succeeded so far."""
        path = "/api/v2/dags/~/dagRuns/~/taskInstances"
        return int(self._ask("GET", path, params={"state": "success", "limit": 1})["total_entries"])

    def unpause(self, dag_id: str) -> None:
        """Let a DAG run."""
        self._ask("PATCH", f"/api/v2/dags/{dag_id}", json={"is_paused": False})

    def approve_all(self) -> list[str]:
        """Answer every question that waits for a person with Approve; return the runs whose question this was."""
        path = "/api/v2/dags/~/dagRuns/~/hitlDetails"
        waiting = [detail["task_instance"] for detail in self._pages(path, "hitl_details", response_received="false")]
        return [task["dag_run_id"] for task in waiting if self._approve(task)]

    def _approve(self, task: dict[str, Any]) -> bool:
        path = f"/api/v2/dags/{task['dag_id']}/dagRuns/{task['dag_run_id']}/taskInstances/{task['task_id']}"
        answer = {"chosen_options": ["Approve"], "params_input": {}}
        try:
            self._ask("PATCH", f"{path}/{task['map_index']}/hitlDetails", json=answer)
        except httpx.HTTPStatusError as exc:
            if exc.response.status_code != httpx.codes.CONFLICT:
                raise
            return False  # somebody has answered in the meantime
        return True

    def _pages(self, path: str, key: str, **filters: Any) -> Iterator[dict[str, Any]]:
        offset = 0
        while True:
            page = self._ask("GET", path, params={**filters, "limit": 100, "offset": offset})
            yield from page[key]
            offset += 100
            if offset >= page["total_entries"]:
                return

    def _ask(self, method: str, path: str, **rest: Any) -> dict[str, Any]:
        answer = self._client.request(method, path, **rest)
        if answer.status_code == 401:
            self._sign_in()
            answer = self._client.request(method, path, **rest)
        answer.raise_for_status()
        content: dict[str, Any] = answer.json()
        return content

    def _sign_in(self) -> None:
        answer = self._client.post("/auth/token", json={"username": "admin", "password": self._password})
        answer.raise_for_status()
        self._client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"


def is_caught_up(dags: list[dict[str, Any]], runs: list[dict[str, Any]], *, now: datetime) -> bool:
    """Whether every monitor's DAGs have made all the runs due before `now` and none is under way.

    What a DAG says counts when it was parsed after `now`, and of one that will never run again once it has run.
    """
    ours = [dag for dag in dags if dag["dag_id"].startswith(("monitor__", "labels__"))]
    busy = {run["dag_id"] for run in runs if run["state"] in ACTIVE} - UPKEEP
    begun = {run["dag_id"] for run in runs}
    return bool(ours) and not busy and not any(_is_behind(dag, begun, now) for dag in ours)


def _is_behind(dag: dict[str, Any], begun: set[str], now: datetime) -> bool:
    if datetime.fromisoformat(dag["last_parsed_time"]) < now:
        return True
    due = dag["next_dagrun_run_after"]
    return dag["dag_id"] not in begun if due is None else datetime.fromisoformat(due) <= now
