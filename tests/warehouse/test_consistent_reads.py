"""A window is what the log held when it was asked for, whatever is written while it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from hindsight.warehouse import spool
from hindsight.warehouse.connect import open_engine
from hindsight.warehouse.predictions import collect
from tests.builders import a_monitor, a_window
from tests.pipeline.world import a_day
from tests.warehouse.tables import LOG, fill, writing

DAY, ROWS, MORE = "2026-09-01", 60_000, 500
Insert = Callable[[list[dict[str, Any]]], None]


@pytest.fixture(params=["postgresql", "sqlite"])
def url(request: pytest.FixtureRequest) -> sa.URL:
    made: sa.URL = request.getfixturevalue("postgres_url" if request.param == "postgresql" else "sqlite_url")
    return made


@pytest.fixture
def insert(url: sa.URL) -> Insert:
    fill(url)
    if url.get_backend_name() == "sqlite":  # else a writer waits until the reader has done
        with writing(url) as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    table = sa.Table("inference_log", sa.MetaData(), *(sa.Column(name, kind) for name, kind in LOG.items()))

    def write(rows: list[dict[str, Any]]) -> None:
        with writing(url) as connection:
            connection.execute(table.insert(), [{name: row[name] for name in LOG} for row in rows])

    return write


def test_rows_that_arrive_while_a_window_is_read_are_not_in_it(
    url: sa.URL, insert: Insert, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert(a_day(DAY, n=ROWS)[0])
    late = [row | {"request_id": f"late-{i}"} for i, row in enumerate(a_day(DAY, n=MORE)[0])]
    groups, batches = spool._groups, []

    def written_meanwhile(answer: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        def noted() -> Iterator[pa.RecordBatch]:
            for batch in answer:
                batches.append(batch.num_rows)
                if len(batches) == 1:
                    insert(late)
                yield batch

        return groups(noted())

    monkeypatch.setattr(spool, "_groups", written_meanwhile)
    engine = open_engine(url)
    try:
        rows = collect(engine, a_monitor(), a_window(DAY), folder=tmp_path, pii_key=None)
        first = rows.n
        rows.close()
        again = collect(engine, a_monitor(), a_window(DAY), folder=tmp_path, pii_key=None)
        second = again.n
        again.close()
    finally:
        engine.dispose()
    assert len(batches) > 2  # or nothing could have come in between
    assert (first, second) == (ROWS, ROWS + MORE)
