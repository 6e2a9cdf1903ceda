"""Testing: what a monitor file would tell of rows in hand, without Airflow, warehouse or ledger: for tests of users.

The rows are put into a SQLite warehouse in a folder that is gone at the end, every window is measured, and what was
stored is rehearsed as `hindsight rehearse` does. Nothing of the project is read but the monitor file and its suite.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from hindsight.errors import ConfigError, DataError
from hindsight.ledger.connect import open_engine
from hindsight.ledger.ledger import Ledger
from hindsight.monitors.document import Document
from hindsight.monitors.loader import read_file
from hindsight.monitors.model import Monitor
from hindsight.monitors.times import DAY, moment_of, nights_of
from hindsight.pipeline.measure.nights import find_windows, revise_windows
from hindsight.pipeline.measure.windows import run_window
from hindsight.pipeline.rehearse.rehearsal import Rehearsal
from hindsight.pipeline.rehearse.rehearsal import rehearse as rehearse_stored
from hindsight.pipeline.resources import Resources
from hindsight.settings import Settings, read_settings
from hindsight.training.registry import Registry
from hindsight.vocabulary.windows import Window, format_moment
from hindsight.warehouse.connect import connected
from hindsight.warehouse.declared import missing
from hindsight.warehouse.predictions import logged_between

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Rehearsal", "rehearse"]
PREDICTIONS, LABELS = "predictions", "labels"  # the frames, and their tables
_PLAIN = {str, bytes, int, float, bool, datetime}
_EVER = datetime(9999, 1, 1, tzinfo=UTC)
_KEY = b"hindsight.testing"  # what personal columns are hashed with: nothing of it is kept


def rehearse(
    monitor: str | Path,
    predictions: pd.DataFrame,
    labels: pd.DataFrame | None = None,
    *,
    start: str | datetime | None = None,
    end: str | datetime | None = None,
) -> Rehearsal:
    """Return what the monitor file at a path would have told of these rows, by the windows that start in [start, end).

    The columns of the frames are those the file names under `source.predictions` and `source.labels`; times without a
    zone are UTC. Without `labels` the file is taken as if it had none. All rows are measured: those before `start` hold
    the reference, and the past that news is compared with. `start` is by default where the file's reference ends, or
    the first window; `end` the end of the last. Raises ConfigError naming file and line for a column that is missing,
    DataError for a frame that cannot be stored.
    """
    document, watched = _read(Path(monitor), labels is not None)
    with _laboratory(predictions, labels) as resources:
        _require_columns(document, watched, resources)
        first, last = _measured(document, watched, resources)
        begin = _moment(start, "start") or _after_reference(watched, first)
        until = _moment(end, "end") or last
        if begin >= until:
            raise ConfigError(f"start {format_moment(begin)} is not before end {format_moment(until)}")
        with connected(resources.warehouse(watched.source.connection)):
            _run(watched, Window(first, min(until, last)), resources)
        return rehearse_stored(watched, resources, start=begin, end=until)


def _read(path: Path, labelled: bool) -> tuple[Document, Monitor]:
    """Return a file and its monitor, its tables called as the frames are."""
    document, monitor, found = read_file(path)
    if monitor is None or found:
        raise ConfigError(*found)
    source = monitor.source
    predictions = source.predictions.model_copy(update={"table": PREDICTIONS})
    truth = source.labels.model_copy(update={"table": LABELS}) if source.labels and labelled else None
    renamed = source.model_copy(update={"predictions": predictions, "labels": truth})
    return document, monitor.model_copy(update={"source": renamed})


@contextmanager
def _laboratory(predictions: pd.DataFrame, labels: pd.DataFrame | None) -> Iterator[Resources]:
    """Open a warehouse that holds the frames, and a store and a ledger that hold nothing."""
    with tempfile.TemporaryDirectory(prefix="hindsight-testing-") as name:
        folder = Path(name)
        url = sa.URL.create("sqlite", database=str(folder / "warehouse.db"))
        _store(url, {PREDICTIONS: predictions} | ({} if labels is None else {LABELS: labels}))
        ledger = Ledger(open_engine(sa.URL.create("sqlite", database=str(folder / "ledger.db"))))
        ledger.create()
        registry = Registry(ledger.engine)
        registry.create()
        own = read_settings()
        settings = Settings(own.root, str(folder / "data"), own.monitors, own.great_expectations)
        yield Resources(settings, lambda _: url, ledger, registry, pii_key=_KEY)
        ledger.engine.dispose()


def _store(url: sa.URL, frames: dict[str, pd.DataFrame]) -> None:
    from pandas.errors import DatabaseError

    engine = sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)
    for name, frame in frames.items():
        try:
            _in_utc(frame).to_sql(name, engine, index=False)
        except (DatabaseError, sa.exc.DBAPIError, ValueError, TypeError) as exc:
            odd = ", ".join(_odd(frame)) or "its columns"
            said = f"{name}: {odd} cannot be stored - give numbers, texts, booleans and times"
            raise DataError(said) from exc


def _odd(frame: pd.DataFrame) -> Iterator[str]:
    """Say of columns of objects that hold something no database column does what that is."""
    for column in (name for name, kind in frame.dtypes.items() if kind.kind == "O"):
        kinds = {type(value) for value in frame[column].dropna()} - _PLAIN
        if kinds:
            yield f"column {column!r} of {', '.join(sorted(kind.__name__ for kind in kinds))}"


def _in_utc(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with its times in UTC and without a zone, of which SQLite knows none."""
    aware = [column for column, kind in frame.dtypes.items() if getattr(kind, "tz", None) is not None]
    return frame.assign(**{str(column): frame[column].dt.tz_convert("UTC").dt.tz_localize(None) for column in aware})


def _require_columns(document: Document, monitor: Monitor, resources: Resources) -> None:
    lacking = list(missing(resources.warehouse(monitor.source.connection), monitor))
    if lacking:
        raise ConfigError(*(document.problem(where, said) for where, said in lacking))


def _measured(document: Document, monitor: Monitor, resources: Resources) -> tuple[datetime, datetime]:
    """Return where the first window with a row starts and the last ends; the rows the file compares with among them."""
    engine = resources.warehouse(monitor.source.connection)
    first, last = logged_between(engine, monitor, until=_EVER)
    if first is None or last is None:
        raise DataError(f"{PREDICTIONS}: the frame has no row with a time in {monitor.source.predictions.timestamp}")
    reference = monitor.reference
    if reference and reference.start and reference.end and (first >= reference.end or last < reference.start):
        span = f"{format_moment(reference.start)} to {format_moment(reference.end)}"
        said = f"no row of the frame lies in {span}, so nothing could drift: its rows belong into predictions too"
        raise ConfigError(document.problem(("reference",), said))
    return monitor.grid.window_at(first).start, monitor.grid.window_at(last).end


def _after_reference(monitor: Monitor, first: datetime) -> datetime:
    reference = monitor.reference
    return max(first, reference.end) if reference and reference.end else first


def _moment(given: str | datetime | None, name: str) -> datetime | None:
    if given is None or (isinstance(given, datetime) and given.tzinfo is not None):
        return given
    return moment_of(given.isoformat() if isinstance(given, datetime) else given, name)


def _run(monitor: Monitor, span: Window, resources: Resources) -> None:
    """Measure every window of a span, and what is known of labels each midnight in it and at the first after it."""
    for window in monitor.grid.starting_in(span.start, span.end):
        run_window(monitor, window, resources)
    nights = nights_of(None, span.start.isoformat(), (span.end + DAY).isoformat()) if monitor.source.labels else []
    for night in nights:
        found = find_windows(monitor, night, resources)
        revise_windows(monitor, found, night, resources)
        with resources.ledger.locked(monitor.name) as tx:
            tx.commit_night(night, night, len(found))
