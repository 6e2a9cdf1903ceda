"""A shelf gives back what was put down, small or large, and leaves no files behind."""

from __future__ import annotations

import gc
from pathlib import Path

import pyarrow as pa
import pytest

from hindsight.checks.reference import shelf
from hindsight.checks.reference.shelf import Shelf, Tables


@pytest.mark.parametrize("large", [0, 2**20])
def test_a_shelf_gives_back_what_was_put_down_and_leaves_nothing(
    large: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "LARGE", large)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    put = {name: pa.table({"value": [float(i), None], "count": [i, 1]}) for i, name in enumerate(("a", "../b", ""))}
    held = Shelf()
    for name, table in put.items():
        held.put(name, table)
    assert [held[name].equals(table) for name, table in put.items()] == [True] * 3
    assert any(tmp_path.iterdir()) == (not large)
    del held
    gc.collect()
    assert not any(tmp_path.iterdir())


def test_tables_are_loaded_when_they_are_asked_for() -> None:
    asked: list[str] = []

    def load(name: str) -> pa.Table:
        asked.append(name)
        return pa.table({"name": [name]})

    tables = Tables(["a", "b"], load)
    assert (list(tables), len(tables), asked) == (["a", "b"], 2, [])
    assert tables["b"].column("name").to_pylist() == asked == ["b"]
    with pytest.raises(KeyError):
        tables["c"]
