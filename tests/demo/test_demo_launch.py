"""The demo's launcher: what it starts it stops, mail is kept, secrets are private, and the summary tells the truth."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from io import StringIO
from pathlib import Path
from typing import Any

import aiosmtplib
import psutil
import pytest
import sqlalchemy as sa
from rich.console import Console

from demo import mailbox, stack
from demo.api import is_caught_up
from demo.places import Places
from demo.plan import Plan, Planted
from demo.processes import Children, DemoError, Step, clean_up, ending_on_signals
from demo.summary import Summary, failed, match, show
from hindsight.verdicts.model import Incident, Series, State
from hindsight.vocabulary.severity import Severity
from tests.builders import DAY, HOUR, at

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def children(tmp_path: Path) -> Any:
    kept = Children(tmp_path / "logs", tmp_path / "pids.json")
    yield kept
    kept.stop()


def python(code: str, name: str = "step") -> Step:
    return Step(name, [sys.executable, "-c", code], dict(os.environ))


def grandchild(children: Children, name: str) -> int:
    """Wait until the process has told its child's pid."""
    log = children.logs / f"{name}.log"
    deadline = time.monotonic() + 20
    while not (text := log.read_text().strip()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return int(text)


def is_alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("code", [PARENT, PARENT.replace('60)"])', '60)"], start_new_session=True)')])
def test_stopping_ends_whole_groups_and_groups_begun_by_them(children: Children, code: str) -> None:
    step = python(code, "parent")
    parent = children.start(step.name, step.command, step.env)
    child = grandchild(children, "parent")
    children.stop()
    assert not is_alive(parent.pid)
    assert not is_alive(child)
    assert not children.pids.exists()


def test_what_a_killed_demo_left_is_ended_by_the_next(children: Children) -> None:
    step = python(PARENT, "parent")
    parent = children.start(step.name, step.command, step.env)
    child = grandchild(children, "parent")
    assert clean_up(children.pids) == 1
    parent.wait()
    assert not is_alive(child)
    assert clean_up(children.pids) == 0


def test_a_pid_that_was_given_to_somebody_else_is_left_alone(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    try:
        pids = tmp_path / "pids.json"
        pids.write_text(json.dumps([{"pid": other.pid, "born": 1.0}]))
        assert clean_up(pids) == 0
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_chains_run_side_by_side_and_each_in_its_order(children: Children, tmp_path: Path) -> None:
    note = "import sys; open(sys.argv[1], 'a').write(sys.argv[2])"

    def step(chain: str, part: str) -> Step:
        command = [sys.executable, "-c", note, str(tmp_path / chain), part]
        return Step(f"{chain}-{part}", command, dict(os.environ))

    children.run([[step("a", "1"), step("a", "2")], [step("b", "1")]])
    assert (tmp_path / "a").read_text() == "12"
    assert (tmp_path / "b").read_text() == "1"


def test_a_failed_step_says_what_it_printed(children: Children) -> None:
    with pytest.raises(DemoError, match=r"(?s)broken failed with exit code 3:\nthe reason.*broken\.log"):
        children.run([[python("print('the reason'); raise SystemExit(3)", "broken")]])


def test_a_process_that_died_is_noticed(children: Children) -> None:
    step = python("raise SystemExit(1)", "airflow")
    children.start(step.name, step.command, step.env).wait()
    with pytest.raises(DemoError, match="airflow stopped with exit code 1"):
        children.check()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_leave_through_the_way_that_stops_everything(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), ending_on_signals():
        signal.raise_signal(number)
    assert signal.getsignal(number) == before


def interrupted_twice(stopped: list[bool]) -> None:
    with ending_on_signals():
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)
            stopped.append(True)


def test_a_second_signal_does_not_break_off_the_stopping() -> None:
    stopped: list[bool] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted_twice(stopped)
    assert stopped


def a_mail(subject: str, text: str = "accuracy fell") -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = subject, "hindsight@example.com", "risk-ml@example.com"
    mail.set_content(text)
    return mail


def test_mail_is_kept_and_shown_and_none_of_it_is_markup(tmp_path: Path) -> None:
    with mailbox.serving(tmp_path, port=18025) as port:
        for mail in (a_mail("[P0] credit_default <script>", "see <b>this</b>"), a_mail("[P2] digest")):
            asyncio.run(aiosmtplib.send(mail, hostname="127.0.0.1", port=port, start_tls=False))
    assert [str(mail["Subject"]) for _, mail in mailbox.mails(tmp_path)] == [
        "[P0] credit_default <script>",
        "[P2] digest",
    ]
    page = (tmp_path / "index.html").read_text()
    assert "2 mails" in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert "see &lt;b&gt;this&lt;/b&gt;" in page


def test_a_taken_port_is_passed_over(tmp_path: Path) -> None:
    with mailbox.serving(tmp_path, port=18125) as port:
        assert mailbox.free_port(port) > port


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    server = sa.URL.create("postgresql+psycopg", username="postgres", query={"host": "/run/pg"})
    places = Places(tmp_path)
    base = stack.environment(places, server, smtp_port=1025, since=at("2026-11-13"))
    return stack.airflow_environment(base, places, server, port=8081)


def test_airflow_listens_on_loopback_only_and_takes_nothing_from_the_users_own(environment: dict[str, str]) -> None:
    assert environment["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:8081/execution/"
    assert environment["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].endswith("/airflow?host=%2Frun%2Fpg")


def test_connections_lead_to_the_demos_own_servers(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hindsight.airflow.connections import database_url, ledger_url, require
    from hindsight.settings import read_settings

    for name in ("AIRFLOW_CONN_WAREHOUSE", "AIRFLOW_CONN_HINDSIGHT_LEDGER", "AIRFLOW_CONN_HINDSIGHT_SMTP"):
        monkeypatch.setenv(name, environment[name])
    settings = read_settings(environment)
    url = database_url(require("warehouse"), settings)
    assert (url.database, url.query["host"]) == ("warehouse", "/run/pg")
    assert ledger_url(settings).database == "ledger"
    assert (settings.data, settings.monitors) == (str(tmp_path), tmp_path / "demo" / "monitors")


def test_secrets_are_made_once_and_private(environment: dict[str, str], tmp_path: Path) -> None:
    places = Places(tmp_path)
    assert stack.password(places) == stack.password(places)
    for path in (places.passwords, places.secrets):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    server = sa.URL.create("postgresql+psycopg", query={"host": "/run/pg"})
    again = stack.airflow_environment({}, places, server, port=8082)
    assert again["AIRFLOW__CORE__FERNET_KEY"] == environment["AIRFLOW__CORE__FERNET_KEY"]


NOW = at("2026-11-20T09:00")


def a_dag(
    name: str, next_run: str | None = "2026-11-21T00:10:00Z", parsed: str = "2026-11-20T09:01:00Z"
) -> dict[str, Any]:
    return {"dag_id": name, "next_dagrun_run_after": next_run, "last_parsed_time": parsed}


def a_run(name: str, state: str = "success") -> dict[str, Any]:
    return {"dag_id": name, "state": state}


def test_caught_up_means_no_run_due_and_none_under_way() -> None:
    dags = [a_dag("monitor__credit"), a_dag("labels__credit"), a_dag("hindsight__relay", "2026-11-20T08:58:00Z")]
    assert is_caught_up(dags, [a_run("hindsight__relay", "running")], now=NOW)
    assert not is_caught_up(dags, [a_run("retrain__credit", "running")], now=NOW)
    assert not is_caught_up([*dags, a_dag("monitor__eta", "2026-11-19T00:10:00Z")], [], now=NOW)
    assert not is_caught_up([], [], now=NOW)


def test_what_a_dag_said_before_the_demo_began_does_not_count() -> None:
    assert not is_caught_up([a_dag("monitor__credit", parsed="2026-11-19T09:00:00Z")], [], now=NOW)


def test_a_dag_that_never_runs_again_counts_once_it_has_run() -> None:
    ended = a_dag("monitor__eta", None)
    assert not is_caught_up([ended], [], now=NOW)
    assert is_caught_up([ended], [a_run("monitor__eta")], now=NOW)


SIZES = {"credit": DAY, "eta": 6 * HOUR}


def planted(**changes: Any) -> Planted:
    fields: dict[str, Any] = {
        "monitor": "credit",
        "kind": "nulls",
        "start": at("2026-10-10"),
        "end": at("2026-10-11"),
        "rules": ("null_rate",),
        "severity": "P2",
        "expectation": "a fifth of income is missing",
        "feature": "income",
    }
    return Planted(**fields | changes)


def an_incident(
    start: str = "2026-10-10", rule: str = "null_rate", feature: str = "income", **changes: Any
) -> Incident:
    fields: dict[str, Any] = {
        "id": f"{rule}-{start}",
        "monitor": "credit",
        "series": Series(rule, feature=feature),
        "severity": Severity.P2,
        "state": State.RESOLVED,
        "started": at(start),
        "ended": at(start) + DAY,
        "breaches": (at(start),),
        "value": 0.2,
        "threshold": 0.05,
    }
    return Incident(**fields | changes)


def outcome(what: Planted, *incidents: Incident) -> tuple[int, int]:
    """How many incidents found what was planted, and how many are false alarms."""
    found, unexplained = match(Plan(1, at("2026-11-20"), (what,)), incidents, SIZES)
    return len(found[0].incidents), len(unexplained)


def test_an_incident_of_the_rule_and_feature_in_the_span_is_a_find() -> None:
    assert outcome(planted(), an_incident()) == (1, 0)
    assert outcome(planted(), an_incident(feature="age")) == (0, 0)
    assert outcome(planted(), an_incident(rule="volume", feature="")) == (0, 0)
    assert outcome(planted(), an_incident(monitor="eta")) == (0, 1)


def test_what_a_cause_set_off_is_counted_in_cases() -> None:
    some = [
        an_incident(case="a"),
        an_incident(rule="volume", feature="", case="a"),
        an_incident(feature="age", case="b"),
    ]
    found, _ = match(Plan(1, at("2026-11-20"), (planted(),)), some, SIZES)
    assert found[0].cases == ("a", "b")


def test_one_window_beside_is_explained_and_two_are_a_false_alarm() -> None:
    assert outcome(planted(), an_incident("2026-10-11")) == (0, 0)
    assert outcome(planted(), an_incident("2026-10-09")) == (0, 0)
    assert outcome(planted(), an_incident("2026-10-12")) == (0, 1)
    assert outcome(planted(), an_incident("2026-10-08")) == (0, 1)


def test_a_long_drift_explains_only_its_own_symptoms() -> None:
    drift = planted(rules=("accuracy_drop",), feature="", also=(), end=at("2026-11-01"))
    assert outcome(drift, an_incident("2026-10-20")) == (0, 1)
    assert outcome(drift, an_incident("2026-10-20", "accuracy_drop", "")) == (1, 0)


def test_an_incident_that_should_have_been_withdrawn_must_be() -> None:
    wrong = planted(rules=("accuracy_drop",), feature="", also=(), state="withdrawn")
    assert outcome(wrong, an_incident(rule="accuracy_drop", feature="")) == (0, 0)
    assert outcome(wrong, an_incident(rule="accuracy_drop", feature="", state=State.WITHDRAWN, breaches=())) == (1, 0)


def a_summary(**changes: Any) -> Summary:
    found, unexplained = match(Plan(1, at("2026-11-20"), (planted(),)), [an_incident()], SIZES)
    fields: dict[str, Any] = {
        "found": found,
        "false_alarms": unexplained,
        "windows": {"credit": 60},
        "retrainings": (),
    }
    return Summary(**fields | changes)


def test_the_address_of_the_worst_incident_is_shown(tmp_path: Path) -> None:
    over = an_incident("2026-10-20", severity=Severity.P0)
    older, newer = (an_incident(day, state=State.OPEN, severity=Severity.P1) for day in ("2026-10-21", "2026-10-22"))
    summary = a_summary(found=(), false_alarms=(over, older, replace(newer, id="n1", case="c1")))
    out = StringIO()
    console = Console(file=out, width=60)
    show(summary, console, snapshots=tmp_path, mailbox=tmp_path, url="http://localhost:8080", password="x")
    assert "http://localhost:8080/hindsight/monitors/credit/cases/c1\n" in out.getvalue()
    assert a_summary(found=(), false_alarms=()).worst is None


def test_the_verdict_names_everything_that_went_wrong() -> None:
    assert a_summary().problems == []
    missed, _ = match(Plan(1, at("2026-11-20"), (planted(),)), [], SIZES)
    assert a_summary(found=missed).problems == ["missed: credit 2026-10-10 00:00 a fifth of income is missing"]
    two = (an_incident("2026-10-20"), an_incident("2026-10-22"))
    assert a_summary(false_alarms=two).problems == []
    assert a_summary(false_alarms=(*two, an_incident("2026-10-24"))).problems == ["3 false alarms, 2 are allowed"]
    loud = a_summary(false_alarms=(an_incident("2026-10-20", severity=Severity.P0),))
    assert loud.problems == ["false alarm of severity P0: credit null_rate income P0 2026-10-20 00:00, resolved"]
    assert a_summary(undelivered=1).problems == ["1 mails were not delivered"]
    runs = [{"dag_id": "monitor__credit", "dag_run_id": "r1", "state": "failed"}]
    assert a_summary(failed_runs=failed(runs)).problems == ["DAG run failed: monitor__credit r1"]


def test_windows_of_another_size_widen_the_neighbourhood_by_their_own() -> None:
    short = planted(monitor="eta", end=at("2026-10-10T06:00"))
    incident = an_incident("2026-10-10T06:00", monitor="eta")
    assert outcome(short, incident) == (0, 0)
    assert outcome(short, an_incident("2026-10-10T12:00", monitor="eta")) == (0, 1)
    assert SIZES["eta"] == timedelta(hours=6)
