"""Clean runs of the season bench: a log replayed as it is, with points of departure for faults kept on the way."""

from __future__ import annotations

import pickle
import shutil
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path

from benchmarks.seasons_port import Telling
from benchmarks.seasons_replay import Replay, proposed, steps
from benchmarks.seasons_series import Series, load
from benchmarks.seasons_warehouse import Warehouse
from hindsight.monitors.model import Monitor

SHARES = (0.25, 0.5, 0.75)
FREE, REACH = 7, 0.2  # windows without a telling before an onset; how far to look for one, as share of the stretch
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Onset:
    """A point of departure: a copy of the clean run as it stood before a window; `told_before` in seven windows."""

    share: float
    start: datetime
    told_before: int
    folder: str


@dataclass
class Clean:
    """A clean run: its monitor, stretch, tellings and onsets, and the starts of the windows each case breached."""

    series: str
    monitor: Monitor
    start: datetime
    end: datetime
    told: list[Telling] = field(default_factory=list)
    onsets: list[Onset] = field(default_factory=list)
    breached: dict[str, set[datetime]] = field(default_factory=dict)


def clean_run(series: Series, place: Path, *, more: str = "", windows: int | None = None) -> Clean:
    """Replay the stretch of a series without a fault; leave the warehouse, the onsets and what was told in a folder."""
    place.mkdir(parents=True, exist_ok=True)
    warehouse = Warehouse(series, place / "warehouse.duckdb")
    monitor = proposed(warehouse, place / "clean", window=series.window, more=more)
    if monitor.start is None:
        raise ValueError(f"{series.name}: init proposed no start")
    last = series.frame["predicted_at"].max().to_pydatetime()
    size = (last - monitor.start + DAY) // monitor.window
    size = min(size, windows) if windows else size
    run = Clean(series.name, monitor, monitor.start, monitor.start + size * monitor.window)
    replay = Replay(place / "clean", monitor, warehouse.url)
    before = _Onsets(run, size, place)
    todo = steps(monitor, run.start, run.end)
    for (_, told), coming in zip(replay.run(todo), [*todo[1:], None], strict=True):
        run.told += told
        if coming is not None and coming.window is not None:
            before.look(coming.window.start, replay)
    run.onsets, run.breached = before.kept, replay.breached()
    replay.remove()
    (place / "clean.pickle").write_bytes(pickle.dumps(run))
    return run


class _Onsets:
    """Points of departure kept while a clean run goes on: the first after seven quiet windows, or the quietest."""

    def __init__(self, run: Clean, size: int, place: Path) -> None:
        self.run, self.place = run, place
        self.first = {share: ceil(share * size) for share in SHARES}
        self.last = {share: ceil((share + REACH) * size) for share in SHARES}
        self.best: dict[float, Onset] = {}

    @property
    def kept(self) -> list[Onset]:
        return [self.best[share] for share in SHARES if share in self.best]

    def look(self, start: datetime, replay: Replay) -> None:
        """Keep a copy of a run that is about to do the window at `start`, where that is the best onset so far."""
        size = self.run.monitor.window
        at = (start - self.run.start) // size
        told = sum(start - FREE * size < one.at <= start + size for one in self.run.told)
        for share in SHARES:
            best = self.best.get(share)
            if self.first[share] <= at < self.last[share] and (best is None or told < best.told_before):
                folder = self.place / f"onset-{share}-{at}"
                replay.copy(folder)
                if best is not None:
                    shutil.rmtree(best.folder)
                self.best[share] = Onset(share, start, told, str(folder))


def opened(place: Path, name: str) -> tuple[Clean, Series]:
    """Read a clean run and its series again, in another process."""
    return pickle.loads((place / "clean.pickle").read_bytes()), load(name)
