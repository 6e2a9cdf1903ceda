"""hindsight__propose in a real Airflow: the form, who answers, what is written, and the monitor that comes of it."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight.airflow.connections import open_warehouse
from hindsight.airflow.pauses import drafts_off
from hindsight.errors import WarehouseError
from hindsight.pipeline.drafts import Asked, propose_draft
from hindsight.settings import read_settings
from tests.airflow.retraining_world import answering, says, says_nothing
from tests.airflow.runs import Parse, Write, states
from tests.builders import monitor_file
from tests.proposals.loans import LOANS, loans, make

Trigger = Callable[..., Any]
SECRET = "hunter2-of-the-warehouse"


@pytest.fixture
def drafts(sqlite_url: sa.URL, tmp_path: Path, write_monitor: Write, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of drafts of an installation whose warehouse has a log of loans."""
    make(sqlite_url, "loans", LOANS, loans(600))
    connection = {"conn_type": "sqlite", "host": str(sqlite_url.database), "password": SECRET}
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(connection))
    monkeypatch.setenv("HINDSIGHT_SUITES", str(tmp_path / "suites"))
    monkeypatch.setenv("HINDSIGHT_DRAFTS", str(tmp_path / "drafts"))
    return tmp_path / "drafts"


@pytest.fixture
def trigger(drafts: Path, parse: Parse) -> Trigger:
    return lambda **form: parse().dags["hindsight__propose"].test(run_conf={"table": "loans"} | form)


def returned(run: Any, task_id: str) -> dict[str, Any]:
    """What a task of a run returned."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    mine = sa.select(XComModel.value).where(XComModel.run_id == run.run_id, XComModel.task_id == task_id)
    with create_session() as session:
        value = session.scalars(mine.where(XComModel.key == "return_value")).one()
    found: dict[str, Any] = value if isinstance(value, dict) else json.loads(value)
    return found


def test_without_a_folder_of_drafts_there_is_no_such_dag(write_monitor: Write, parse: Parse) -> None:
    assert "hindsight__propose" not in parse().dags


def test_what_a_person_approves_is_a_monitor_whose_dags_are_paused(
    drafts: Path, trigger: Trigger, parse: Parse
) -> None:
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    def viewer_then_bea(asked: Any) -> None:
        says("Approve", "vic", role="VIEWER", status=403)(asked)
        says("Approve", "bea")(asked)

    waiting = answering(viewer_then_bea)
    run = trigger(name="lending", overrides="owner: risk-ml")
    waiting.join()

    assert run.state == "success", states(run)
    assert "approved by bea" in (drafts / "lending.yml").read_text().splitlines()[0]
    assert returned(run, "write")["written"] == str(drafts / "lending.yml")
    bag = parse()
    assert bag.import_errors == {}
    assert bag.dags["monitor__lending"].owner == "risk-ml"
    with create_session() as session:
        paused = sa.select(DagModel.is_paused).where(DagModel.dag_id == "monitor__lending")
        assert session.scalars(paused).all() == [True]


def test_what_is_shown_is_what_is_written_and_holds_no_secret(
    drafts: Path, trigger: Trigger, caplog: pytest.LogCaptureFixture
) -> None:
    asked: dict[str, str] = {}

    def read_then_approve(instance: Any) -> None:
        from airflow.models.hitl import HITLDetail
        from airflow.utils.session import create_session

        with create_session() as session:
            asked["body"] = session.scalars(sa.select(HITLDetail.body).where(HITLDetail.ti_id == instance.id)).one()
        says("Approve")(instance)

    waiting = answering(read_then_approve)
    with caplog.at_level(logging.INFO):
        run = trigger(name="shown")
    waiting.join()
    written = (drafts / "shown.yml").read_text()

    assert run.state == "success", states(run)
    assert written.partition("\n")[2] in asked["body"]
    assert "unique in 600 rows" in asked["body"]
    everything = [asked["body"], written, json.dumps(returned(run, "propose")), caplog.text]
    assert not [text for text in everything if SECRET in text]


@pytest.mark.parametrize("answer", [says("Reject"), says_nothing])
def test_without_a_yes_nothing_is_written(answer: Callable[[Any], None], drafts: Path, trigger: Trigger) -> None:
    waiting = answering(answer)
    run = trigger(name="unwanted")
    waiting.join()

    assert states(run)["write"] == "skipped"
    assert not drafts.exists()


def test_of_two_people_the_first_decides(drafts: Path, trigger: Trigger) -> None:
    def one_after_the_other(asked: Any) -> None:
        says("Approve", "ann")(asked)
        says("Reject", "bea", status=409)(asked)

    waiting = answering(one_after_the_other)
    run = trigger(name="twice")
    waiting.join()

    assert run.state == "success", states(run)
    assert "approved by ann" in (drafts / "twice.yml").read_text()


@pytest.mark.parametrize(
    "form",
    [
        {"overrides": "retrain: {train: 'os:system'}"},
        {"overrides": "ownr: x"},
        {"table": "nope"},
        {"table": 'lo"ans'},
        {"connection": "hindsight_ledger"},
        {"connection": "nowhere"},
    ],
)
def test_what_cannot_be_proposed_fails_at_once_and_nobody_is_asked(
    form: dict[str, str], drafts: Path, trigger: Trigger
) -> None:
    run = trigger(name="unmade", **form)

    assert (run.state, states(run)["approve"]) == ("failed", "upstream_failed")
    assert [ti.try_number for ti in run.get_task_instances() if ti.task_id == "propose"] == [1]
    assert not drafts.exists()


def test_a_warehouse_out_of_reach_is_told_without_its_secret(drafts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", f"postgresql://ann:{SECRET}@127.0.0.1:1/shop")
    settings = read_settings()
    with pytest.raises(WarehouseError, match=r"127\.0\.0\.1") as caught:
        propose_draft(Asked(connection="warehouse", table="x"), lambda id: open_warehouse(id, settings), settings)

    assert SECRET not in "".join(traceback.format_exception(caught.value))  # which Airflow keeps with the task


@pytest.mark.parametrize(
    "form",
    [
        {"name": "../../etc/cron"},
        {"name": "Credit"},
        {"connection": "postgresql://user:secret@host/db"},
        {"table": ""},
        {"table": None},
    ],
)
def test_airflow_refuses_a_form_that_is_no_form(form: dict[str, Any], drafts: Path, trigger: Trigger) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    with pytest.raises(ParamValidationError):
        trigger(**form)


def test_a_monitor_of_that_name_stays_as_it_is(drafts: Path, trigger: Trigger, write_monitor: Write) -> None:
    path = write_monitor(monitor_file())
    before = path.read_text()
    run = trigger(name="credit")

    assert run.state == "failed"
    assert path.read_text() == before
    assert not drafts.exists()


def test_a_name_that_airflow_still_knows_is_not_gone_on_with(
    drafts: Path, trigger: Trigger, write_monitor: Write, parse: Parse
) -> None:
    path = write_monitor(monitor_file(name="of_old"))
    parse()
    path.unlink()

    assert trigger(name="of_old").state == "failed"


def test_a_broken_draft_takes_away_only_itself(drafts: Path, write_monitor: Write, parse: Parse) -> None:
    write_monitor(monitor_file())
    drafts.mkdir()
    (drafts / "bad.yml").write_text("name: bad\ntrusted: [os.PathLike]\n")
    bag = parse()

    assert "monitor__credit" in bag.dags
    (error,) = bag.import_errors.values()
    assert f"{drafts / 'bad.yml'}:2 trusted" in error


def test_nobody_waits_for_drafts_that_are_paused(drafts: Path) -> None:
    drafts.mkdir()
    files = {name: drafts / f"{name}.yml" for name in ("off", "on")} | {"credit": drafts.parent / "credit.yml"}

    assert drafts_off(files, lambda dag: dag != "monitor__on") == {"off"}
