"""The notifier in a real Airflow: a user's DAG that fails is told of once, to whom its monitor is told."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hindsight.airflow.notifier import HindsightNotifier, occasion
from hindsight.errors import ConfigError
from hindsight.ledger.connect import open_engine
from hindsight.ledger.ledger import Ledger
from hindsight.ledger.records import Mail
from tests.builders import monitor_file
from tests.pipeline.world import sqlite

A_DAG = """
    from airflow.sdk import DAG, task
    from hindsight.airflow.notifier import HindsightNotifier

    with DAG("features", schedule=None, on_failure_callback=HindsightNotifier("credit", severity="P0")):

        @task(on_failure_callback=HindsightNotifier("credit"))
        def build():
            raise ValueError("no such table: raw_events")

        build()
"""


@pytest.fixture
def outbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_monitor: Callable[..., Path]) -> Callable[[], Any]:
    """A monitor that people are told of, and a ledger; return what is promised."""
    monkeypatch.setenv("AIRFLOW_CONN_HINDSIGHT_LEDGER", f"sqlite:///{tmp_path / 'ledger.db'}")
    ledger = Ledger(open_engine(sqlite(tmp_path, "ledger.db")))
    ledger.create()
    write_monitor(monitor_file(alerts={"email": ["risk@example.com", "ops@example.com"]}))
    return lambda: ledger.outbox("credit")


def test_a_failed_task_is_told_of_once_to_all_who_are_told_of_the_monitor(
    outbox: Callable[[], list[Mail]], airflow_database: None, tmp_path: Path
) -> None:
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    from airflow.utils.session import create_session

    (folder := tmp_path / "own").mkdir()
    (folder / "features.py").write_text(textwrap.dedent(A_DAG))
    bag = DagBag(str(folder))
    assert not bag.import_errors
    with create_session() as session:
        DagBundlesManager().sync_bundles_to_db(session=session)
    sync_bag_to_db(bag, "dags-folder", None)
    bag.dags["features"].test()

    mails = [mail for mail in outbox() if mail.subject.startswith("[P1]")]
    assert sorted(mail.recipient for mail in mails) == ["ops@example.com", "risk@example.com"]
    assert {mail.subject for mail in mails} == {"[P1] credit: features failed"}


def a_context(**more: Any) -> dict[str, Any]:
    run = {"dag_id": "features", "run_id": "r1"}
    return {"dag_run": run} | more


def test_words_are_templates_and_one_occasion_is_told_once(outbox: Callable[[], list[Mail]]) -> None:
    late = "{{ dag_run.dag_id }} is late"
    for _ in range(2):
        HindsightNotifier("credit", late, "deadline {{ deadline }}")(a_context(deadline="9:00"))
    HindsightNotifier("credit", late)(a_context(dag_run={"dag_id": "f", "run_id": "r2"}))
    assert [mail.subject for mail in outbox()] == 2 * ["[P1] credit: features is late"] + 2 * ["[P1] credit: f is late"]


def test_it_can_be_awaited_as_the_triggerer_does(outbox: Callable[[], list[Mail]]) -> None:
    notifier = HindsightNotifier("credit", "late", severity="P2")
    notifier.context = a_context()  # type: ignore[assignment]

    async def triggerer() -> None:
        await notifier

    asyncio.run(triggerer())
    assert [mail.subject for mail in outbox()] == 2 * ["[P2] credit: late"]


def test_an_unknown_monitor_and_a_severity_that_is_none_are_refused(outbox: Callable[[], list[Mail]]) -> None:
    with pytest.raises(ValueError, match="P9"):
        HindsightNotifier("credit", severity="P9")
    with pytest.raises(ConfigError, match="no monitor 'credt'"):
        HindsightNotifier("credt")(a_context())


def test_an_occasion_is_the_task_or_the_run_whatever_the_try() -> None:
    ti = {"dag_id": "d", "run_id": "r", "task_id": "t", "map_index": -1, "try_number": 3}
    assert occasion({"ti": ti}) == "d/r/t"
    assert occasion({"dag_run": {"dag_id": "d", "run_id": "r"}}) == "d/r"
    assert occasion({}) == ""


def test_one_notifier_tells_of_each_run_in_its_own_words(outbox: Callable[[], list[Mail]]) -> None:
    notifier = HindsightNotifier("credit", subject="{{ task }} broke", text="x")
    for task_id in ("t1", "t2"):
        ti = {"dag_id": "d", "run_id": "r", "task_id": task_id}
        notifier({"ti": ti, "task": task_id, "dag": None})
    assert {mail.subject for mail in outbox()} == {"[P1] credit: t1 broke", "[P1] credit: t2 broke"}


def test_a_template_that_is_none_keeps_nobody_from_being_told(outbox: Callable[[], list[Mail]]) -> None:
    notifier = HindsightNotifier("credit", subject="{{ nothing.of.this }} broke", text="{% if %}")
    notifier({"ti": {"dag_id": "d", "run_id": "r", "task_id": "t1"}, "dag": None})
    assert {mail.subject for mail in outbox()} == {"[P1] credit: about d/r/t1"}


def test_where_nobody_would_be_told_it_says_so(
    outbox: Callable[[], list[Mail]], write_monitor: Callable[..., Path]
) -> None:
    write_monitor(monitor_file(alerts={}))
    with pytest.raises(ConfigError, match=r"credit: nobody is told of P1 - set alerts.email"):
        HindsightNotifier("credit").notify({})
