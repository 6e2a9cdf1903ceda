"""Places: where the demo keeps what it makes; all of it under data/, so that `make clean` finds it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Places:
    """The folders and files of one demo, below `data`."""

    data: Path

    @property
    def demo(self) -> Path:
        """What only the demo needs."""
        return self.data / "demo"

    @property
    def postgres(self) -> Path:
        """The embedded database's files."""
        return self.demo / "postgres"

    @property
    def airflow(self) -> Path:
        """AIRFLOW_HOME."""
        return self.demo / "airflow"

    @property
    def monitors(self) -> Path:
        """The monitor files, dates filled in."""
        return self.demo / "monitors"

    @property
    def mailbox(self) -> Path:
        """Every mail that was delivered, and a page to look at them."""
        return self.demo / "mailbox"

    @property
    def logs(self) -> Path:
        """What the demo's processes print."""
        return self.demo / "logs"

    @property
    def incidents(self) -> Path:
        """What was planted."""
        return self.demo / "incidents.json"

    @property
    def passwords(self) -> Path:
        """The password of Airflow's admin, made once, readable by its owner only."""
        return self.demo / "passwords.json"

    @property
    def secrets(self) -> Path:
        """The keys Airflow's processes share, made once, readable by their owner only."""
        return self.demo / "secrets.json"

    @property
    def history(self) -> Path:
        """How far each monitor's older history was computed."""
        return self.demo / "history.json"

    @property
    def pids(self) -> Path:
        """The processes of the running demo, and of one that was killed."""
        return self.demo / "pids.json"

    @property
    def snapshots(self) -> Path:
        """The Parquet."""
        return self.data / "snapshots"
