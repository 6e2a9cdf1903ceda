"""Personal data: hashed or dropped before anything is written, never without a key, never the same across columns."""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from hindsight.errors import ConfigError
from hindsight.warehouse.connect import open_engine
from hindsight.warehouse.labels import labelled
from hindsight.warehouse.pii import Hasher
from hindsight.warehouse.predictions import collect
from tests.builders import a_monitor, a_window, at
from tests.warehouse.tables import LOG, a_label, a_prediction, fill

KEY = b"a long random text"
CANARY = "canary@example.com"
PERSONAL = LOG | {"customer_id": sa.Text(), "email": sa.Text()}


def a_private_monitor(**pii: list[str]) -> Any:
    return a_monitor(pii={"hash": ["customer_id"], "drop": ["email"]} | pii, features={"email": "categorical"})


def test_no_personal_value_reaches_the_disk(database_url: sa.URL, tmp_path: Path) -> None:
    people = [a_prediction(f"r{i}", customer_id=CANARY, email=CANARY, region="EU") for i in range(100)]
    fill(database_url, people, log=PERSONAL)
    folder = tmp_path / "spool"
    with collect(open_engine(database_url), a_private_monitor(), a_window(), folder=folder, pii_key=KEY) as rows:
        assert "email" not in rows.columns
        assert "email" not in pq.read_schema(rows.path).names
        (hashed,) = set(rows.column("customer_id").to_pylist())
        assert len(hashed) == 64
        assert CANARY not in str(rows.table(rows.columns).to_pylist())
        assert all(CANARY.encode() not in file.read_bytes() for file in folder.iterdir())
        assert rows.key_id.encode() in (pq.read_schema(rows.path).metadata or {}).values()


@pytest.mark.parametrize("key", [None, b""])
def test_without_a_key_nothing_is_read(database_url: sa.URL, tmp_path: Path, key: bytes | None) -> None:
    fill(database_url, log=PERSONAL)
    engine = open_engine(database_url)
    with pytest.raises(ConfigError, match=r"pii.hash: customer_id cannot be hashed.*connection hindsight_pii"):
        collect(engine, a_private_monitor(), a_window(), folder=tmp_path / "spool", pii_key=key)
    with pytest.raises(ConfigError, match="hindsight_pii"):
        labelled(engine, a_private_monitor(), a_window(), at("2026-09-02"), pii_key=key)
    assert not (tmp_path / "spool").exists()


def test_a_column_cannot_be_dropped_and_needed(database_url: sa.URL, tmp_path: Path) -> None:
    fill(database_url, log=PERSONAL)
    with pytest.raises(ConfigError, match=r"pii: 'request_id' is source.predictions.id and is needed"):
        collect(
            open_engine(database_url),
            a_private_monitor(drop=["request_id"]),
            a_window(),
            folder=tmp_path,
            pii_key=KEY,
        )


def test_hashed_ids_and_segments_still_tell_rows_apart(database_url: sa.URL, tmp_path: Path) -> None:
    fill(database_url, [a_prediction("r1"), a_prediction("r1"), a_prediction("r2", region=None)], [a_label("r1")])
    monitor = a_monitor(pii={"hash": ["request_id", "region"]})
    engine = open_engine(database_url)
    with collect(engine, monitor, a_window(), folder=tmp_path, pii_key=KEY) as rows:
        assert (rows.n, rows.n_raw) == (2, 3)
        regions = set(rows.column("region").to_pylist())
    found = labelled(engine, monitor, a_window(), at("2026-09-20"), pii_key=KEY)
    assert (found.n_labeled, set(found.table.column("region").to_pylist())) == (1, regions)
    assert None in regions
    assert "EU" not in regions


def hashed(values: list[Any], key: bytes = KEY, column: str = "who") -> list[str | None]:
    result: list[str | None] = Hasher([column], key)(pa.record_batch({column: pa.array(values)})).column(0).to_pylist()
    return result


def test_the_hash_is_keyed_and_separate_for_each_column() -> None:
    by_hand = hmac.digest(hmac.digest(KEY, b"hindsight column who", "sha256"), b"ann", "sha256").hex()
    assert hashed(["ann", None]) == [by_hand, None]
    assert hashed([7]) == hashed(["7"]) == hashed([b"7"])
    assert len({*hashed(["ann"]), *hashed(["ann"], column="other"), *hashed(["ann"], key=b"rotated")}) == 3


def test_a_rotated_key_is_told_by_its_id() -> None:
    old, new = Hasher(["who"], KEY).key_id, Hasher(["who"], b"rotated").key_id
    assert old != new
    assert len(old) == len(new) == 8
    assert old not in KEY.hex()
    assert Hasher([], KEY).key_id == Hasher([], None).key_id == ""


@given(st.lists(st.one_of(st.none(), st.text(max_size=8)), min_size=1))
def test_equal_values_and_only_they_have_equal_hashes(values: list[str | None]) -> None:
    column = pa.array(values, pa.string())
    hashes = Hasher(["who"], KEY)(pa.record_batch({"who": column})).column(0).to_pylist()
    assert len(set(hashes)) == len(set(values))
    assert [value is None for value in values] == [digest is None for digest in hashes]
