"""Stores that cannot keep data, or are not there, are refused in words: what, where, what was expected, what to do."""

from __future__ import annotations

import pickle
from typing import Any
from uuid import uuid4

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from hindsight.errors import StoreError
from hindsight.snapshots import complaints
from hindsight.snapshots.files import open_files, open_filesystem

SECRET = "canary-s3cret"


@pytest.mark.parametrize(
    ("root", "what"),
    [
        ("http://127.0.0.1:9/data", "HTTPFileSystem cannot create a file only where there is none"),
        ("https://example.com/data", "HTTPFileSystem cannot create a file only where there is none"),
        ("dir://data", "dir:// cannot create a file only where there is none"),
        ("hdfs://host/data", "hdfs:// cannot create a file only where there is none"),
        ("webdav://host/data", "webdav:// cannot create a file only where there is none"),
        ("nosuch://data", "cannot be opened: Protocol not known: nosuch"),
    ],
)
def test_what_is_no_store_is_refused_when_it_is_opened(root: str, what: str) -> None:
    with pytest.raises(StoreError, match=what) as caught:
        open_files(root)
    said = str(caught.value)
    assert said.startswith(f"{root}: ")
    assert "keep HINDSIGHT_DATA in a folder, or on a store that can: S3 (s3://)" in said
    assert "docs/stores.md" in said
    assert "\n" not in said
    assert not caught.value.transient


def test_a_client_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any, **__: Any) -> None:
        raise ImportError("Please install adlfs")

    monkeypatch.setattr("fsspec.core.url_to_fs", missing)
    with pytest.raises(StoreError, match=r"^abfs://box/data: .*; install its client, pip install adlfs"):
        open_files("abfs://box/data")


class Bucket(MemoryFileSystem):
    """A store of buckets as S3 is, of which only `there` exists; `create` is obeyed or not."""

    protocol = "s3"
    cachable = False
    obeys = True

    def find(self, path: str, *args: Any, **rest: Any) -> Any:
        self._require(path)
        return super().find(path, *args, **rest)

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **rest: Any) -> None:
        self._require(path)
        super().pipe_file(path, value, mode if self.obeys else "overwrite", **rest)

    def exists(self, path: str, **rest: Any) -> bool:
        return path.strip("/") == "there" or bool(super().exists(path, **rest))

    def _require(self, path: str) -> None:
        if not path.strip("/").startswith("there"):
            raise FileNotFoundError("The specified bucket does not exist")


class Quiet(Bucket):
    """A store that lists nothing of a container that is not there, as Azure's client does."""

    protocol = "abfs"

    def find(self, path: str, *args: Any, **rest: Any) -> Any:
        return MemoryFileSystem.find(self, path, *args, **rest)


@pytest.mark.parametrize(("store", "what"), [(Bucket, "bucket"), (Quiet, "container")])
@pytest.mark.parametrize("use", ["put", "list"])
def test_a_bucket_that_is_not_there_is_named_and_not_made(store: type[Bucket], what: str, use: str) -> None:
    fs, files = store(), open_files("/nowhere/data", store())
    with pytest.raises(StoreError, match=rf"there is no {what} 'nowhere'; create it, for Hindsight creates none"):
        files.put_new("a", b"1") if use == "put" else files.listing("snapshots")
    assert not fs.exists("/nowhere")


def test_a_bucket_without_files_is_no_error() -> None:
    assert open_files(f"/there/{uuid4().hex}", Bucket()).listing("snapshots") == []


def test_whoever_may_not_ask_about_the_bucket_may_still_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: Any, **__: Any) -> bool:
        raise PermissionError("s3:ListBucket")

    monkeypatch.setattr(Bucket, "exists", forbidden)
    assert open_files(f"/there/{uuid4().hex}", Bucket()).listing("snapshots") == []


@pytest.mark.parametrize(
    ("protocol", "advice"),
    [
        ("s3", "honours If-None-Match"),
        ("gs", "honours ifGenerationMatch"),
        ("foreign", "keep HINDSIGHT_DATA"),
    ],
)
def test_what_to_ask_of_a_store_that_replaces_is_said_in_its_own_words(
    protocol: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Bucket, "protocol", protocol)
    monkeypatch.setattr(Bucket, "obeys", False)
    files = open_files(f"/there/{uuid4().hex}", Bucket())
    with pytest.raises(StoreError, match=f"the store replaces files although asked to create them.*{advice}") as caught:
        files.put_new("a", b"1")
    assert ("If-None-Match" in str(caught.value)) == (protocol == "s3")
    assert files.listing() == []


def test_a_store_that_lets_nothing_be_deleted_keeps_data_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: Any) -> None:
        raise NotImplementedError

    monkeypatch.setattr(Bucket, "rm_file", forbidden)
    files = open_files(f"/there/{uuid4().hex}", Bucket())
    assert files.put_new("a", b"1")
    assert files.listing() == ["a"]


@pytest.mark.parametrize(
    ("says", "helps"),
    [("Unable to locate credentials", True), ("AccessDenied", True), ("403 Forbidden", True), ("timed out", False)],
)
def test_whom_a_store_does_not_know_is_told_where_credentials_go(says: str, helps: bool) -> None:
    class Closed(Bucket):
        def cat_file(self, *_: Any, **__: Any) -> bytes:
            raise PermissionError(says)

    with pytest.raises(StoreError, match=f"/a: could not read: {says}") as caught:
        open_files(f"/there/{uuid4().hex}", Closed()).get("a")
    assert str(caught.value).endswith("connection hindsight_data, see docs/stores.md") is helps


class Talkative(Bucket):
    """A client that repeats its options in what it raises."""

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **rest: Any) -> bytes:
        raise ConnectionError(f"tried with\n{self.storage_options}")


def test_no_secret_of_a_client_is_in_what_is_said() -> None:
    files = open_files(f"/there/{uuid4().hex}", Talkative(key="me", client={"secret": SECRET}, region="eu"))
    with pytest.raises(StoreError, match=r"could not read: tried with \{'key'.*eu") as caught:
        files.get("a")
    assert SECRET not in str(caught.value)
    with pytest.raises(StoreError) as caught:
        open_filesystem(f"nosuch://ann:{SECRET}@host/data", {"token": SECRET})
    assert SECRET not in str(caught.value)
    assert pickle.loads(pickle.dumps(str(caught.value)))


def test_secrets_are_found_by_the_names_they_stand_under() -> None:
    options = {"key": "AKIA1", "client_kwargs": {"region_name": "eu-west-1", "aws_secret": "s3cr"}, "anon": False}
    azure = {"connection_string": "AccountKey=x", "sas_token": "sig", "account_name": "acc"}
    assert complaints.secrets_of(options) == ["AKIA1", "s3cr"]
    assert complaints.secrets_of(azure) == ["AccountKey=x"]
