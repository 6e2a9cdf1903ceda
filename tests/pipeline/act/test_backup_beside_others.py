"""A backup that is made while others write and fold holds all there was when it began, and one moment of the ledger."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight.ledger import tables
from hindsight.ledger.connect import open_engine
from hindsight.ledger.ledger import Ledger
from hindsight.ledger.records import Report
from hindsight.pipeline.act.backup import backup
from hindsight.pipeline.act.folding import fold_snapshots
from hindsight.pipeline.act.restore import restore
from hindsight.pipeline.resources import Resources
from hindsight.settings import Settings
from hindsight.snapshots.names import FoldName
from hindsight.snapshots.port import Files
from hindsight.snapshots.store import SnapshotStore
from hindsight.training.registry import Registry
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.windows import Window
from tests.builders import DAY, HOUR, a_measurement, a_window, at

START, NOW = at("2026-09-01"), at("2026-12-01")


def resources_at(url: sa.URL, folder: Path) -> Resources:
    ledger = Ledger(open_engine(url))
    ledger.create()
    registry = Registry(ledger.engine)
    registry.create()
    settings = Settings(folder, str(folder / "data"), folder / "monitors", folder / "great_expectations")
    return Resources(settings, lambda _: url, ledger, registry)


def write(store: SnapshotStore, number: int) -> None:
    window = Window(START + number * HOUR, START + (number + 1) * HOUR)
    facts = [a_measurement("psi", float(number), feature=name) for name in ("amount", "income")]
    store.write("credit", Kind.DRIFT, window, window.end, facts)


@contextmanager
def busy(resources: Resources, first: int) -> Iterator[list[BaseException]]:
    """One who writes window after window and folds all the while; what went wrong is kept."""
    over, wrong = threading.Event(), list[BaseException]()

    def work() -> None:
        number = first
        while not over.is_set():
            with resources.ledger.locked("credit"):
                write(resources.store, number)
            number += 1
            if number % 7 == 0:
                fold_snapshots("credit", resources, now=START + number * HOUR + 3 * DAY)

    def guarded() -> None:
        try:
            work()
        except BaseException as exc:  # noqa: BLE001 - handed to the test
            wrong.append(exc)

    worker = threading.Thread(target=guarded)
    worker.start()
    yield wrong
    over.set()
    worker.join()


@pytest.mark.parametrize("attempt", range(3))
def test_all_that_was_there_when_it_began_is_in_it(sqlite_url: sa.URL, tmp_path: Path, attempt: int) -> None:
    resources = resources_at(sqlite_url, tmp_path / "here")
    for number in range(60 + attempt):
        write(resources.store, number)
    there = resources.store.read("credit", end=START + 60 * HOUR)
    with busy(resources, 60 + attempt) as wrong:
        backup(str(tmp_path / "copy"), resources, now=NOW)
    assert wrong == []
    moved = resources_at(sa.URL.create("sqlite", database=str(tmp_path / "there.db")), tmp_path / "there")
    restore(str(tmp_path / "copy"), moved)
    assert moved.store.read("credit", end=START + 60 * HOUR).equals(there)
    assert any(isinstance(name, FoldName) for name in resources.store.names("credit"))


def folded(resources: Resources) -> int:
    """Fold, and delete what was folded; return how many files went."""
    return sum(fold_snapshots("credit", resources, now=NOW + hours * HOUR)["removed"] for hours in range(2))


class FoldsWhileCopied:
    """A store whose files are folded after the first of them was copied; it is the real one all the while."""

    def __init__(self, resources: Resources) -> None:
        self.resources, self.folded, self.copies = resources, 0, 0

    def once(self) -> None:
        self.copies += 1
        if self.copies == 1:
            self.folded += folded(self.resources)


def test_files_that_are_folded_between_listing_and_copying_come_as_the_fold(
    sqlite_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hindsight.pipeline.act import backup as module

    resources = resources_at(sqlite_url, tmp_path / "here")
    for number in range(30):
        write(resources.store, number)
    there = resources.store.read("credit")
    folds, read = FoldsWhileCopied(resources), module.read_whole

    def read_then_fold(root: str, path: str) -> bytes:
        data = read(root, path)
        folds.once()
        return data

    monkeypatch.setattr(module, "READERS", 1)
    monkeypatch.setattr(module, "read_whole", read_then_fold)
    made = backup(str(tmp_path / "copy"), resources, now=NOW)
    assert folds.folded >= 30  # and the days into their month
    assert made.files == 1
    assert len(list((tmp_path / "copy" / "data").rglob("*.parquet"))) == 1
    moved = resources_at(sa.URL.create("sqlite", database=str(tmp_path / "there.db")), tmp_path / "there")
    restore(str(tmp_path / "copy"), moved)
    assert moved.store.read("credit").equals(there)


def test_a_listing_that_a_fold_ran_through_is_not_believed(
    sqlite_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hindsight.pipeline.act import backup as module

    resources = resources_at(sqlite_url, tmp_path / "here")
    for number in range(30):
        write(resources.store, number)
    there, listed = resources.store.read("credit"), module._listed
    seen: list[int] = []

    def late(store: Files) -> set[str]:
        """The folder of the fold was looked into before it came, those of the small files when they were gone."""
        if seen:
            return listed(store)
        seen.append(folded(resources))
        return set()

    monkeypatch.setattr(module, "_listed", late)
    made = backup(str(tmp_path / "copy"), resources, now=NOW)
    assert made.files == 1
    moved = resources_at(sa.URL.create("sqlite", database=str(tmp_path / "there.db")), tmp_path / "there")
    restore(str(tmp_path / "copy"), moved)
    assert moved.store.read("credit").equals(there)


def test_what_expires_while_it_is_copied_is_left_out(
    sqlite_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hindsight.pipeline.act import backup as module

    resources = resources_at(sqlite_url, tmp_path / "here")
    for number in range(4):
        write(resources.store, number)
    *_, last = sorted(resources.files.listing("snapshots"))
    read = module.read_whole

    def read_then_expire(root: str, path: str) -> bytes:
        data = read(root, path)
        resources.files.remove(last)
        return data

    monkeypatch.setattr(module, "READERS", 1)
    monkeypatch.setattr(module, "read_whole", read_then_expire)
    assert backup(str(tmp_path / "copy"), resources, now=NOW).files == 3


def test_the_ledger_is_read_as_it_was_at_one_moment(database_url: sa.URL, tmp_path: Path) -> None:
    resources = resources_at(database_url, tmp_path)
    report = Report("a", "credit", a_window(), "accuracy", "reports/a.html", START)
    resources.ledger.add_report(report)
    count = sa.select(sa.func.count()).select_from(tables.reports)
    with resources.ledger.at_one_moment() as connection:
        assert connection.execute(sa.select(tables.verdicts)).all() == []
        resources.ledger.add_report(replace(report, id="b"))
        assert connection.execute(count).scalar() == 1
    with resources.ledger.reading() as connection:
        assert connection.execute(count).scalar() == 2
    resources.ledger.engine.dispose()
