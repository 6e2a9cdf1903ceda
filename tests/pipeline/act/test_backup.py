"""Backup and restore: one moment of ledger and store, on another root, store and database; torn copies are refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import fsspec
import pytest
import sqlalchemy as sa
from fsspec import AbstractFileSystem

from hindsight import pipeline
from hindsight.errors import HindsightError, LedgerError, StoreError
from hindsight.ledger.connect import open_engine
from hindsight.ledger.ledger import Ledger
from hindsight.pipeline.act.backup import backup
from hindsight.pipeline.act.copies import LEDGER, Copied, dump, load
from hindsight.pipeline.act.restore import restore
from hindsight.pipeline.act.retraining import matured_rows
from hindsight.training.artifacts import Artifact, load_model, located, save_model
from hindsight.training.registry import ModelVersion, Registry
from tests.builders import at
from tests.pipeline.world import REFERENCE, World, a_world
from tests.training.boosters import BoosterModel

NOW = at("2026-09-05T03:00")
OWN = ["tests.training.boosters.Booster", "tests.training.boosters.BoosterModel"]


def lived_in(world: World) -> World:
    """Windows, nights, incidents, mail, a report, a model: something in every corner."""
    world.log("2026-09-01").run("2026-09-01")
    world.log("2026-09-02", latency_ms=900.0).run("2026-09-02")
    world.deliver(at("2026-09-03T01:00"))
    world.night("2026-09-05")
    pipeline.report_night(world.monitor, at("2026-09-05"), world.resources, made_at=at("2026-09-05"))
    rows = matured_rows(world.declare(retrain=RETRAIN).monitor, at("2026-09-05"), world.resources)
    place = "models/credit/k"
    model = BoosterModel().fit(rows[["amount"]], rows["label"])
    kept = save_model(model, world.resources.files, place, trusted=OWN)
    artifact = f"{place}/{kept.sha256}.skops"
    made = at("2026-09-05")
    version = ModelVersion("credit", "v1", made, made, 9, {"auc": 0.9}, artifact, kept.sha256, made)
    world.resources.registry.register(version)
    world.resources.registry.promote("credit", "v1", at=made)
    return world


RETRAIN = {"train": "lending.models:train"}


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path / "here", REFERENCE) as made:
        yield lived_in(made)


def elsewhere(world: World, url: sa.URL, data: str) -> World:
    """The same monitor and warehouse with an empty ledger and an empty store somewhere else."""
    ledger = Ledger(open_engine(url))
    ledger.create()
    registry = Registry(ledger.engine)
    registry.create()
    settings = replace(world.resources.settings, data=data)
    resources = replace(world.resources, settings=settings, ledger=ledger, registry=registry)
    return World(world.url, world.folder, resources)


def rows(world: World) -> dict[str, list[Any]]:
    with world.resources.ledger.reading() as connection:
        return {t.name: list(connection.execute(sa.select(t).order_by(*t.primary_key))) for t in LEDGER}


def stored(world: World) -> dict[str, bytes]:
    files = world.resources.files
    tops = ("snapshots", "baselines", "labels", "reports", "models")
    return {path: files.get(path) for top in tops for path in files.listing(top)}


def everything(world: World) -> list[Any]:
    resources, monitor = world.resources, world.monitor
    reports = [pipeline.read_report(report.id, resources) for report in resources.ledger.reports()]
    champion = resources.registry.champion("credit")
    assert champion is not None
    where = located(resources.settings.data, champion.artifact)
    model = load_model(Artifact(where, champion.sha256), trusted=OWN)
    states = [pipeline.state_of(monitor, resources, as_of=moment) for moment in (None, at("2026-09-03"))]
    return [reports, type(model), states, pipeline.stories(monitor, resources)]


# Round trips


@pytest.mark.parametrize("way", ["to PostgreSQL", "from PostgreSQL"])
def test_all_of_it_arrives_on_another_database_and_root_and_life_goes_on(
    way: str, sqlite_url: sa.URL, postgres_url: sa.URL, tmp_path: Path
) -> None:
    there = sa.URL.create("sqlite", database=str(tmp_path / "there.db"))
    source, target = (sqlite_url, postgres_url) if way == "to PostgreSQL" else (postgres_url, there)
    with a_world(source, tmp_path / "here", REFERENCE) as world:
        lived_in(world)
        made = backup(str(tmp_path / "copy"), world.resources, now=NOW)
        moved = elsewhere(world, target, str(tmp_path / "there"))
        assert restore(str(tmp_path / "copy"), moved.resources) == made
        assert rows(moved) == rows(world)
        assert stored(moved) == stored(world)
        assert everything(moved) == everything(world)
        assert made.rows["verdicts"] > 0
        assert (sum(made.rows.values()), made.missing) == (sum(map(len, rows(world).values())), [])
        events = len(rows(moved)["incident_events"])
        world.log("2026-09-03", latency_ms=20.0, prediction=None)
        for one in (world, moved):
            one.run("2026-09-03")
            one.night("2026-09-06")
        ids = [[mail.id for mail in one.resources.ledger.outbox()] for one in (world, moved)]
        assert ids[0] == ids[1]
        assert len(rows(moved)["incident_events"]) > events  # numbered on after those that were restored
        assert rows(moved)["verdicts"] == rows(world)["verdicts"]
        assert stored(moved).keys() == stored(world).keys()
        moved.resources.ledger.engine.dispose()


def test_a_backup_on_another_store_is_restored_into_a_third(
    world: World, s3: AbstractFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(fsspec.config.conf, "s3", s3.storage_options)
    copy = f"s3://hindsight/{uuid4().hex}"
    backup(copy, world.resources, now=NOW)
    there = sa.URL.create("sqlite", database=str(tmp_path / "there.db"))
    moved = elsewhere(world, there, f"memory://{uuid4().hex}")
    restore(copy, moved.resources)
    assert (rows(moved), stored(moved)) == (rows(world), stored(world))
    assert everything(moved) == everything(world)
    again = elsewhere(world, sa.URL.create("sqlite", database=str(tmp_path / "again.db")), f"{copy}-root")
    restore(copy, again.resources)
    assert everything(again) == everything(world)


# Torn and taken


def torn(copy: Path) -> dict[str, Any]:
    manifest = load(str(copy))
    snapshot = next((copy / "data" / "snapshots").rglob("*.parquet"))
    part = copy / manifest.parts["verdicts"][0].path
    newer = replace(manifest, ledger="0099", hindsight="9.0")
    foreign = Copied("../../etc/passwd", 1, "0")
    return {
        "no manifest": (lambda: (copy / "manifest.json").unlink(), "never ended"),
        "half a manifest": (lambda: (copy / "manifest.json").write_text("{"), "not the manifest"),
        "another version": (lambda: (copy / "manifest.json").write_bytes(dump(newer)), "made by Hindsight 9.0"),
        "a file gone": (snapshot.unlink, "is missing from the backup"),
        "a file cut": (lambda: snapshot.write_bytes(snapshot.read_bytes()[:-9]), "SHA-256"),
        "rows gone": (part.unlink, "is missing from the backup"),
        "rows changed": (lambda: part.write_bytes(part.read_bytes()[:-1] + b"x"), "SHA-256"),
        "the list changed": (lambda: (copy / "files.parquet").write_bytes(b"PAR1"), "SHA-256"),
        "a list that leads elsewhere": (
            lambda: (copy / "manifest.json").write_bytes(dump(replace(manifest, listing=foreign))),
            "not a path inside the store",
        ),
    }


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world with a backup beside it that tests copy before they damage it."""
    folder = tmp_path_factory.mktemp("shared")
    with a_world(sa.URL.create("sqlite", database=str(folder / "test.db")), folder / "here", REFERENCE) as made:
        backup(str(folder / "copy"), lived_in(made).resources, now=NOW)
        yield made


CASES = (
    "no manifest", "half a manifest", "another version", "a file gone", "a file cut", "rows gone", "rows changed",
    "the list changed", "a list that leads elsewhere",
)  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_torn_backup_is_refused_in_words_and_nothing_is_written(shared: World, tmp_path: Path, case: str) -> None:
    copy = tmp_path / "copy"
    fsspec.filesystem("file").copy(str(shared.folder.parent / "copy"), str(copy), recursive=True)
    tear, words = torn(copy)[case]
    tear()
    moved = elsewhere(shared, sa.URL.create("sqlite", database=str(tmp_path / "there.db")), str(tmp_path / "there"))
    with pytest.raises(StoreError, match=words):
        restore(str(copy), moved.resources)
    assert stored(moved) == {}
    assert not any(rows(moved).values())


def test_nothing_is_restored_over_what_is_there(shared: World, tmp_path: Path) -> None:
    copy, fresh = str(shared.folder.parent / "copy"), sa.URL.create("sqlite", database=str(tmp_path / "there.db"))
    used = [
        (elsewhere(shared, fresh, shared.resources.settings.data), StoreError, "is not empty"),
        (replace_data(shared, str(tmp_path / "there")), LedgerError, "the ledger is not empty"),
    ]
    for world, error, words in used:
        before = rows(world), stored(world)
        with pytest.raises(error, match=words):
            restore(copy, world.resources)
        assert (rows(world), stored(world)) == before


def replace_data(world: World, data: str) -> World:
    settings = replace(world.resources.settings, data=data)
    return World(world.url, world.folder, replace(world.resources, settings=settings))


def test_a_backup_wants_a_folder_of_its_own(shared: World, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    inside = f"{shared.resources.settings.data}/snapshots/copy"
    for place, words in ((str(tmp_path), "is not empty"), (inside, "inside the store")):
        with pytest.raises(HindsightError, match=words):
            backup(place, shared.resources, now=NOW)


def test_what_the_ledger_names_and_the_store_has_not_is_said(shared: World, tmp_path: Path) -> None:
    (report,) = shared.resources.ledger.reports()
    there = elsewhere(shared, sa.URL.create("sqlite", database=str(tmp_path / "there.db")), str(tmp_path / "there"))
    there.resources.ledger.add_report(report)
    made = backup(str(tmp_path / "copy"), there.resources, now=NOW)
    assert made.missing == [report.uri]
    assert json.loads((tmp_path / "copy" / "manifest.json").read_text())["made_at"] == NOW.isoformat()
