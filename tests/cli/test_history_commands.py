"""The commands about history that grows: what expires is listed first; a backup is made, and brought back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.said import RUN, Say
from tests.pipeline.world import World

KEPT = {"snapshots": "5d"}  # whatever the clock says, September 2026 is longer ago


def files(world: World) -> list[Path]:
    return sorted((Path(world.resources.settings.data) / "snapshots").rglob("*.parquet"))


@pytest.fixture
def old(world: World, say: Say) -> World:
    """Three days that were checked long ago, with nothing open: whatever the clock says, it is later."""
    world.declare(retention=KEPT, rules=[{"id": "volume", "enabled": False}])
    assert say(*RUN).code == 0
    return world


def test_expire_lists_first_and_deletes_when_asked_to(old: World, say: Say) -> None:
    before = files(old)
    listed = say("expire", "credit", "--dry-run")
    assert listed.code == 0
    assert "would refuse what is before" in listed.out
    assert files(old) == before
    (plan,) = say("expire", "--dry-run", "--json").json
    assert plan["counts"]["snapshots"] == sum(path.startswith("snapshots/") for path in plan["files"]) > 0
    (gone,) = say("expire", "credit", "--json").json
    assert gone["snapshots"] == plan["counts"]["snapshots"] == len(before) - len(files(old))
    assert gone["horizon"] == plan["horizon"]
    assert "nothing deleted" in say("expire", "credit").out
    refused = say(*RUN)
    assert refused.code == 1
    assert "starts before the horizon" in refused.err
    assert say("show", "credit", "--as-of", "2026-09-02").code == 1
    assert say("show", "credit").code == 0


def test_a_backup_is_made_and_brought_back_elsewhere(
    world: World, say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(*RUN)
    shown, copy = say("show", "credit", "--json").json, str(tmp_path / "copy")
    made = say("backup", copy)
    assert (made.code, "of the ledger and" in made.out) == (0, True)
    assert "is not empty" in say("backup", copy).err
    assert "nothing is restored over what is there" in say("restore", copy).err
    monkeypatch.setenv("HINDSIGHT_DATA", str(tmp_path / "there"))
    monkeypatch.setenv("AIRFLOW_CONN_HINDSIGHT_LEDGER", f"sqlite:///{tmp_path / 'there.db'}")
    held = say("restore", copy, "--json")
    assert held.code == 0
    assert held.json["files"] == len(files(world)) + len(list((tmp_path / "there" / "baselines").rglob("*.*")))
    assert say("show", "credit", "--json").json == shown
