"""Case: a folder of real data with known answers - its files, and the monitor file that watches it.

Needed are case.json, predictions.parquet, labels.parquet and truth.csv; whatever else a folder lacks is left out of the
monitor and of what is compared.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
_NEEDED = {"predictions": ("request_id", "predicted_at", "prediction"), "labels": ("request_id", "label", "labeled_at")}
_OPTIONAL = ("latency_ms", "status_code")
_NOTHING = {"", "nan", "none", "null"}
_LENGTHS = {"min": MINUTE, "t": MINUTE, "h": timedelta(hours=1), "d": DAY, "w": 7 * DAY}
_LONGEST_NAME = 55  # beside what the names of tables and baselines add to it


@dataclass(frozen=True)
class Case:
    """One case in its folder; `windows` is how many of its windows are used, None for all.

    Reading what the folder holds raises SystemExit, naming the file, where it is not what a case needs.
    """

    folder: Path
    windows: int | None = None

    @property
    def name(self) -> str:
        """The folder's name as monitors and tables may be called."""
        plain = re.sub(r"[^a-z0-9_]+", "_", self.folder.name.lower())
        return (plain if plain[:1].isalpha() else f"case_{plain}")[:_LONGEST_NAME]

    @cached_property
    def setup(self) -> dict[str, Any]:
        """What case.json says."""
        file = self.folder / "case.json"
        try:
            found = dict(json.loads(file.read_text()))
        except (OSError, ValueError, TypeError) as exc:
            raise SystemExit(f"{file}: expected a JSON object: {exc}") from exc
        if found.get("task") not in ("binary", "multiclass", "regression"):
            raise SystemExit(f"{file}: task: expected binary, multiclass or regression, got {found.get('task')!r}")
        return found

    @cached_property
    def truth(self) -> list[dict[str, str]]:
        """The rows of truth.csv of the windows used."""
        file = self.folder / "truth.csv"
        rows = rows_of(file)[: self.windows]
        if not rows or "window_start" not in rows[0]:
            raise SystemExit(f"{file}: expected a row a window, with the column window_start")
        return rows

    @cached_property
    def drift_truth(self) -> list[dict[str, str]]:
        """The rows of drift_truth.csv of the windows used; none without the file."""
        file = self.folder / "drift_truth.csv"
        used = {moment(row["window_start"]) for row in self.truth}
        return [row for row in rows_of(file) if moment(row["window_start"]) in used] if file.exists() else []

    @cached_property
    def days_after(self) -> tuple[int, ...]:
        """How many days after the ends of windows truth.csv says what was known."""
        found = (re.search(r"_asof_(\d+)d$", column) for column in self.truth[0])
        return tuple(sorted({int(match[1]) for match in found if match}))

    @cached_property
    def starts(self) -> list[datetime]:
        """The starts of the windows used, oldest first."""
        return sorted(moment(row["window_start"]) for row in self.truth)

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From the start of the first window to the end of the last, on the grid."""
        return self.starts[0], self.starts[-1] + self.size

    @cached_property
    def size(self) -> timedelta:
        """The length of a window, by what case.json says or by the truth's first; all of them lie on one grid."""
        match = re.fullmatch(r"(\d*)(min|[thdw])(-[a-z]{3})?", str(self.setup.get("window_freq") or "").lower())
        first = self.truth[0]
        if match:
            size = int(match[1] or 1) * _LENGTHS[match[2]]
        else:
            size = moment(first.get("window_end") or first["window_start"]) - moment(first["window_start"])
        if size < MINUTE or any((start - self.starts[0]) % size for start in self.starts):
            raise SystemExit(
                f"{self.folder / 'truth.csv'}: its windows are not all of one length ({self.setup.get('window_freq')}, "
                f"{size}); calendar months cannot be watched, windows of 30D can"
            )
        return size

    def monitor_file(self) -> dict[str, Any]:
        """The monitor file that watches this case as its truth was computed."""
        start, end = self.span
        setup = self.setup
        model = {"name": self.name, "task": setup["task"]}
        if setup.get("positive_label") is not None:
            model["positive_label"] = setup["positive_label"]
        numeric, categorical = (setup.get(kind) or [] for kind in ("numeric", "categorical"))
        file = {
            "name": self.name,
            "model": model,
            "window": f"{self.size // MINUTE}m" if self.size % DAY else f"{self.size.days}d",
            "anchor": start.isoformat(),
            "start": start.isoformat(),
            "end": end.isoformat(),
            "source": {"predictions": self._predictions(), "labels": self._labels()},
            "features": dict.fromkeys(numeric, "numeric") | dict.fromkeys(categorical, "categorical"),
        }
        return file | self._reference()

    def _predictions(self) -> dict[str, Any]:
        there = self._columns("predictions")
        named: dict[str, Any] = {"table": self.name, "id": "request_id", "timestamp": "predicted_at"}
        named |= {column: column for column in ("prediction", *_OPTIONAL) if column in there}
        scores = {str(one): f"score_{one}" for one in self.setup.get("classes") or ()}
        if self.setup["task"] == "multiclass":
            return named | ({"score": scores} if scores and there.issuperset(scores.values()) else {})
        return named | ({"score": "score"} if self.setup["task"] == "binary" and "score" in there else {})

    def _labels(self) -> dict[str, str]:
        self._columns("labels")
        return {"table": f"{self.name}_labels", "id": "request_id", "label": "label", "arrived_at": "labeled_at"}

    def _reference(self) -> dict[str, Any]:
        file = self.folder / "reference.parquet"
        if not file.exists():
            return {}
        output = {"output": {"split": "holdout"}} if "split" in pq.read_schema(file).names else {}
        return {"reference": {"parquet": str(file)} | output}

    def _columns(self, name: str) -> set[str]:
        """The columns of a Parquet file of the case; SystemExit where one that is needed is missing."""
        file = self.folder / f"{name}.parquet"
        try:
            there = set(pq.read_schema(file).names)
        except (OSError, ValueError) as exc:
            raise SystemExit(f"{file}: expected a Parquet file: {exc}") from exc
        if gone := [column for column in _NEEDED[name] if column not in there]:
            raise SystemExit(f"{file}: no column {', '.join(gone)}; there are {', '.join(sorted(there))}")
        return there


def moment(text: str) -> datetime:
    """A time of a truth file as aware UTC; without a zone it is UTC."""
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    try:
        with path.open(newline="") as file:
            return list(csv.DictReader(file))
    except OSError as exc:
        raise SystemExit(f"{path}: cannot be read: {exc}") from exc


def number(row: Mapping[str, str], column: str) -> float | None:
    """A number of a row; None where there is none, however that is written."""
    text = (row[column] or "").strip()
    return None if text.lower() in _NOTHING else float(text)
