"""A baseline is there whole or not at all, never changes, and is found again in the order it was fitted in."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest

from hindsight.errors import StoreError
from hindsight.snapshots import baselines, local
from hindsight.snapshots.baselines import BaselineFiles
from tests.builders import at

EDGES = pa.table({"feature": ["amount", "amount"], "edge": [0.5, float("inf")]})
SHARES = pa.table({"feature": ["amount"], "share": [0.25]})


@pytest.fixture(params=["local", "memory"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> BaselineFiles:
    return BaselineFiles(str(tmp_path) if request.param == "local" else f"memory://{uuid4().hex}")


def write(files: BaselineFiles, id: str = "b1", fitted: str = "2026-09-01", **tables: pa.Table) -> bool:
    tables = tables or {"edges": EDGES, "shares": SHARES}
    return files.write("credit", id, tables, fitted_as_of=at(fitted), pin={"model_version": "3"})


def test_the_tables_of_a_baseline_are_read_back(files: BaselineFiles) -> None:
    assert write(files)
    assert files.table("credit", "b1", "edges").equals(EDGES)
    assert files.table("credit", "b1", "shares").equals(SHARES)


def test_a_baseline_knows_when_it_was_fitted_and_for_which_model(files: BaselineFiles) -> None:
    write(files)
    manifest = files.manifest("credit", "b1")
    assert (manifest.id, manifest.fitted_as_of, manifest.tables) == ("b1", at("2026-09-01"), ("edges", "shares"))
    assert manifest.pin == {"model_version": "3"}


def test_baselines_are_listed_oldest_first_by_when_they_were_fitted(files: BaselineFiles) -> None:
    for id, fitted in (("c", "2026-09-02"), ("a", "2026-09-03"), ("b", "2026-09-01")):
        write(files, id, fitted)
    assert files.ids("credit") == ["b", "c", "a"]
    assert files.ids("churn") == []


def test_the_same_baseline_is_kept_once(files: BaselineFiles) -> None:
    assert write(files)
    assert not write(files)
    assert files.ids("credit") == ["b1"]


def test_lists_and_notes_are_known_again(files: BaselineFiles) -> None:
    table = pa.table({"edges": [[0.5, 1.5], []]}).replace_schema_metadata({"format": "1"})
    assert write(files, summary=table)
    assert not write(files, summary=table)
    with pytest.raises(StoreError, match="another table lies here"):
        write(files, summary=table.replace_schema_metadata({"format": "2"}))


def test_an_id_never_changes_its_meaning(files: BaselineFiles) -> None:
    write(files)
    with pytest.raises(StoreError, match=r"edges\.parquet: another table lies here; choose a new id"):
        write(files, edges=SHARES)
    with pytest.raises(StoreError, match="the id b1 is taken by another baseline"):
        write(files, fitted="2026-09-02")
    with pytest.raises(StoreError, match="the id b1 is taken by another baseline"):
        write(files, edges=EDGES)
    assert files.table("credit", "b1", "edges").equals(EDGES)


def test_a_baseline_whose_writer_was_cut_off_is_not_there_until_it_is_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = BaselineFiles(str(tmp_path))
    put_new = local.LocalFiles.put_new
    for kept in range(3):

        def cut_off(self: Any, path: str, data: bytes, kept: int = kept) -> bool:
            if len(list(tmp_path.rglob("*.*"))) >= kept:
                raise StoreError("cut off")
            return put_new(self, path, data)

        with monkeypatch.context() as fault:
            fault.setattr(local.LocalFiles, "put_new", cut_off)
            with pytest.raises(StoreError, match="cut off"):
                write(files)
        assert files.ids("credit") == []
        with pytest.raises(StoreError, match="no such file"):
            files.table("credit", "b1", "edges")
    assert write(files)
    assert files.ids("credit") == ["b1"]


def test_what_is_not_there_is_named(files: BaselineFiles) -> None:
    write(files)
    with pytest.raises(StoreError, match=r"credit/b2/manifest\.json: could not read: no such file"):
        files.table("credit", "b2", "edges")
    with pytest.raises(StoreError, match="baseline b1 of credit has no table 'bins'; it has edges, shares"):
        files.table("credit", "b1", "bins")


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "a b", "é"])
def test_names_that_lead_elsewhere_are_refused(files: BaselineFiles, name: str) -> None:
    for write_it in (
        lambda: files.write(name, "b1", {}, fitted_as_of=at("2026-09-01")),
        lambda: files.write("credit", name, {}, fitted_as_of=at("2026-09-01")),
        lambda: files.write("credit", "b1", {name: EDGES}, fitted_as_of=at("2026-09-01")),
        lambda: files.ids(name),
    ):
        with pytest.raises(StoreError, match="are named by letters"):
            write_it()


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"version": 1', b"\xff"])
def test_a_damaged_manifest_is_named(tmp_path: Path, content: bytes) -> None:
    files = BaselineFiles(str(tmp_path))
    write(files)
    (tmp_path / "baselines/credit/b1/manifest.json").write_bytes(content)
    for look in (lambda: files.table("credit", "b1", "edges"), lambda: files.ids("credit")):
        with pytest.raises(StoreError, match=r"b1/manifest\.json: not a whole manifest"):
            look()


def test_a_damaged_table_is_named(tmp_path: Path) -> None:
    files = BaselineFiles(str(tmp_path))
    write(files)
    path = tmp_path / "baselines/credit/b1/edges.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(StoreError, match=r"b1/edges\.parquet: not a whole Parquet file"):
        files.table("credit", "b1", "edges")


def test_a_manifest_of_a_newer_version_is_refused(files: BaselineFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(baselines, "_VERSION", 2)
        write(files)
    with pytest.raises(StoreError, match=r"written by a newer Hindsight \(format 2, this one reads 1\)"):
        files.manifest("credit", "b1")
