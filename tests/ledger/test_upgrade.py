"""A ledger is upgraded where it lies: nothing in it is lost, whoever comes first, and never back."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from hindsight.errors import LedgerError
from hindsight.ledger import tables
from hindsight.ledger.connect import open_engine
from hindsight.ledger.ledger import Ledger
from hindsight.training.registry import ModelVersion, Registry

FIRST = Path(__file__).parent / "version_1"
NOW = datetime(2026, 9, 1, 6, tzinfo=UTC)
SERIES = {"rule": "accuracy_drop", "model_version": "", "segment": "", "feature": ""}
HELD: dict[str, dict[str, Any]] = {
    "verdicts": SERIES
    | {"monitor": "credit", "window_start": NOW, "window_end": NOW, "as_of": NOW, "due": NOW, "status": "breach"}
    | {"value": 0.8, "threshold": 0.9, "n": 400, "note": "", "judged_at": NOW},
    "incidents": SERIES
    | {"id": "abc", "monitor": "credit", "severity": "P0", "state": "open", "started": NOW, "value": 0.8}
    | {"breaches": [NOW.isoformat()], "told": "open", "reason": "", "changed_at": NOW},
    "incident_events": {"incident": "abc", "at": NOW, "to_state": "open", "reason": "breach"},
    "outbox": {"id": 7, "dedup_key": "k", "monitor": "credit", "cause": "night", "recipient": "ann@example.com"}
    | {"message_id": "<k@credit>", "severity": "P0", "subject": "accuracy", "text": "fell", "html": "", "png": b"\0png"}
    | {"state": "pending", "attempts": 1, "ambiguous": 0, "next_at": NOW, "last_error": "", "created_at": NOW},
    "outbox_incidents": {"mail": 7, "incident": "abc", "state": "open"},
    "retrain_requests": {"key": "r", "monitor": "credit", "dag": "retrain__credit", "incidents": ["abc"], "as_of": NOW}
    | {"requested_at": NOW, "approval": True, "run_id": "x", "state": "requested", "claimed_by": "", "note": ""},
    "dag_requests": {"key": "d", "monitor": "credit", "dag": "restart", "conf": {"a": 1}, "requested_at": NOW}
    | {"state": "requested", "note": ""},
    "nights": {"monitor": "credit", "as_of": NOW, "committed_at": NOW, "windows": 3},
    "reports": {"id": "p", "monitor": "credit", "window_start": NOW, "window_end": NOW, "kind": "evidently"}
    | {"uri": "reports/p.html", "created_at": NOW},
}


def made_before(url: sa.URL, version: int = 1) -> Ledger:
    """A ledger as the first Hindsight left it, with a row in every table."""
    ledger = Ledger(open_engine(url))
    script = (FIRST / f"{url.get_backend_name()}.sql").read_text()
    statements = script.partition("\n\n")[2].split(";\n")
    with ledger.writing() as connection:
        for statement in filter(str.strip, statements):
            connection.exec_driver_sql(statement)
        old = sa.MetaData()
        old.reflect(connection)
        connection.execute(sa.insert(old.tables["schema_version"]).values(version=version))
        for name in sorted(HELD, key=["outbox"].count, reverse=True):
            connection.execute(sa.insert(old.tables[name]).values(HELD[name]))
    return ledger


def rows(ledger: Ledger) -> dict[str, list[dict[str, Any]]]:
    with ledger.reading() as connection:
        return {
            name: [dict(row._mapping) for row in connection.execute(sa.select(table))]
            for name, table in tables.metadata.tables.items()
        }


def differences(ledger: Ledger) -> list[Any]:
    """What the tables in the database are not, of those the code works with."""
    names = {*tables.metadata.tables, "schema_version"}
    with ledger.reading() as connection:
        options = {
            "version_table": tables.VERSION_TABLE,
            "include_object": lambda obj, name, type_, *_: type_ != "table" or name in names,
        }
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), tables.metadata))


def test_a_new_ledger_has_the_tables_the_code_works_with(database_url) -> None:
    ledger = Ledger(open_engine(database_url))
    ledger.create()
    assert differences(ledger) == []
    ledger.engine.dispose()


def test_a_ledger_of_the_first_release_keeps_every_row_and_promise(database_url) -> None:
    ledger = made_before(database_url)
    ledger.create()
    assert differences(ledger) == []
    found = rows(ledger)
    for name, held in HELD.items():
        (row,) = found[name]
        assert {key: row[key] for key in held} == held, name
    (mail,) = ledger.outbox("credit", incident="abc")
    assert (mail.recipient, mail.attempts) == ("ann@example.com", 1)
    assert [request.key for request in ledger.pending_requests()] == ["r"]
    before = rows(ledger)
    ledger.create()
    assert rows(ledger) == before
    ledger.engine.dispose()


def _create(url: sa.URL) -> None:
    ledger = Ledger(open_engine(url))
    ledger.create()
    ledger.engine.dispose()


def test_two_processes_may_upgrade_at_once(database_url) -> None:
    ledger = made_before(database_url)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(_create, [database_url] * 2))
    assert differences(ledger) == []
    assert {name: len(found) for name, found in rows(ledger).items() if name in HELD} == dict.fromkeys(HELD, 1)
    ledger.engine.dispose()


def test_an_upgrade_that_breaks_off_changes_nothing(database_url, monkeypatch) -> None:
    ledger = made_before(database_url)
    with monkeypatch.context() as patch:
        patch.setattr("alembic.command.upgrade", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            ledger.create()
    with ledger.reading() as connection:
        assert sa.inspect(connection).has_table("schema_version")
        assert not sa.inspect(connection).has_table(tables.VERSION_TABLE)
    ledger.create()
    assert differences(ledger) == []
    ledger.engine.dispose()


def test_the_tables_of_a_newer_hindsight_are_never_taken_back(database_url) -> None:
    ledger = Ledger(open_engine(database_url))
    ledger.create()
    with ledger.writing() as connection:
        connection.exec_driver_sql(f"UPDATE {tables.VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(LedgerError, match=r"version 9999.*install the newer one again") as caught:
        ledger.create()
    assert not caught.value.transient
    ledger.engine.dispose()


def test_the_head_that_is_looked_for_is_the_newest_step() -> None:
    steps = sorted((Path(tables.__file__).parent / "migrations" / "versions").glob("[0-9]*.py"))
    assert steps[-1].name.startswith(tables.HEAD)


def test_airflows_own_versions_in_the_same_database_are_left_alone(postgres_url) -> None:
    ledger = Ledger(open_engine(postgres_url))
    with ledger.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('airflow')")
    ledger.create()
    with ledger.reading() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == "airflow"
    ledger.engine.dispose()


def test_models_are_named_below_the_data_root_whatever_root_they_were_named_with(database_url) -> None:
    ledger = made_before(database_url)
    registry = Registry(ledger.engine)
    registry.create()
    named = {
        "disk": ("/srv/data/models/credit/k/a.skops", "models/credit/k/a.skops"),
        "bucket": ("s3://bucket/models/credit/models/credit/k/a.skops", "models/credit/k/a.skops"),
        "relative": ("models/credit/k/a.skops", "models/credit/k/a.skops"),
        "elsewhere": ("s3://others/credit.skops", "s3://others/credit.skops"),
    }
    for version, (artifact, _) in named.items():
        registry.register(ModelVersion("credit", version, NOW, NOW, 9, {}, artifact, "0", NOW))
    ledger.create()
    found = {one.version: one.artifact for one in registry.versions("credit")}
    assert found == {version: relative for version, (_, relative) in named.items()}
    ledger.engine.dispose()
