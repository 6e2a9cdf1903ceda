"""What other processes do beside a test: one folds and may be killed at a step, others read in a loop meanwhile."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import datetime
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.dataset as ds
import sqlalchemy as sa

from hindsight import read_snapshots
from hindsight.ledger.connect import open_engine
from hindsight.ledger.ledger import Ledger
from hindsight.pipeline.act.folding import fold_snapshots
from hindsight.pipeline.resources import Resources
from hindsight.settings import Settings
from hindsight.training.registry import Registry

KEYS = ["monitor", "kind", "window_start"]
Answers = dict[datetime, pd.DataFrame]  # by the moment that was asked for


def resources_at(url: sa.URL, folder: Path) -> Resources:
    ledger = Ledger(open_engine(url))
    ledger.create()
    settings = Settings(folder, str(folder / "data"), folder / "monitors", folder / "great_expectations")
    return Resources(settings, lambda _: url, ledger, Registry(ledger.engine))


def fold(url: sa.URL, folder: Path, now: datetime, steps: int | None, answer: Any = None) -> None:
    """Fold all of monitor credit; end by SIGKILL before so many more changes of the disk have been made."""
    if steps is not None:
        _die_after(steps)
    found = fold_snapshots("credit", resources_at(url, folder), now=now)
    if answer is not None:
        answer.put(found)


def _die_after(steps: int) -> None:
    left = steps

    def counted(change: Callable[..., Any]) -> Callable[..., Any]:
        def changing(*args: Any, **rest: Any) -> Any:
            nonlocal left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            return change(*args, **rest)

        return changing

    for name in ("fsync", "link", "unlink"):
        setattr(os, name, counted(getattr(os, name)))


def known(data: str, moments: list[datetime]) -> Answers:
    """What `read_snapshots` says of past moments."""
    return {moment: read_snapshots("credit", moment, data=data) for moment in moments}


def plainly_known(data: str, moments: list[datetime]) -> Answers:
    """What the query of docs/readers.md says of them, which knows nothing of Hindsight."""
    rows = plain_rows(data)
    return {moment: newest(rows[rows["as_of"] <= moment]) for moment in moments}


def plain_rows(data: str) -> pd.DataFrame:
    """Every distinct row of every file."""
    found = ds.dataset(f"{data}/snapshots", partitioning="hive").to_table().to_pandas()
    return found.drop(columns="date").drop_duplicates()


def newest(rows: pd.DataFrame) -> pd.DataFrame:
    last = rows.sort_values(["as_of", "revision"]).drop_duplicates(KEYS, keep="last")[[*KEYS, "as_of", "revision"]]
    found = rows.merge(last, on=[*KEYS, "as_of", "revision"])
    columns = sorted(found.columns)
    return found[found["metric"] != "nothing_measured"][columns].sort_values(columns, ignore_index=True)


def differing(there: Answers, expected: Answers) -> list[str]:
    return [f"{m}: {len(there[m])} rows, not {len(expected[m])}" for m in expected if not there[m].equals(expected[m])]


def look(data: str, moments: list[datetime], began: Event, over: Event, told: Any, *, plainly: bool) -> None:
    """Ask the same questions until it is over; tell how often, and what was not as at first."""
    ask = plainly_known if plainly else known
    expected, wrong, times = ask(data, moments), list[str](), 0
    began.set()
    while not over.is_set():
        try:
            wrong += differing(ask(data, moments), expected)
            times += 1
        except FileNotFoundError:  # a plain reader asks again
            if not plainly:
                raise
    told.put((times, wrong))
