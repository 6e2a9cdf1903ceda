"""A baseline is there whole or not at all, never changes, and is found again in the order it was fitted in."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd
import pyarrow as pa
import pytest

from hindsight.errors import StoreError
from hindsight.snapshots import baselines, local
from hindsight.snapshots.baselines import BaselineFiles
from hindsight.snapshots.parquet import encode
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
    assert (manifest.id, manifest.fitted_as_of, [*manifest.tables]) == ("b1", at("2026-09-01"), ["edges", "shares"])
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
    with pytest.raises(StoreError, match="another table 'summary' lies here"):
        write(files, summary=table.replace_schema_metadata({"format": "2"}))


def test_an_id_never_changes_its_meaning(files: BaselineFiles) -> None:
    write(files)
    with pytest.raises(StoreError, match=r"tables-0\.zip: another table 'edges' lies here; choose a new id"):
        write(files, edges=SHARES, shares=SHARES)
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
    for kept in range(2):

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
    path = tmp_path / "baselines/credit/b1/tables-0.zip"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(StoreError, match=r"b1/tables-0\.zip: not a whole pack of tables"):
        files.table("credit", "b1", "edges")


def test_a_manifest_of_a_newer_version_is_refused(files: BaselineFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(baselines, "_VERSION", 3)
        write(files)
    with pytest.raises(StoreError, match=r"written by a newer Hindsight \(format 3, this one reads 2\)"):
        files.manifest("credit", "b1")


def test_small_tables_share_a_file_and_a_large_one_has_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "PACK_BYTES", 4_000)
    files = BaselineFiles(str(tmp_path))
    large = pa.table({"x": [f"{k}-{k * k}" for k in range(2_000)]})
    tables = {"a": EDGES, "b": large, "c": SHARES, "d": SHARES}
    assert write(files, **tables)
    assert not write(files, **tables)
    found = files.manifest("credit", "b1").tables
    assert found == {"a": "tables-0.zip", "b": "tables-1.zip", "c": "tables-2.zip", "d": "tables-2.zip"}
    assert all(files.table("credit", "b1", name).equals(table) for name, table in tables.items())


def test_any_tool_opens_a_pack(tmp_path: Path) -> None:
    write(BaselineFiles(str(tmp_path)))
    with zipfile.ZipFile(tmp_path / "baselines/credit/b1/tables-0.zip") as pack:
        assert pack.testzip() is None
        assert pd.read_parquet(io.BytesIO(pack.read("edges.parquet"))).equals(EDGES.to_pandas())


def test_a_baseline_with_a_file_for_each_table_is_read_as_before(tmp_path: Path) -> None:
    files, folder = BaselineFiles(str(tmp_path)), tmp_path / "baselines/credit/b1"
    folder.mkdir(parents=True)
    for name, table in (("edges", EDGES), ("shares", SHARES)):
        (folder / f"{name}.parquet").write_bytes(encode(table, {}))
    facts = {"version": 1, "id": "b1", "fitted_as_of": "2026-09-01T00:00:00+00:00", "tables": ["edges", "shares"]}
    (folder / "manifest.json").write_text(json.dumps(facts | {"pin": {"model_version": "3"}}))
    assert files.table("credit", "b1", "edges").equals(EDGES)
    assert not write(files)
    assert sorted(path.name for path in folder.iterdir()) == ["edges.parquet", "manifest.json", "shares.parquet"]


def test_a_pack_that_would_swell_is_refused(tmp_path: Path) -> None:
    files = BaselineFiles(str(tmp_path))
    write(files)
    with zipfile.ZipFile(tmp_path / "baselines/credit/b1/tables-0.zip", "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("edges.parquet", b"\0" * 10_000)
    with pytest.raises(StoreError, match="not stored as they are, refused"):
        files.table("credit", "b1", "edges")
