"""Files are created whole or not at all and never replaced, on a disk, in memory and on S3, whatever fails."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from hindsight.errors import StoreError
from hindsight.snapshots import local, remote
from hindsight.snapshots.files import open_files
from hindsight.snapshots.local import LocalFiles
from hindsight.snapshots.port import Files


@pytest.fixture(params=["local", "memory", "s3"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    if request.param == "local":
        return open_files(str(tmp_path / "data"))
    if request.param == "memory":
        return open_files(f"memory://{uuid4().hex}/data")
    return open_files(f"s3://hindsight/{uuid4().hex}/data", request.getfixturevalue("s3"))


def test_a_file_is_created_once_and_never_replaced(files: Files) -> None:
    assert files.put_new("a/b/c.bin", b"first")
    assert not files.put_new("a/b/c.bin", b"second")
    assert files.get("a/b/c.bin") == b"first"


def test_an_empty_file_is_a_file(files: Files) -> None:
    assert files.put_new("empty", b"")
    assert not files.put_new("empty", b"x")


def test_a_listing_is_sorted_and_holds_files_below_the_folder_only(files: Files) -> None:
    assert files.listing() == files.listing("a") == []
    for path in ("b/2", "a/x/2", "a/1", "ab/1"):
        files.put_new(path, b"")
    assert files.listing("a") == ["a/1", "a/x/2"]
    assert files.listing() == ["a/1", "a/x/2", "ab/1", "b/2"]
    assert files.listing("nothing") == []


def test_a_uri_leads_to_the_file(files: Files, request: pytest.FixtureRequest) -> None:
    files.put_new("a/b", b"content")
    uri = files.uri("a/b")
    if uri.startswith("s3://"):
        assert request.getfixturevalue("s3").cat_file(uri) == b"content"
    else:
        with fsspec.open(uri) as file:
            assert file.read() == b"content"


def test_a_missing_file_is_named(files: Files) -> None:
    files.put_new("there", b"")
    with pytest.raises(StoreError, match=r"data/not/there: could not read: no such file") as caught:
        files.get("not/there")
    assert not caught.value.transient


def test_a_file_too_large_is_refused(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (local, remote):
        monkeypatch.setattr(module, "MAX_FILE_BYTES", 10)
    files.put_new("large", b"x" * 11)
    files.put_new("right", b"x" * 10)
    assert files.get("right") == b"x" * 10
    with pytest.raises(StoreError, match=r"large: larger than 10 bytes"):
        files.get("large")


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/passwd", "a\0b", "a\\b", ".."])
def test_no_path_leads_out_of_the_root(files: Files, path: str) -> None:
    for use in (files.get, files.listing, lambda path: files.put_new(path, b"")):
        with pytest.raises(StoreError, match="not a path inside the store"):
            use(path)


def test_many_writers_create_a_file_once(files: Files) -> None:
    for number in range(5):
        with ThreadPoolExecutor(8) as writers:
            won = list(writers.map(lambda i, n=number: files.put_new(f"race/{n}", bytes([i])), range(8)))
        assert won.count(True) == 1
        assert files.get(f"race/{number}") == bytes([won.index(True)])


def test_an_unknown_address_is_refused() -> None:
    with pytest.raises(StoreError, match=r"nosuch://x: cannot be opened"):
        open_files("nosuch://x")


def test_a_relative_or_a_file_address_is_a_local_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_files("data").put_new("x", b"1")
    assert open_files(f"file://{tmp_path}/data").get("x") == b"1"


class Faults:
    """Counts the operations on the disk and fails the n-th: once, or from then on as after a crash."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, code: int, *, for_good: bool) -> None:
        self.seen = 0
        self.fail_at = 0
        self.code = code
        self.for_good = for_good
        for name in ("fsync", "link", "mkdir", "open", "unlink"):
            monkeypatch.setattr(local.os, name, self.counting(getattr(os, name)))
        monkeypatch.setattr(local, "open", self.counting(open), raising=False)

    def counting(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **rest: Any) -> Any:
            self.seen += 1
            if self.fail_at and (self.seen >= self.fail_at if self.for_good else self.seen == self.fail_at):
                raise OSError(self.code, os.strerror(self.code))
            return operation(*args, **rest)

        return counted

    def arm(self, number: int) -> None:
        self.seen, self.fail_at = 0, number


def tried(action: Callable[[], object]) -> StoreError | None:
    try:
        action()
    except StoreError as error:
        return error
    return None


@pytest.mark.parametrize("for_good", [False, True])
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EROFS])
def test_whichever_step_fails_a_reader_sees_a_whole_file_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, for_good: bool
) -> None:
    faults = Faults(monkeypatch, code, for_good=for_good)
    for step in range(1, 100):
        files = LocalFiles(str(tmp_path / str(step)))
        faults.arm(step)
        problem = tried(lambda files=files: files.put_new("a/b", b"whole"))
        if problem is not None:
            assert str(tmp_path) in str(problem)
            assert os.strerror(code) in str(problem)
            assert problem.transient
        hit = faults.seen >= step
        faults.arm(0)
        assert files.listing() in ([], ["a/b"])
        files.put_new("a/b", b"whole")
        assert files.get("a/b") == b"whole"
        if not hit:
            break
    assert step > 8


KILLED = """
import os, sys
from hindsight.snapshots import local

root, steps = sys.argv[1], int(sys.argv[2])
seen = 0
def dying(operation):
    def counted(*args, **rest):
        global seen
        seen += 1
        if seen == step:
            os._exit(137)
        return operation(*args, **rest)
    return counted
for name in ("fsync", "link", "mkdir", "open", "unlink"):
    setattr(os, name, dying(getattr(os, name)))
local.open = dying(open)
for step in range(1, steps):
    if os.fork() == 0:
        local.LocalFiles(f"{root}/{step}").put_new("a/b", b"whole")
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.wait()[1]))
"""


def test_a_writer_killed_at_any_step_leaves_a_whole_file_or_none(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), "20"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    codes = [int(code) for code in done.stdout.split()]
    assert set(codes) == {0, 137}
    for step, _ in enumerate(codes, start=1):
        files = LocalFiles(str(tmp_path / str(step)))
        assert [files.get(path) for path in files.listing()] in ([], [b"whole"])
        files.put_new("a/b", b"whole")
        assert files.get("a/b") == b"whole"


def test_what_a_killed_writer_left_is_removed_once_it_is_old(tmp_path: Path) -> None:
    files = LocalFiles(str(tmp_path))
    files.put_new("a/b", b"whole")
    left = tmp_path / "a" / ".b.0f.tmp"
    left.write_bytes(b"part")
    now = datetime.now(UTC)
    assert files.remove_leftovers(now - timedelta(hours=1)) == 0
    assert files.remove_leftovers(now + timedelta(hours=1)) == 1
    assert not left.exists()
    assert files.listing() == ["a/b"]


def test_tidying_up_beside_a_slow_writer_takes_nothing_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Maintenance that comes between the writing of a file and its publication, a day's grace aside."""
    files, others, link = LocalFiles(str(tmp_path)), LocalFiles(str(tmp_path)), os.link
    files.put_new("a/old", b"folded by now")
    tidied = []

    def slowly(source: str, target: str) -> None:
        tidied.append(others.remove_leftovers(datetime.now(UTC) - timedelta(days=1)))
        others.remove("a/old")
        link(source, target)

    monkeypatch.setattr(os, "link", slowly)
    assert files.put_new("a/new", b"whole")
    assert tidied == [0]
    assert files.get("a/new") == b"whole"
    assert files.listing() == ["a/new"]


def test_links_inside_the_root_are_refused_but_the_root_may_be_one(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (tmp_path / "real").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "real")
    files = LocalFiles(str(tmp_path / "data"))
    assert files.put_new("fine", b"1")
    (tmp_path / "real" / "folder").symlink_to(outside)
    (tmp_path / "real" / "file").symlink_to(outside / "secret")
    for use in (files.get, files.listing, lambda path: files.put_new(path, b"")):
        with pytest.raises(StoreError, match="symbolic link"):
            use("folder/secret")
    for look in (lambda: files.get("file"), files.listing):
        with pytest.raises(StoreError, match="symbolic link"):
            look()


def test_a_file_where_a_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(StoreError, match=r"a/b: could not write"):
        LocalFiles(str(tmp_path)).put_new("a/b", b"")


class Replacing(MemoryFileSystem):
    """A store that ignores If-None-Match."""

    protocol = "replacing"

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **rest: Any) -> None:
        super().pipe_file(path, value, **rest)


class Losing(MemoryFileSystem):
    """A store whose answers get lost on the way back; `before` says whether before or after it wrote."""

    protocol = "losing"
    when = ""

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **rest: Any) -> None:
        if "probe" in path or self.when == "after":
            super().pipe_file(path, value, mode, **rest)
        if self.when and "probe" not in path:
            raise TimeoutError

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **rest: Any) -> bytes:
        if self.when == "gone":
            raise ConnectionError("the network is down")
        content: bytes = super().cat_file(path, start, end)
        return content


class Sequential(MemoryFileSystem):
    """A store without a create of its own: fsspec would look first and write then."""

    protocol = "sequential"
    pipe_file = fsspec.AbstractFileSystem.pipe_file


@pytest.fixture
def losing(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Files]:
    def files(when: str) -> Files:
        monkeypatch.setattr(Losing, "when", when)
        return open_files(f"{uuid4().hex}/data", Losing(skip_instance_cache=True))

    return files


@pytest.mark.parametrize(
    ("store", "message"), [(Replacing, "the store replaces files"), (Sequential, "Sequential cannot create")]
)
def test_a_store_that_cannot_create_is_refused_before_anything_is_written(store: type, message: str) -> None:
    files = open_files(f"{uuid4().hex}/data", store())
    for _ in range(2):
        with pytest.raises(StoreError, match=message):
            files.put_new("a", b"1")
    assert files.listing() == []


def test_the_probe_leaves_nothing_and_is_done_once(s3: fsspec.AbstractFileSystem) -> None:
    root = f"hindsight/{uuid4().hex}"
    open_files(root, s3).put_new("a", b"1")
    s3.invalidate_cache()
    assert s3.find(root) == [f"{root}/a"]
    assert sum(place[1] == root for place in remote._probed) == 1


def test_a_write_whose_answer_was_lost_counts_as_written(losing: Callable[[str], Files]) -> None:
    files = losing("after")
    assert files.put_new("a", b"1")
    assert files.get("a") == b"1"
    assert not files.put_new("a", b"1")


def test_a_write_that_did_not_arrive_may_be_retried(losing: Callable[[str], Files]) -> None:
    files = losing("before")
    with pytest.raises(StoreError, match=r"data/a: could not write: TimeoutError") as caught:
        files.put_new("a", b"1")
    assert caught.value.transient


def test_when_nobody_knows_whether_it_was_written_that_is_said(losing: Callable[[str], Files]) -> None:
    files = losing("gone")
    with pytest.raises(StoreError, match="unknown whether it was written") as caught:
        files.put_new("a", b"1")
    assert caught.value.transient
    with pytest.raises(StoreError, match=r"could not read: the network is down"):
        files.get("a")


def test_an_s3_bucket_that_is_not_there_is_named(s3: fsspec.AbstractFileSystem) -> None:
    with pytest.raises(StoreError, match="no-such-bucket"):
        open_files("s3://no-such-bucket/data", s3).put_new("a", b"1")
