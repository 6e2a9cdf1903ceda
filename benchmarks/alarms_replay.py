"""Replays: real windows, one after the other, through the command line with `threshold: auto`; pages that were false.

Independent draws flatter every method: real days resemble their neighbours more than a sample of the past. Here only
stretches are counted in which nothing is known to have happened, so every drift incident that begins there is false.
"""

from __future__ import annotations

import csv
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.case import Case, moment
from benchmarks.case_runs import hindsight, load, prepare, run

MONTH = timedelta(days=30.4375)
RULES = {"drift_share": "pages", "drift": "notices"}
HALF_HOUR = timedelta(minutes=30)

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Replay(Case):
    """A case judged with `threshold: auto`; `clock` says when the first row of its reference was, 30 minutes a row."""

    clock: datetime | None = None
    place: Path = Path()

    def monitor_file(self) -> dict[str, Any]:
        """The case's monitor, with learnt thresholds and the reference's clock where there is one."""
        file = super().monitor_file() | {"drift": {"threshold": "auto"}}
        if self.clock is not None:
            file["reference"]["parquet"] = str(self._stamped(self.clock))
        return file

    def _stamped(self, clock: datetime) -> Path:
        table = pq.read_table(self.folder / "reference.parquet")
        stamps = pa.array([clock + HALF_HOUR * row for row in range(table.num_rows)], pa.timestamp("us", "UTC"))
        path = self.place / f"{self.name}-reference.parquet"
        pq.write_table(table.append_column("predicted_at", stamps), path)
        return path

    def clean(self) -> list[Span]:
        """The windows in which nothing is known to have happened."""
        starts = (moment(row["window_start"]) for row in self.truth)
        broken = list(_broken(self.folder / "incidents.csv"))
        spans = [(start, start + self.size) for start in starts]
        return [span for span in spans if not any(span[0] < end and start < span[1] for start, end in broken)]


def _broken(path: Path) -> Iterator[Span]:
    if path.exists():
        with path.open() as file:
            for row in csv.DictReader(file):
                start, end = (datetime.fromisoformat(row[edge]).replace(tzinfo=UTC) for edge in ("start", "end"))
                yield start, end


@dataclass(frozen=True, slots=True)
class Stretch:
    """One replay: the case, how many of its first windows, and what is to be known about them."""

    case: str
    about: str
    windows: int | None = None
    clock: datetime | None = None

    @property
    def name(self) -> str:
        return f"replay/{self.case}" + ("/clock" if self.clock else "")


STRETCHES = (
    Stretch("control_elec2_shuffled", "100 weeks in random order"),
    Stretch("schema_break", "45 days, those of the dated incidents left out"),
    Stretch("elec2", "the weeks before 1997-05-05; reference without timestamps", windows=16),
    Stretch(
        "elec2",
        "the weeks before 1997-05-05; reference with its half-hours",
        windows=16,
        clock=datetime(1996, 5, 7, tzinfo=UTC),
    ),
)
LEFT_OUT = "hotel_booking, bike_sharing and insects_gradual have no stretch that is known to be clean"


def replay(stretch: Stretch) -> dict[str, Any]:
    """Run every window of a stretch in a warehouse of its own; return its false incidents and its months."""
    from demo import database

    source = Path(os.environ["HINDSIGHT_CASES"]) / stretch.case
    with tempfile.TemporaryDirectory(prefix="alarms-") as place, database.running(Path(place) / "postgres") as url:
        case = Replay(source, stretch.windows, clock=stretch.clock, place=Path(place))
        os.environ.update(prepare([case], url, Path(place)))
        load(case, url)
        run(case)
        stories = json.loads(hindsight("incidents", case.name, "--json"))
        return summary(stretch, case.clean(), case.size, stories)


def summary(stretch: Stretch, clean: list[Span], size: timedelta, stories: list[dict[str, Any]]) -> dict[str, Any]:
    """Count the drift incidents that begin in a clean window."""
    starts = {start for start, _ in clean}
    false = [
        (story["series"]["rule"], story["started"][:10], story["series"]["feature"])
        for story in stories
        if story["series"]["rule"] in RULES and datetime.fromisoformat(story["started"]) in starts
    ]
    months = len(clean) * size / MONTH
    counted = {what: sum(found == rule for found, *_ in false) for rule, what in RULES.items()}
    return {
        "name": stretch.name,
        "about": stretch.about,
        "windows": len(clean),
        "months": round(months, 2),
        **counted,
        "pages_per_month": counted["pages"] / months,
        "notices_per_month": counted["notices"] / months,
        "which": sorted(f"{day} {feature or rule}" for rule, day, feature in false),
    }
