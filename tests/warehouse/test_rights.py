"""What a refused login lacks is named, and a lock is worth a retry."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa

from hindsight.errors import DataError, WarehouseError
from hindsight.warehouse.connect import open_engine, reading
from hindsight.warehouse.rights import missing_right


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("ERROR: permission denied for table inference_log", "GRANT SELECT ON inference_log TO"),
        ("ERROR: permission denied for view v", "GRANT SELECT ON v TO"),
        ("permission denied for schema ml", "GRANT USAGE ON SCHEMA ml TO"),
        ("(1142, \"SHOW VIEW command denied to user 'r'@'h' for table 'v'\")", "GRANT SHOW VIEW ON v TO"),
        ("(1142, \"SELECT command denied to user 'r'@'h' for table `db`.`t`\")", "GRANT SELECT ON db.t TO"),
        ("(1143, \"SELECT command denied to user 'r'@'h' for column 'c' in table 't'\")", "GRANT SELECT (c) ON t TO"),
        ("permission denied", "the right to read it"),
    ],
)
def test_the_right_that_is_missing_is_named(reason: str, said: str) -> None:
    assert said in missing_right(reason)


def test_a_wrong_password_is_no_missing_right() -> None:
    assert missing_right('FATAL: password authentication failed for user "reader"') == ""


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (sqlite3.OperationalError("database is locked"), WarehouseError),
        (duckdb.IOException('Could not set lock on file "/home/user/w": Conflicting lock by user a'), WarehouseError),
        (sqlite3.OperationalError("unable to open database file"), DataError),
    ],
)
def test_a_lock_is_worth_a_retry(cause: Exception, kind: type[Exception], tmp_path: Path) -> None:
    engine = open_engine(sa.URL.create("sqlite", database=str(tmp_path / "w.db")))
    with pytest.raises(kind), reading(engine, "warehouse"):
        raise sa.exc.OperationalError("", {}, cause)
