"""What a use case remembers of a store: asked once, true to what is written here, and never older than the use case."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest

from hindsight.snapshots import memory
from hindsight.snapshots.files import open_files
from hindsight.snapshots.port import Files
from hindsight.snapshots.store import SnapshotStore
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.threads import pool
from tests.builders import a_measurement, a_window, at
from tests.snapshots.counting import Counting

ASKED_ONCE = {"LIST": 1, "GET": 1}


@pytest.fixture
def fs() -> Counting:
    return Counting()


@pytest.fixture
def files(fs: Counting) -> Files:
    made = open_files(f"/{uuid4().hex}", fs)
    for name in ("a/1", "a/b/2", "ab/3"):
        made.put_new(name, name.encode())
    fs.requests.clear()
    return made


def asked(fs: Counting) -> dict[str, int]:
    """The requests since it was asked for the last time."""
    found = {what: n for what, n in fs.requests.items() if n}
    fs.requests.clear()
    return found


def test_a_folder_is_listed_once_and_a_file_read_once(files: Files, fs: Counting) -> None:
    with files.remembering("a"):
        for _ in range(3):
            assert files.listing("a") == ["a/1", "a/b/2"]
            assert files.listing("a/b") == ["a/b/2"]
            assert files.listing("a/c") == []
            assert files.get("a/b/2") == b"a/b/2"
    assert asked(fs) == ASKED_ONCE


def test_what_is_not_asked_for_is_not_listed(files: Files, fs: Counting) -> None:
    with files.remembering("a", "ab"):
        pass
    assert asked(fs) == {}


def test_other_folders_are_asked_for_every_time(files: Files, fs: Counting) -> None:
    with files.remembering("a"):
        assert files.listing("ab") == files.listing("ab") == ["ab/3"]
        assert files.listing() == ["a/1", "a/b/2", "ab/3"]
    assert asked(fs) == {"LIST": 3}


def test_nothing_is_remembered_outside_of_a_use_case(files: Files, fs: Counting) -> None:
    for _ in range(2):
        with files.remembering("a"):
            files.listing("a")
        files.get("a/1")
    assert asked(fs) == {"LIST": 2, "GET": 2}


def test_what_is_written_and_deleted_here_is_noted(files: Files, fs: Counting) -> None:
    with files.remembering("a"):
        files.listing("a")
        assert files.put_new("a/0", b"new")
        files.remove("a/1")
        asked(fs)
        assert files.listing("a") == ["a/0", "a/b/2"]
        assert files.get("a/0") == b"new"
        assert asked(fs) == {}
    assert files.listing("a") == ["a/0", "a/b/2"]


def test_a_file_that_another_created_is_noted_when_it_is_in_the_way(files: Files, fs: Counting) -> None:
    with files.remembering("a"):
        files.listing("a")
        fs.pipe_file(files.uri("a/9").partition("://")[2], b"theirs")
        assert files.listing("a") == ["a/1", "a/b/2"]
        assert not files.put_new("a/9", b"ours")
        assert files.listing("a") == ["a/1", "a/9", "a/b/2"]
        assert files.get("a/9") == b"theirs"


def test_what_others_do_is_seen_once_it_is_forgotten(files: Files, fs: Counting) -> None:
    with files.remembering("a"):
        files.listing("a")
        fs.pipe_file(files.uri("a/9").partition("://")[2], b"theirs")
        files.forget()
        assert files.listing("a") == ["a/1", "a/9", "a/b/2"]


def test_a_use_case_within_another_shares_its_memory(files: Files, fs: Counting) -> None:
    with files.remembering("a"):
        files.listing("a")
        with files.remembering("a/b"):
            assert files.listing("a/b") == ["a/b/2"]
        files.listing("a")
    assert asked(fs) == {"LIST": 1}


def test_fresh_is_what_the_store_says_now(files: Files, fs: Counting) -> None:
    with files.remembering("a"):
        files.get("a/1")
        fs.pipe_file(files.uri("a/1").partition("://")[2], b"damaged")
        assert files.get("a/1") == b"a/1"
        assert files.get("a/1", fresh=True) == b"damaged"


def test_threads_of_a_pool_remember_what_its_maker_does_and_others_nothing(files: Files, fs: Counting) -> None:
    with files.remembering("a"):
        files.get("a/1")
        with pool(2) as ours:
            assert set(ours.map(files.get, ["a/1"] * 4)) == {b"a/1"}
        assert asked(fs) == {"GET": 1}
        with ThreadPoolExecutor(2) as others:
            assert set(others.map(files.get, ["a/1"] * 4)) == {b"a/1"}
        assert asked(fs) == {"GET": 4}


def test_memory_is_bounded_and_keeps_what_was_used_last(
    files: Files, fs: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "MOST_BYTES", 9)
    with files.remembering("a"):
        for name in ("a/1", "a/b/2", "a/1", "ab/3"):  # 3, 5 and 4 bytes
            files.get(name)
        asked(fs)
        files.get("a/1")
        assert asked(fs) == {}
        files.get("a/b/2")
        assert asked(fs) == {"GET": 1}


def test_a_file_that_was_folded_away_since_is_looked_for_anew(fs: Counting) -> None:
    root = f"/{uuid4().hex}"
    store, other = (SnapshotStore(root, Counting()), SnapshotStore(root, fs))
    window, as_of = a_window("2026-09-01"), at("2026-09-02")
    other.write("credit", Kind.DRIFT, window, as_of, [a_measurement(value=1.0)])
    with store.files.remembering("snapshots/monitor=credit"):
        assert store.has("credit", Kind.DRIFT, window, as_of)
        (path,) = store.files.listing("snapshots/monitor=credit")
        other.write("credit", Kind.DRIFT, window, as_of + timedelta(days=1), [a_measurement(value=2.0)])
        other.files.remove(path)
        found = store.measurements("credit", Kind.DRIFT, window)
    assert [m.value for m in found] == [2.0]


def test_a_folder_that_takes_more_than_one_answer_is_not_listed_again_for_a_part_of_it(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "ONE_ANSWER", 1)
    listed: list[str] = []

    def read(folder: str) -> list[str]:
        listed.append(folder)
        return files.listing(folder)

    there = memory.Memory(["a"])
    assert there.listing("a", read) == ["a/1", "a/b/2"]
    assert there.listing("a/b", read) == ["a/b/2"]
    there.forget()
    for _ in range(2):
        assert there.listing("a/b", read) == ["a/b/2"]
    there.add("a/b/3")
    there.drop("a/b/2")
    assert there.listing("a/b", read) == ["a/b/3"]
    assert listed == ["a", "a/b"]
    there.forget()
    assert there.listing("a/b", read) == ["a/b/2"]
    assert there.listing("a", read) == ["a/1", "a/b/2"]
    assert there.listing("a/b", read) == ["a/b/2"]
    assert listed == ["a", "a/b", "a/b", "a"]
