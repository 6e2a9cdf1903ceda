"""MariaDB: the same answers whatever the server's sql_mode lets into a table and whatever it makes of CHAR(n)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from hindsight.warehouse import survey
from hindsight.warehouse.connect import open_engine
from hindsight.warehouse.identities import newest_unmatched
from hindsight.warehouse.labels import labelled, labels_now, touched
from hindsight.warehouse.predictions import collect, first_timestamp, logged_between, misdated, strangers, volumes
from tests.builders import a_monitor, a_window, at
from tests.warehouse.tables import LOG, TRUTH, a_label, a_prediction, fill, writing

WINDOW = a_window()
ZERO = "0000-00-00 00:00:00"


@pytest.fixture
def permissive(mariadb: sa.URL, mariadb_url: sa.URL, request: pytest.FixtureRequest) -> Iterator[sa.URL]:
    """The URL of an empty database on a server whose sessions start in the sql_mode the test asks for."""
    with _global(mariadb, {"sql_mode": getattr(request, "param", "")}):
        yield mariadb_url


@contextmanager
def _global(server: sa.URL, settings: Mapping[str, str]) -> Iterator[None]:
    with writing(server) as connection:
        before = {name: connection.exec_driver_sql(f"SELECT @@global.{name}").scalar_one() for name in settings}
        for name, value in settings.items():
            connection.exec_driver_sql(f"SET GLOBAL {name} = %s", (value,))
    yield
    with writing(server) as connection:
        for name, value in before.items():
            connection.exec_driver_sql(f"SET GLOBAL {name} = %s", (value,))


def executed(url: sa.URL, *statements: str) -> None:
    with writing(url) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


@pytest.mark.parametrize("kind", [mysql.DATETIME(fsp=6), mysql.TIMESTAMP(fsp=6), sa.Date()])
def test_zero_dates_are_misdated_and_stop_nothing(
    permissive: sa.URL, tmp_path: Path, kind: sa.types.TypeEngine[object]
) -> None:
    rows = [a_prediction(id, "2026-09-01") for id in "abcd"]
    stamps = {"log": LOG | {"predicted_at": kind}, "truth": TRUTH | {"labeled_at": kind}}
    in_utc = permissive.update_query_dict({"init_command": "SET time_zone = '+00:00'"})
    fill(in_utc, rows, [a_label(id, 1, "2026-09-03") for id in "ab"], **stamps)
    executed(
        permissive,
        f"UPDATE inference_log SET predicted_at = '{ZERO}' WHERE request_id = 'b'",
        "UPDATE inference_log SET predicted_at = NULL WHERE request_id = 'c'",
        f"UPDATE ground_truth SET labeled_at = '{ZERO}' WHERE request_id = 'a'",
    )
    engine, monitor = open_engine(permissive), a_monitor()
    with collect(engine, monitor, WINDOW, folder=tmp_path, pii_key=None) as window:
        assert sorted(window.column("request_id").to_pylist()) == ["a", "d"]
    found = misdated(engine, monitor, at("2026-12-01"))
    assert (found.future, found.undated) == (0, 2)
    assert volumes(engine, monitor, [WINDOW]) == {WINDOW: 2}
    assert first_timestamp(engine, monitor) == at("2026-09-01")
    assert logged_between(engine, monitor, until=at("2026-10-01")) == (at("2026-09-01"), at("2026-09-01"))
    known = labelled(engine, monitor, WINDOW, at("2026-09-20"), pii_key=None)
    assert (known.n_labeled, known.undated) == (0, 1)
    assert touched(engine, monitor, since=None, until=at("2026-09-20")) == []
    assert newest_unmatched(engine, monitor, at("2026-09-20")).ids == ()
    assert strangers(engine, monitor, WINDOW) == {}
    facts = survey.survey(engine, "warehouse", "inference_log", "predicted_at").facts
    assert (facts.first, facts.last) == (at("2026-09-01"), at("2026-09-01"))


@pytest.mark.parametrize("kind", [sa.Date(), sa.DateTime()])
def test_a_zero_date_among_the_features_is_none(
    permissive: sa.URL, tmp_path: Path, kind: sa.types.TypeEngine[object]
) -> None:
    fill(permissive, [a_prediction(id, region=at("2026-08-01")) for id in "ab"], log=LOG | {"region": kind})
    executed(permissive, f"UPDATE inference_log SET region = '{ZERO}' WHERE request_id = 'b'")
    with collect(open_engine(permissive), a_monitor(), WINDOW, folder=tmp_path, pii_key=None) as window:
        assert [None if value is None else str(value)[:10] for value in window.column("region").to_pylist()] == [
            "2026-08-01",
            None,
        ]


@pytest.mark.parametrize("permissive", ["PAD_CHAR_TO_FULL_LENGTH", ""], indirect=True)
def test_the_padding_of_char_is_no_part_of_an_id(permissive: sa.URL, tmp_path: Path) -> None:
    log = LOG | {"request_id": sa.CHAR(12), "model_version": sa.CHAR(8), "region": sa.CHAR(5)}
    days = ["2026-09-01T12:00", "2026-09-01T13:00"]
    fill(permissive, [a_prediction(id, day) for id, day in zip("ab", days, strict=True)], [a_label("a")], log=log)
    engine, monitor = open_engine(permissive), a_monitor(model={"name": "m", "task": "binary", "version": "v1"})
    with collect(engine, monitor, WINDOW, folder=tmp_path, pii_key=None) as window:
        assert window.column("request_id").to_pylist() == ["a", "b"]
        assert set(window.column("region").to_pylist()) == {"EU"}
    known = labelled(engine, monitor, WINDOW, at("2026-09-20"), pii_key=None)
    assert (known.n_labeled, known.n_rows, known.orphans) == (1, 2, 0)
    assert labels_now(engine, monitor, WINDOW, pii_key=None).to_pylist() == [{"id": "a", "label": "1"}]
    assert touched(engine, monitor, since=None, until=at("2026-09-20")) == [WINDOW]
    assert volumes(engine, monitor, [WINDOW]) == {WINDOW: 2}
