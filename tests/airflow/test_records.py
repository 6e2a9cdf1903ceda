"""What Airflow's own database says of a monitor's DAGs, for the page of whoever looks for a fault."""

from __future__ import annotations

import pytest

from hindsight.airflow.records import NEWEST, runs_of
from hindsight.errors import ConfigError
from tests.airflow.runs import Parse, Recorded, Write
from tests.builders import DAY, at, monitor_file


def test_a_run_that_failed_leads_to_the_log_of_its_task(
    write_monitor: Write, parse: Parse, use_cases: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://ml.example.com/airflow")
    write_monitor(monitor_file(name="faulty"))
    use_cases.error = ConfigError("no such table")
    run = parse().dags["monitor__faulty"].test(run_conf={"window_start": "2026-09-01T00:00:00Z"})
    (found,) = runs_of(["monitor__faulty", "labels__faulty"])

    assert (found.dag.text, found.state) == ("monitor__faulty", "failed")
    assert found.dag.href == "/airflow/dags/monitor__faulty"
    assert "window" in [task.text for task in found.failed]
    assert found.failed[0].href.startswith(f"{found.dag.href}/runs/")
    assert run.run_id not in found.run.href  # its colons and plus signs are written for an address
    assert found.lasted is not None


def test_a_run_says_its_window_and_of_each_dag_the_newest_are_shown(write_monitor: Write, parse: Parse) -> None:
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    write_monitor(monitor_file(name="steady"))
    parse()
    with create_session() as session:
        for day in range(NEWEST + 3):
            start = at("2026-09-01") + day * DAY
            for kind in ("monitor", "labels"):
                interval = (start, start + DAY)
                session.add(
                    DagRun(
                        dag_id=f"{kind}__steady",
                        run_id=f"r{day}",
                        run_type="manual",
                        state="success",
                        run_after=start + DAY,
                        logical_date=start,
                        data_interval=interval,
                    )
                )
    found = runs_of(["monitor__steady", "labels__steady"])
    of_windows = [run.about for run in found if run.dag.text == "monitor__steady"]

    assert len(found) == 2 * NEWEST
    assert of_windows[0] == f"{at('2026-09-01') + (NEWEST + 2) * DAY:%Y-%m-%d} 00:00"
    assert next(run.about for run in found if run.dag.text == "labels__steady").startswith("night 2026-09-12")
    assert runs_of([]) == ()
