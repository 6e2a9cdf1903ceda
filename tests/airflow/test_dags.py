"""The DAGs of monitor files: what is built, when it runs, and what a broken file takes away."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hindsight.airflow.timetable import WindowTimetable
from tests.airflow.runs import as_scheduled
from tests.builders import at, monitor_file

ROOT = Path(__file__).parents[2]
OWN = {"hindsight__relay", "hindsight__maintenance", "hindsight__review"}
Write = Callable[[dict[str, Any] | str], Path]
Parse = Callable[[], Any]
RETRAIN = {"train": "lending.models:train"}


def test_one_monitor_file_is_four_dags(write_monitor: Write, parse: Parse) -> None:
    write_monitor(monitor_file(retrain=RETRAIN))
    bag = parse()

    assert bag.import_errors == {}
    assert set(bag.dags) == {"monitor__credit", "labels__credit", "retrain__credit", "rollback__credit"} | OWN


def test_without_labels_or_retraining_there_is_nothing_to_do_for_them(write_monitor: Write, parse: Parse) -> None:
    file = monitor_file()
    del file["source"]["labels"], file["labels"]
    write_monitor(file)

    assert set(parse().dags) == {"monitor__credit"} | OWN


def test_a_retraining_dag_of_the_users_is_not_built_twice(write_monitor: Write, parse: Parse) -> None:
    write_monitor(monitor_file(retrain=RETRAIN | {"dag": "train_credit"}))

    assert "retrain__credit" not in parse().dags


def test_windows_are_scheduled_from_start_to_end(write_monitor: Write, parse: Parse) -> None:
    write_monitor(monitor_file(window="6h", lateness="20m", end="2026-09-03"))
    dag = as_scheduled(parse().dags["monitor__credit"])
    infos = list(dag.iter_dagrun_infos_between(None, at("2026-09-02T23:59")))

    assert isinstance(dag.timetable, WindowTimetable)
    assert [info.data_interval.start for info in infos] == [at("2026-09-01") + k * timedelta(hours=6) for k in range(8)]
    assert infos[0].run_after == at("2026-09-01T06:20")
    last = dag.next_dagrun_info(last_automated_run_info=infos[-1])
    assert last is None
    assert dag.catchup


def test_without_a_start_nothing_is_caught_up(write_monitor: Write, parse: Parse) -> None:
    file = monitor_file()
    del file["start"]
    write_monitor(file)
    dags = parse().dags

    assert not dags["monitor__credit"].catchup
    assert not dags["labels__credit"].catchup


def test_nights_follow_their_schedule_one_at_a_time(write_monitor: Write, parse: Parse) -> None:
    write_monitor(monitor_file(labels={"schedule": "30 4 * * *"}))
    dag = parse().dags["labels__credit"]
    serialized = as_scheduled(dag)
    first = next(iter(serialized.iter_dagrun_infos_between(None, at("2026-09-09"))))

    assert dag.max_active_runs == 1
    assert first.data_interval == (at("2026-09-01T04:30"), at("2026-09-02T04:30"))


def test_a_paused_monitor_keeps_its_dags_and_schedules_nothing(write_monitor: Write, parse: Parse) -> None:
    write_monitor(monitor_file(state="paused"))
    dags = parse().dags

    assert not dags["monitor__credit"].timetable.can_be_scheduled
    assert not dags["labels__credit"].timetable.can_be_scheduled
    assert "Paused in its file" in dags["monitor__credit"].doc_md


def test_an_archived_monitor_has_no_dag(write_monitor: Write, parse: Parse) -> None:
    write_monitor(monitor_file(state="archived"))

    assert set(parse().dags) == OWN


def test_a_broken_file_takes_away_only_its_own_dags_and_shows_as_an_import_error(
    write_monitor: Write, parse: Parse
) -> None:
    write_monitor(monitor_file())
    broken = write_monitor("name: fraud\nmodel: {name: fraud, task: binry}\n")
    bag = parse()

    assert {"monitor__credit", "labels__credit"} <= set(bag.dags)
    (error,) = bag.import_errors.values()
    assert str(broken) in error
    assert "binry" in error


def test_an_import_error_of_a_monitor_file_does_not_stop_the_others(write_monitor: Write, parse: Parse) -> None:
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    write_monitor(monitor_file())
    write_monitor("nonsense")
    parse()
    with create_session() as session:
        model = session.get(DagModel, "monitor__credit")

        assert model is not None
        assert not model.has_import_errors
        assert not model.is_stale


def test_two_files_of_one_name_are_both_left_out(write_monitor: Write, parse: Parse, tmp_path: Path) -> None:
    first = write_monitor(monitor_file())
    first.with_name("again.yml").write_text(first.read_text())

    bag = parse()
    assert set(bag.dags) == OWN
    assert "names must differ" in next(iter(bag.import_errors.values()))


def test_a_task_builds_only_its_own_dag(write_monitor: Write, parse: Parse, monkeypatch: pytest.MonkeyPatch) -> None:
    write_monitor(monitor_file())
    write_monitor(monitor_file(name="other"))
    write_monitor("broken")
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "labels__other")
    bag = parse()

    assert set(bag.dags) - OWN == {"labels__other"}
    assert bag.import_errors == {}


@pytest.mark.parametrize("name", ["monitor", "labels", "retrain", "rollback"])
def test_dags_say_what_they_do_and_whose_they_are(name: str, write_monitor: Write, parse: Parse) -> None:
    write_monitor(monitor_file(owner="risk-ml", description="Probability of default", tags=["eu"], retrain=RETRAIN))
    dag = parse().dags[f"{name}__credit"]

    assert dag.owner == "risk-ml"
    assert dag.owner_links == {"risk-ml": "mailto:risk-ml@example.com"}
    assert "Probability of default" in dag.doc_md
    assert "https://wiki.example.com/credit" in dag.doc_md
    assert dag.dag_display_name.startswith("credit")
    assert {"hindsight", "binary", "eu"} <= dag.tags
    assert all(task.doc_md for task in dag.tasks)


def test_rules_are_documented_where_they_are_judged(write_monitor: Write, parse: Parse) -> None:
    write_monitor(monitor_file(rules=[{"id": "slow", "metric": "operations.latency_p99_ms", "above": 900, "for": 3}]))
    dags = parse().dags

    assert "| slow | operations.latency_p99_ms ≥ 900, 3 windows in a row |" in dags["monitor__credit"].doc_md
    assert "| accuracy_drop | performance.accuracy drops by 15% | P0 |" in dags["labels__credit"].doc_md
    assert "accuracy_drop" not in dags["monitor__credit"].doc_md


def test_approval_is_asked_for_where_the_file_says_so(write_monitor: Write, parse: Parse) -> None:
    write_monitor(monitor_file(retrain=RETRAIN))
    write_monitor(monitor_file(name="free", retrain=RETRAIN | {"approval": False}))
    dags = parse().dags

    assert [dags[f"retrain__{name}"].get_task("approve").asks for name in ("credit", "free")] == [True, False]


def test_the_tasks_of_a_run_are_the_same_whatever_the_file_says(write_monitor: Write, parse: Parse) -> None:
    much = {"quality": {"suite": "credit"}, "reference": {"start": "2026-08-01", "end": "2026-09-01"}}
    write_monitor(monitor_file(retrain=RETRAIN | {"approval": False}))
    write_monitor(monitor_file(name="much", retrain=RETRAIN, **much))
    dags = parse().dags

    for kind in ("monitor", "labels", "retrain", "rollback"):
        assert dags[f"{kind}__credit"].task_dict.keys() == dags[f"{kind}__much"].task_dict.keys()
    assert dags["monitor__credit"].task_dict.keys() == {"window", "documents"}


def test_nights_without_a_written_schedule_begin_at_a_minute_of_their_name(write_monitor: Write, parse: Parse) -> None:
    names = [f"credit_{k}" for k in range(30)]
    for name in names:
        write_monitor(monitor_file(name=name))
    dags = parse().dags
    begun = [as_scheduled(dags[f"labels__{name}"]).timetable.summary.split()[:2] for name in names]

    assert {hour for _, hour in begun} == {"2", "3"}
    assert len({tuple(moment) for moment in begun}) > 20


_PARSE = """
import sys, time
import airflow.settings
from airflow.dag_processing.dagbag import DagBag
before = set(sys.modules)
begun = time.process_time()
bag = DagBag(sys.argv[1])
seconds = time.process_time() - begun
assert not bag.import_errors, bag.import_errors
heavy = {"pandas", "numpy", "pyarrow", "scipy", "sklearn", "great_expectations", "evidently", "plotly", "matplotlib"}
print(len(bag.dags), seconds, sorted(heavy & set(sys.modules)))
"""


def test_parsing_is_quick_and_imports_nothing_heavy(write_monitor: Write, airflow_environment: None) -> None:
    for k in range(20):
        write_monitor(monitor_file(name=f"credit_{k}", retrain=RETRAIN))
    done = subprocess.run(
        [sys.executable, "-c", _PARSE, str(ROOT / "dags")],
        capture_output=True,
        text=True,
        check=True,
        env=_environment(),
    )
    dags, seconds, heavy = done.stdout.strip().splitlines()[-1].split(" ", 2)

    assert (int(dags), heavy) == (83, "[]")
    assert float(seconds) < 3  # of processor time, so that a busy machine does not fail it


def _environment() -> dict[str, str]:
    import os

    return dict(os.environ) | {"PYTHONPATH": str(ROOT / "include")}
