"""Replays of a feed: windows and files of any size, types that change and change back, and what counts as named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from benchmarks import replay
from benchmarks.case import Case
from tests.builders import HOUR, at

SETUP = {"task": "binary", "numeric": ["amount"], "categorical": [], "window_freq": "6h", "score_cols": ["score"]}


def a_case(folder: Path, *incidents: str) -> Case:
    (folder / "case.json").write_text(json.dumps(SETUP))
    rows = ["2026-09-01T00:00:00Z,2026-09-01T06:00:00Z", "2026-09-01T18:00:00Z,2026-09-02T00:00:00Z"]
    (folder / "truth.csv").write_text("\n".join(["window_start,window_end", *rows]) + "\n")
    (folder / "incidents.csv").write_text("\n".join(["start,end,column,kind,note", *incidents]) + "\n")
    return Case(folder)


def test_a_kind_of_breakage_that_no_rule_is_known_to_name_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"incidents.csv: unknown kinds \['gremlins'\]; expected some of"):
        replay.planted(a_case(tmp_path, "2026-09-01,2026-09-02,amount,gremlins,"))


def test_a_breakage_is_named_when_incidents_of_its_kind_hold_every_window_of_it(tmp_path: Path) -> None:
    case = a_case(
        tmp_path, "2026-09-01T00:00:00,2026-09-01T12:00:00,amount,nulls,", "2026-09-01,2026-09-02,x,new column,"
    )
    found = [
        {"series": {"rule": rule, "feature": "amount"}, "breaches": [(at("2026-09-01") + k * 6 * HOUR).isoformat()]}
        for rule, k in (("null_rate", 0), ("null_rate", 1), ("null_rate", 2), ("drift", 0))
    ]
    known = replay.planted(case)
    assert replay.missed(known, found[:2]) == []
    assert [one.feature for one in replay.missed(known, found[1:])] == ["amount"]
    assert replay.beyond(known, found) == found[2:]


@pytest.mark.parametrize(("way", "last"), [("alter", pa.float64()), ("widen", pa.string())])
def test_a_feed_whose_types_change_and_change_back_is_loaded(
    postgres_url: sa.URL, tmp_path: Path, way: replay.Way, last: pa.DataType
) -> None:
    days: list[dict[str, Any]] = [
        {"a": [1.5], "b": [True]},
        {"a": ["1,5"], "b": ["true"]},
        {"a": [2.0], "c": pa.nulls(1)},
    ]
    for number, day in enumerate([*days, {"a": [2.5], "b": [False]}]):
        replay.load_day(postgres_url, "odd", pa.table(day), way if number else "replace")
    engine = sa.create_engine(postgres_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        rows = connection.execute(sa.select(sa.column("a")).select_from(sa.table("odd"))).scalars().all()
    assert set(rows) == ({1.5, 2.5, None, 2.0} if last == pa.float64() else {"1.5", "1,5", "2", "2.5"})


def test_files_shorter_or_longer_than_windows_are_both_fed(tmp_path: Path) -> None:
    for name in ("2026-09-01", "2026-09-01T06"):
        (tmp_path / "predictions_daily" / f"dt={name}").mkdir(parents=True)
        pq.write_table(pa.table({"x": [1]}), tmp_path / "predictions_daily" / f"dt={name}" / "part-0.parquet")
    assert [begin for begin, _ in replay.feed(a_case(tmp_path))] == [at("2026-09-01"), at("2026-09-01T06:00")]
