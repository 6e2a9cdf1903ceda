"""A warehouse that the environment leads to, and the command line run in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight import cli
from hindsight.commands import console
from tests.cli.said import SLOW, Said, Say
from tests.pipeline.world import REFERENCE, World, a_world


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Three days of a warehouse that the environment leads to; the second is slow, the third hardly right."""
    with a_world(sqlite_url, tmp_path, REFERENCE) as made:
        monkeypatch.delenv("AIRFLOW_HOME", raising=False)
        monkeypatch.setenv("HINDSIGHT_DATA", made.resources.settings.data)
        monkeypatch.setenv("HINDSIGHT_MONITORS", str(made.resources.settings.monitors))
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", f"sqlite:///{sqlite_url.database}")
        monkeypatch.setenv("AIRFLOW_CONN_HINDSIGHT_LEDGER", f"sqlite:///{tmp_path / 'ledger.db'}")
        made.log("2026-09-01").log("2026-09-02", **SLOW).log("2026-09-03", right=0.3)
        yield made


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Run a command in this process; the terminal is 100 columns wide."""
    monkeypatch.setattr(console.out, "width", 100)

    def run(*arguments: str) -> Said:
        with pytest.raises(SystemExit) as left:
            cli.main(arguments)
        printed = capsys.readouterr()
        return Said(int(left.value.code or 0), printed.out, printed.err)

    return run
