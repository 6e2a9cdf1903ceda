from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from multiprocessing import get_context

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hindsight.errors import LedgerError
from hindsight.ledger import tables
from hindsight.ledger.connect import open_engine
from hindsight.ledger.ledger import Ledger
from hindsight.ledger.records import DagRequest, MailState, Report, RequestState
from hindsight.verdicts.model import Heard, Incident, RetrainRequest, Series, State, Status, Verdict
from hindsight.vocabulary.letters import Letter, Message, letters
from hindsight.vocabulary.severity import Severity
from tests.builders import DAY, a_window, at
from tests.ledger.test_upgrade import made_before

ACCURACY = Series("accuracy_drop")
DRIFT = Series("drift", feature="amount")
NOW = at("2026-09-10")
HEARD = Heard(at("2026-09-02"), Severity.P0, 2, ("nulls",))


@pytest.fixture
def ledger(database_url: sa.URL) -> Iterator[Ledger]:
    ledger = a_ledger(database_url)
    yield ledger
    ledger.engine.dispose()


def a_ledger(url: sa.URL) -> Ledger:
    ledger = Ledger(open_engine(url))
    ledger.create()
    return ledger


def a_verdict(start: str = "2026-09-01", status: Status = Status.OK, series: Series = ACCURACY, **rest) -> Verdict:
    window = a_window(start)
    given = {"as_of": window.end, "due": window.end, "value": 0.9, "threshold": 0.8, "n": 100} | rest
    return Verdict(series=series, window=window, status=status, **given)


def an_incident(id: str = "i1", state: State = State.OPEN, series: Series = ACCURACY, **rest) -> Incident:
    start = at("2026-09-01")
    given = {"ended": None, "breaches": (start, start + DAY), "value": 0.7, "threshold": 0.8, "case": id} | rest
    return Incident(id=id, monitor="credit", series=series, severity=Severity.P0, state=state, started=start, **given)


def a_request(key: str = "k1", requested_at: datetime = NOW) -> RetrainRequest:
    return RetrainRequest(key, "credit", "retrain__credit", ("i1", "i2"), NOW, requested_at, approval=True)


def a_letter(recipient: str = "ann@example.com", subject: str = "[P0] credit", **rest) -> Letter:
    return Letter("credit", "2026-09-01", recipient, Message(subject, "text"), **rest)


def test_a_verdict_comes_back_as_it_went_in(ledger) -> None:
    verdict = a_verdict(value=None, threshold=None, note="no rows")
    with ledger.locked("credit") as tx:
        tx.save_verdicts([verdict], NOW)
    with ledger.locked("credit") as tx:
        assert tx.verdicts(ACCURACY) == [verdict]
        assert tx.verdicts(DRIFT) == []


def test_an_older_as_of_never_overwrites_a_newer_one(ledger) -> None:
    newer, older = a_verdict(as_of=at("2026-09-05"), status=Status.BREACH), a_verdict(as_of=at("2026-09-03"))
    with ledger.locked("credit") as tx:
        assert tx.save_verdicts([newer], NOW) == {ACCURACY: at("2026-09-01")}
        assert tx.save_verdicts([older], NOW) == {}
        assert tx.verdicts(ACCURACY) == [newer]


def test_the_same_verdict_as_of_later_is_no_change_but_holds_its_place(ledger) -> None:
    again = a_verdict(as_of=at("2026-09-08"))
    with ledger.locked("credit") as tx:
        tx.save_verdicts([a_verdict()], NOW)
        assert tx.save_verdicts([again], NOW) == {}
        assert tx.save_verdicts([a_verdict(status=Status.BREACH, as_of=at("2026-09-04"))], NOW) == {}
        assert tx.verdicts(ACCURACY) == [again]


def test_each_changed_series_is_named_with_its_earliest_changed_window(ledger) -> None:
    with ledger.locked("credit") as tx:
        tx.save_verdicts([a_verdict("2026-09-01"), a_verdict("2026-09-02", series=DRIFT)], NOW)
        changed = tx.save_verdicts(
            [
                a_verdict("2026-09-03", Status.BREACH),
                a_verdict("2026-09-01"),
                a_verdict("2026-09-02"),
                a_verdict("2026-09-02", Status.MUTED, series=DRIFT),
            ],
            NOW,
        )
    assert changed == {ACCURACY: at("2026-09-02"), DRIFT: at("2026-09-02")}


def test_histories_come_in_window_order_from_the_window_asked_for(ledger) -> None:
    days = ["2026-09-03", "2026-09-01", "2026-09-02"]
    with ledger.locked("credit") as tx:
        tx.save_verdicts([a_verdict(day, series=s) for day in days for s in (ACCURACY, DRIFT)], NOW)
        histories = tx.histories([ACCURACY, DRIFT, Series("volume")], since=at("2026-09-02"))
    assert {s: [v.window.start.day for v in found] for s, found in histories.items()} == {
        ACCURACY: [2, 3],
        DRIFT: [2, 3],
    }


def test_series_that_ever_breached_are_told_from_the_quiet_ones(ledger) -> None:
    with ledger.locked("credit") as tx:
        tx.save_verdicts([a_verdict(status=Status.BREACH), a_verdict(series=DRIFT)], NOW)
        assert (tx.breached([ACCURACY, DRIFT]), tx.breached([DRIFT])) == ({ACCURACY}, set())


def test_series_that_spoke_of_a_window_that_was_due_lately_are_told_from_those_that_did_not(ledger) -> None:
    with ledger.locked("credit") as tx:
        due = [a_verdict(due=NOW), a_verdict(due=NOW, status=Status.NO_DATA, series=DRIFT)]
        tx.save_verdicts([*due, a_verdict("2026-09-02"), a_verdict(series=Series("old"))], NOW)
        assert [tx.spoken(at(day), due=NOW) for day in ("2026-09-01", "2026-09-02")] == [{ACCURACY}, set()]


def test_monitors_do_not_see_each_other(ledger) -> None:
    with ledger.locked("credit") as tx:
        tx.save_verdicts([a_verdict()], NOW)
        tx.save_incidents([an_incident()], NOW)
        tx.request_retraining(a_request())
    with ledger.locked("churn") as tx:
        assert (tx.verdicts(ACCURACY), tx.incidents(), tx.retrain_requests()) == ([], [], [])


def test_incidents_are_found_by_series_and_state(ledger) -> None:
    accuracy = an_incident()
    drift = an_incident("i2", State.RESOLVED, DRIFT, ended=NOW, told=State.OPEN, reason="back to normal", heard=HEARD)
    with ledger.locked("credit") as tx:
        tx.save_incidents([accuracy, drift], NOW)
        assert tx.incidents() == [accuracy, drift]
        assert tx.incidents(DRIFT) == [drift]
        assert tx.incidents([ACCURACY, *(Series("drift", feature=f"f{i}") for i in range(600))]) == [accuracy]
        assert tx.incidents(states=[State.OPEN]) == [accuracy]
    assert ledger.incidents(open_only=True) == [accuracy]
    assert ledger.incidents("churn") == []


def test_every_change_of_state_leaves_one_event(ledger) -> None:
    with ledger.locked("credit") as tx:
        tx.save_incidents([an_incident()], NOW)
        tx.save_incidents([an_incident(told=State.OPEN, heard=HEARD)], NOW)
        tx.save_incidents([an_incident(state=State.WITHDRAWN, reason="late labels")], NOW + DAY)
    events = [(event.at, event.from_state, event.to_state, event.reason) for event in ledger.events("i1")]
    assert events == [
        (NOW, None, State.OPEN, ""),
        (NOW + DAY, State.OPEN, State.WITHDRAWN, "late labels"),
    ]


def test_a_letter_is_promised_once(ledger) -> None:
    told = letters(
        Message("subject", "text"),
        monitor="credit",
        cause="2026-09-01",
        recipients=["ann@example.com", "bob@example.com", "ann@example.com"],
        facts=[("i1", State.OPEN)],
    )
    with ledger.locked("credit") as tx:
        assert tx.queue(told, NOW) == 2
        assert tx.queue(told, NOW + DAY) == 0
    assert [(mail.recipient, mail.state, mail.created_at) for mail in ledger.outbox("credit")] == [
        ("ann@example.com", MailState.PENDING, NOW),
        ("bob@example.com", MailState.PENDING, NOW),
    ]
    assert len(ledger.outbox(incident="i1")) == 2
    assert ledger.outbox(incident="i2") == []


def test_the_key_of_a_letter_ignores_the_order_of_what_it_tells() -> None:
    facts = (("i1", State.OPEN), ("i2", State.RESOLVED))
    keys = {a_letter(facts=facts).dedup_key, a_letter(facts=facts[::-1]).dedup_key}
    assert len(keys) == 1
    assert a_letter(facts=facts[:1]).dedup_key not in keys
    assert a_letter("bob@example.com", facts=facts).dedup_key not in keys


@pytest.mark.parametrize("step", range(6))
def test_a_crash_between_any_two_statements_leaves_nothing(ledger, step) -> None:
    class CrashError(Exception):
        pass

    def everything(tx) -> Iterator[None]:
        yield tx.save_verdicts([a_verdict()], NOW)
        yield tx.save_incidents([an_incident()], NOW)
        yield tx.queue([a_letter()], NOW)
        yield tx.request_retraining(a_request())
        yield tx.request_dag(DagRequest("d1", "credit", "restart", {"why": "slow"}, NOW))
        yield tx.commit_night(NOW, NOW, 1)

    def crashing() -> None:
        with ledger.locked("credit") as tx:
            for number, _ in enumerate(everything(tx)):
                if number == step:
                    raise CrashError

    with pytest.raises(CrashError):
        crashing()
    ours = tables.metadata.sorted_tables
    kept = [table.name for table in ours if rows(ledger, table)]
    assert kept == []


def rows(ledger: Ledger, table: sa.Table) -> int:
    with ledger.engine.connect() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def test_a_retraining_is_requested_once_and_listed_until_it_starts(ledger) -> None:
    with ledger.locked("credit") as tx:
        assert tx.request_retraining(a_request())
        assert not tx.request_retraining(a_request(requested_at=NOW + DAY))
        assert tx.retrain_requests(since=NOW) == [a_request()]
        assert tx.retrain_requests(since=NOW + DAY) == []
    assert ledger.pending_requests() == [a_request()]
    ledger.put_off("k1", "no DAG retrain__credit")
    assert [(p.state, p.note) for p in ledger.requests("credit")] == [
        (RequestState.REQUESTED, "no DAG retrain__credit")
    ]
    ledger.mark_started("k1", NOW)
    assert ledger.pending_requests() == []


def test_a_request_has_one_claimer_who_may_ask_again(ledger) -> None:
    with ledger.locked("credit") as tx:
        tx.request_retraining(a_request())
    assert ledger.claim("k1", monitor="credit", by="retrain__credit__k1")
    assert ledger.claim("k1", monitor="credit", by="retrain__credit__k1")
    assert not ledger.claim("k1", monitor="credit", by="asset__2")
    assert not ledger.claim("k1", monitor="churn", by="retrain__credit__k1")
    assert not ledger.claim("unknown", monitor="credit", by="retrain__credit__k1")


def test_another_monitors_request_is_nobodys_to_claim(ledger) -> None:
    with ledger.locked("credit") as tx:
        tx.request_retraining(a_request())
    assert not ledger.claim("k1", monitor="churn", by="retrain__churn__k1")
    assert ledger.claim("k1", monitor="credit", by="retrain__credit__k1")


def test_a_failure_takes_back_no_decision_and_nobody_elses_run(ledger) -> None:
    with ledger.locked("credit") as tx:
        tx.request_retraining(a_request())
    ledger.claim("k1", monitor="credit", by="run")
    with ledger.locked("credit") as tx:
        assert not tx.give_up_retraining("k1", by="another", at=NOW, note="failed")
        tx.finish_retraining("k1", RequestState.DONE, at=NOW, note="v2 is the champion")
        assert not tx.give_up_retraining("k1", by="run", at=NOW + DAY, note="failed")
    assert [(p.state, p.note) for p in ledger.requests()] == [(RequestState.DONE, "v2 is the champion")]


def test_a_start_that_is_learnt_of_late_takes_nothing_back(ledger) -> None:
    with ledger.locked("credit") as tx:
        tx.request_retraining(a_request())
    ledger.claim("k1", monitor="credit", by="run")
    ledger.mark_started("k1", NOW)
    assert not ledger.claim("k1", monitor="credit", by="another run")
    with ledger.locked("credit") as tx:
        tx.finish_retraining("k1", RequestState.KEPT, at=NOW + DAY, note="champion 0.91, challenger 0.90")
    assert not ledger.claim("k1", monitor="credit", by="run")
    (progress,) = ledger.requests()
    assert (progress.state, progress.finished_at) == (RequestState.KEPT, NOW + DAY)


def test_only_one_of_many_threads_claims(ledger) -> None:
    with ledger.locked("credit") as tx:
        tx.request_retraining(a_request())
    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(lambda number: ledger.claim("k1", monitor="credit", by=f"run {number}"), range(8)))
    assert claims.count(True) == 1


def test_a_run_of_a_users_dag_is_requested_once(ledger) -> None:
    request = DagRequest("d1", "credit", "restart", {"incident": "i1"}, NOW)
    with ledger.locked("credit") as tx:
        assert tx.request_dag(request)
        assert not tx.request_dag(request)
    assert ledger.pending_dags() == [request]
    ledger.put_dag_off("d1", "paused")
    ledger.mark_dag_started("d1", NOW)
    assert ledger.pending_dags() == []


def test_the_last_night_is_the_greatest_before_the_moment(ledger) -> None:
    assert ledger.last_night("credit", NOW) is None
    with ledger.locked("credit") as tx:
        for night in (NOW, NOW - 3 * DAY, NOW - DAY, NOW):
            tx.commit_night(night, NOW, 4)
    assert ledger.last_night("credit", NOW) == NOW - DAY
    assert ledger.last_night("credit", NOW + DAY) == NOW
    assert ledger.last_night("churn", NOW) is None


def test_a_report_is_found_by_its_id_only(ledger) -> None:
    report = Report("a1b2", "credit", a_window(), "drift", "data/reports/x.html", NOW)
    ledger.add_report(report)
    assert ledger.report("a1b2") == report
    assert ledger.report("../a1b2") is None
    assert ledger.report("a1b2' OR 1=1 --") is None
    assert ledger.report("\0") is None
    assert ledger.reports("credit") == [report]


def test_naive_times_are_refused_and_others_come_back_in_utc(ledger) -> None:
    elsewhere = datetime(2026, 9, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    with ledger.locked("credit") as tx:
        tx.commit_night(elsewhere, NOW, 0)
    night = ledger.last_night("credit", NOW)
    assert (night, night.tzinfo) == (at("2026-09-01"), UTC)
    with pytest.raises(sa.exc.StatementError, match="aware"), ledger.locked("credit") as tx:
        tx.commit_night(elsewhere.replace(tzinfo=None), NOW, 0)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(moment=st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_every_aware_moment_survives_the_ledger(ledger, moment) -> None:
    with ledger.locked("any") as tx:
        tx.commit_night(moment, NOW, 0)
        stored = tx.connection.execute(sa.select(tables.nights.c.as_of).where(tables.nights.c.as_of == moment)).scalar()
    assert stored == moment.astimezone(UTC)


def test_tables_of_another_version_are_refused(database_url) -> None:
    ledger = made_before(database_url, version=99)
    with pytest.raises(LedgerError, match="version 99") as caught:
        ledger.create()
    assert not caught.value.transient
    ledger.engine.dispose()


def test_many_may_create_the_ledger_at_once(database_url) -> None:
    ledgers = [Ledger(open_engine(database_url)) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(Ledger.create, ledgers))
    with ledgers[0].locked("credit") as tx:
        tx.save_verdicts([a_verdict()], NOW)
    for ledger in ledgers:
        ledger.engine.dispose()


def _count_up(url: sa.URL, times: int) -> None:
    ledger = Ledger(open_engine(url))
    for _ in range(times):
        with ledger.locked("credit") as tx:
            (last,) = tx.verdicts(ACCURACY)
            tx.save_verdicts([replace(last, n=last.n + 1)], NOW)
    ledger.engine.dispose()


def test_two_processes_under_one_lock_lose_no_write(database_url) -> None:
    ledger = a_ledger(database_url)
    with ledger.locked("credit") as tx:
        tx.save_verdicts([a_verdict(n=0)], NOW)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(_count_up, [database_url] * 2, [25] * 2))
    with ledger.locked("credit") as tx:
        assert tx.verdicts(ACCURACY)[0].n == 50
    ledger.engine.dispose()


def test_reading_does_not_wait_for_a_writer(ledger) -> None:
    with ledger.locked("credit") as tx:
        tx.save_incidents([an_incident()], NOW)
        assert ledger.incidents() == []
    assert len(ledger.incidents()) == 1


def test_monitors_lock_apart_on_postgresql(postgres_url) -> None:
    ledger = a_ledger(postgres_url)
    done = threading.Event()

    def other() -> None:
        with ledger.locked("churn"):
            done.set()

    with ledger.locked("credit"):
        thread = threading.Thread(target=other)
        thread.start()
        assert done.wait(20)
    thread.join()
    ledger.engine.dispose()


def test_a_driver_error_shows_no_parameters(ledger) -> None:
    with pytest.raises(sa.exc.IntegrityError) as caught, ledger.locked("credit") as tx:
        tx.save_verdicts([replace(a_verdict(), n=None)], NOW)
    assert "[SQL parameters hidden" in str(caught.value)
