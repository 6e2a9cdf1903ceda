"""Retries: what may pass by itself is told from what comes again, also where user code wraps it."""

from __future__ import annotations

import sqlite3
import urllib.error

import pytest
import sqlalchemy as sa
from airflow.sdk.exceptions import AirflowTaskTimeout

from hindsight.airflow.task_retries import RetryOnlyTransient, is_transient
from hindsight.errors import LedgerError, TrainingError, WarehouseError


class MineError(Exception):
    transient = True


def wrapped(cause: BaseException) -> RuntimeError:
    error = RuntimeError("could not load the features")
    error.__cause__ = cause
    return error


OUTSIDE = [
    ConnectionResetError(),
    TimeoutError(),
    OSError(28, "no space left on device"),
    urllib.error.URLError("name resolution"),
    sqlite3.OperationalError("database is locked"),
    sa.exc.OperationalError("select", {}, sqlite3.OperationalError("gone")),
    WarehouseError("gone"),
    LedgerError("gone"),
    MineError(),
    wrapped(ConnectionRefusedError()),
]
INSIDE = [
    ValueError("could not convert string to float"),
    ZeroDivisionError(),
    KeyError("amount"),
    ImportError("xgboost"),
    MemoryError(),
    FileNotFoundError("model.json"),
    PermissionError("model.json"),
    sqlite3.ProgrammingError("syntax"),
    TrainingError("no rows"),
    LedgerError("a newer version", transient=False),
    AirflowTaskTimeout("six hours"),
    wrapped(KeyError("amount")),
]


@pytest.mark.parametrize("error", OUTSIDE, ids=repr)
def test_the_world_outside_may_come_back(error: BaseException) -> None:
    assert is_transient(error)
    assert RetryOnlyTransient().evaluate(error, 1, 3).action.value == "default"


@pytest.mark.parametrize("error", INSIDE, ids=repr)
def test_a_mistake_comes_again(error: BaseException) -> None:
    assert not is_transient(error)
    assert RetryOnlyTransient().evaluate(error, 1, 3).action.value == "fail"
