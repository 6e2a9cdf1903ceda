"""Commands typed in this process, about a world."""

from __future__ import annotations

import pytest

from hindsight import cli
from tests.pipeline.world import World


def reached_by_commands(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Lead the command line to a world on SQLite, by the environment alone."""
    (world.folder / "pyproject.toml").touch()
    monkeypatch.chdir(world.folder)
    monkeypatch.delenv("AIRFLOW_HOME", raising=False)
    monkeypatch.setenv("HINDSIGHT_DATA", world.resources.settings.data)
    monkeypatch.setenv("HINDSIGHT_MONITORS", str(world.resources.settings.monitors))
    monkeypatch.setenv("AIRFLOW_CONN_HINDSIGHT_LEDGER", f"sqlite:///{world.folder / 'ledger.db'}")
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", f"sqlite:///{world.folder / 'test.db'}")
    return world


def typed(*words: str) -> int:
    """Type a command; return how it left."""
    with pytest.raises(SystemExit) as left:
        cli.main(words)
    return int(left.value.code or 0)
