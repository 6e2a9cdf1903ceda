"""Replay of the season bench: the windows and label nights of a log in order of time, as a scheduler would run them.

The monitor file is what `hindsight init` proposes for the tables, made active and without its expectation suite (Great
Expectations takes longer than all the rest of a window and knows no past). A replay can stop before a window and be
continued in a copy of its folder: so a planted fault costs only the windows from its onset on.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from benchmarks.seasons_port import Telling, tellings
from benchmarks.seasons_warehouse import Warehouse
from hindsight.ledger.connect import open_engine
from hindsight.ledger.ledger import Ledger
from hindsight.monitors.loader import load_file
from hindsight.monitors.model import Monitor
from hindsight.pipeline import find_windows, judge_night, judge_window, revise_windows, run_window
from hindsight.pipeline.propose import propose_monitor, wishes, write
from hindsight.pipeline.resources import Resources
from hindsight.settings import Settings
from hindsight.training.registry import Registry
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.connect import connected

NIGHT_AFTER, DAY = timedelta(hours=2), timedelta(days=1)
SOON = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a scheduler does: a window to run, or a night of labels; `at` is when it does it."""

    at: datetime
    window: Window | None = None
    night: datetime | None = None


def proposed(warehouse: Warehouse, folder: Path, *, window: str | None, more: str = "") -> Monitor:
    """Return the monitor that `hindsight init` proposes, as its file says; `more` is YAML added to the file."""
    table, labels = warehouse.names
    engine = _resources(folder, warehouse.url).warehouse("warehouse")
    proposal = propose_monitor(
        engine,
        "warehouse",
        table,
        name=warehouse.series.name,
        given={},
        labels_table=labels,
        wishes=wishes(warehouse.series.task, None, window),  # type: ignore[arg-type]
    )
    proposal.lines[:] = [
        line for line in proposal.lines if line.where != ("quality", "suite") and line.where != ("state",)
    ]
    written = write(proposal, _settings(folder), folder=folder / "monitors")
    with written.monitor.open("a") as file:
        file.write(f"\nstate: active\n{more}\n")
    return load_file(written.monitor)


def steps(monitor: Monitor, start: datetime, end: datetime, *, settled: datetime | None = None) -> list[Step]:
    """List what happens to the windows of `[start, end)`: each is run, and nights follow up to `settled` (or `end`).

    Labels are looked at once a window: every night for windows of a day, a day after the end of each week.
    """
    windows = [
        Step(window.end + monitor.lateness + SOON, window=window)
        for window in monitor.grid.starting_in(start, end)
        if window.end <= end
    ]
    apart = max(monitor.window, DAY)
    first = (start + monitor.window).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first += DAY if monitor.window > DAY else timedelta(0)
    count = max(((settled or end) + DAY - first) // apart + 1, 0)
    nights = [Step(first + i * apart + NIGHT_AFTER, night=first + i * apart) for i in range(count)]
    return sorted([*windows, *nights], key=lambda step: step.at)


@dataclass
class Replay:
    """A monitor's store and ledger in a folder, and the steps done there."""

    folder: Path
    monitor: Monitor
    warehouse: sa.URL

    def __post_init__(self) -> None:
        """Open the folder, made where it is not there."""
        self.resources = _resources(self.folder, self.warehouse)

    def run(self, todo: Iterable[Step]) -> Iterator[tuple[Step, list[Telling]]]:
        """Do these steps in order; yield each with what was told in it.

        One connection serves them all: to open a DuckDB file is a third of the time of a window.
        """
        with connected(self.resources.warehouse("warehouse")):
            for step in todo:
                done = self._night(step.night, step.at) if step.night else self._window(step.window, step.at)
                yield step, list(done)

    def copy(self, folder: Path) -> Replay:
        """Return a replay that goes on from here in another folder; files that never change are shared by links."""
        data = self.folder / "data"
        for path in data.rglob("*"):
            if path.is_file():
                target = folder / "data" / path.relative_to(data)
                target.parent.mkdir(parents=True, exist_ok=True)
                _share(path, target)
        _copy_ledger(self.folder / "ledger.db", folder / "ledger.db")
        return Replay(folder, self.monitor, self.warehouse)

    def breached(self) -> dict[str, set[datetime]]:
        """Return of each case the starts of the windows in which it breached."""
        found: dict[str, set[datetime]] = defaultdict(set)
        for incident in self.resources.ledger.incidents(self.monitor.name):
            found[incident.case] |= set(incident.breaches)
        return dict(found)

    def remove(self) -> None:
        """Close and delete the folder."""
        self.resources.ledger.engine.dispose()
        shutil.rmtree(self.folder)

    def _window(self, window: Window | None, at: datetime) -> Iterator[Telling]:
        if window is not None:
            with self.resources.remembering(self.monitor.name):
                run_window(self.monitor, window, self.resources)
                yield from tellings(judge_window(self.monitor, window, self.resources, judged_at=at), at)

    def _night(self, night: datetime, at: datetime) -> Iterator[Telling]:
        with self.resources.remembering(self.monitor.name):
            windows: Sequence[Window] = find_windows(self.monitor, night, self.resources)
            revise_windows(self.monitor, windows, night, self.resources)
            yield from tellings(judge_night(self.monitor, night, windows, self.resources, judged_at=at), at)


def _share(path: Path, target: Path) -> None:
    if path.suffix == ".parquet":
        target.hardlink_to(path)
    else:
        shutil.copyfile(path, target)


def _copy_ledger(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(source) as old, sqlite3.connect(target) as new:
        old.backup(new)
    old.close()
    new.close()


def _settings(folder: Path) -> Settings:
    return Settings(folder, str(folder / "data"), folder / "monitors", folder / "great_expectations")


def _resources(folder: Path, warehouse: sa.URL) -> Resources:
    folder.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(open_engine(sa.URL.create("sqlite", database=str(folder / "ledger.db"))))
    ledger.create()
    registry = Registry(ledger.engine)
    registry.create()
    return Resources(_settings(folder), lambda _: warehouse, ledger, registry)
