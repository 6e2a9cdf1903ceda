"""`hindsight upgrade`: files of an earlier format are made new, and every number stays what it was."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from hindsight import read_snapshots
from hindsight.errors import ConfigError
from hindsight.snapshots.parquet import encode
from hindsight.snapshots.tables import UNREVISED
from tests.cli.said import LABELS, RUN, Say
from tests.pipeline.world import World


def make_old(root: Path) -> int:
    """Take the column of the revision away from every file, as files were before there was one."""
    paths = list(root.rglob("*.parquet"))
    for path in paths:
        table = pq.ParquetFile(path).read()
        said = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
        bare = table.select(UNREVISED.names).replace_schema_metadata()
        path.write_bytes(encode(bare, said | {"hindsight.version": "1"}))
    return len(paths)


def test_old_files_are_folded_and_say_their_revision(world: World, say: Say) -> None:
    assert say(*RUN).code == say(*LABELS).code == 0
    data = world.resources.settings.data
    before, root = read_snapshots("credit", data=data), Path(data) / "snapshots"
    single = make_old(root)
    pd.testing.assert_frame_equal(read_snapshots("credit", data=data), before)

    said = say("upgrade")

    assert said.code == 0, said.err
    assert said.out.startswith("credit: ")
    assert "files folded" in said.out
    assert len(list(root.rglob("*.parquet"))) < single
    pd.testing.assert_frame_equal(read_snapshots("credit", data=data), before)
    assert set(pd.read_parquet(root)["revision"]) == {1}
    assert say("upgrade").out == "credit: nothing to fold\n"
    assert say("show", "credit").err == ""


def test_a_file_that_cannot_be_read_is_named_and_left(world: World, say: Say) -> None:
    say(*RUN)
    root = Path(world.resources.settings.data) / "snapshots"
    make_old(root)
    torn = next(root.rglob("kind=operations/**/20260902T*.parquet"))
    torn.write_bytes(torn.read_bytes()[:200])
    said = say("upgrade", "credit")
    assert said.code == 1
    assert f"left as it is: {torn}: not a whole Parquet file" in said.err
    assert "files folded" in said.out
    assert [
        path for path in root.rglob("*-r1.parquet") if path != torn and "revision" not in pq.read_schema(path).names
    ] == []


def test_snapshots_are_read_by_kind_metric_and_time(world: World, say: Say) -> None:
    say(*RUN)
    data = world.resources.settings.data
    frame = read_snapshots("credit", kind="operations", metric="error_rate", start="2026-09-02", data=data)
    assert set(frame["metric"]) == {"error_rate"}
    assert frame["window_start"].min() == pd.Timestamp("2026-09-02", tz="UTC")
    assert list(frame.index) == list(range(len(frame)))
    assert read_snapshots("credit", end="2026-09-01", data=data).empty
    with pytest.raises(ConfigError, match="kind 'operation': expected one of operations, quality"):
        read_snapshots("credit", kind="operation", data=data)
