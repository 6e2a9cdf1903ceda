"""Baseline: the reference, frozen: bins, profile and exact values of each column; the same rows give the same one."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from hindsight.checks.reference.columns import SUMMARY, AnyColumn, Role, from_row, to_row
from hindsight.checks.reference.confidence import confidences
from hindsight.checks.reference.fitting import fit_column, roles
from hindsight.checks.reference.scores import score_mistaken
from hindsight.checks.reference.shelf import Shelf, Tables
from hindsight.checks.reference.thresholds import blocks
from hindsight.checks.values.groups import Group, groups
from hindsight.checks.values.numbers import NotNumericError
from hindsight.errors import DataError
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.rows import Rows

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

FORMAT = "1"

Load = Callable[[str], pa.Table]


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The frozen reference: `columns` by name for all rows, `segments` the same for each segment, "region=EU".

    The values themselves are loaded one column at a time. `skipped` says why a column has no baseline. `performance`
    holds the realised metrics of the reference's labelled rows, filled in by whoever measured them, `labels` by segment
    what these labels are. `oldest` and `newest` are the first and last timestamp, None without timestamps; `versions`
    the model versions whose output it holds, `confidence` how sure they were, by segment; `mistaken`
    why the scores are not what the file says.
    """

    id: str
    n: int
    n_output: int
    model_version: str
    fitted_as_of: datetime
    columns: Mapping[str, AnyColumn]
    segments: Mapping[str, Mapping[str, AnyColumn]] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)
    performance: Mapping[str, float] = field(default_factory=dict)
    labels: Mapping[str, AnyColumn] = field(default_factory=dict)
    oldest: datetime | None = None
    newest: datetime | None = None
    versions: Sequence[str] = ()
    confidence: Mapping[str, float] = field(default_factory=dict)
    mistaken: str = ""
    load: Load = field(repr=False, compare=False)

    def column(self, name: str, segment: str = "") -> AnyColumn | None:
        """Return a column in a segment, None where the reference has too few rows of it, or no such column."""
        return (self.segments.get(segment, {}) if segment else self.columns).get(name)

    def every_column(self) -> Iterator[AnyColumn]:
        """Yield the columns of all rows, then those of each segment, then the labels."""
        yield from self.columns.values()
        for columns in self.segments.values():
            yield from columns.values()
        yield from self.labels.values()

    def values(self, name: str) -> pa.Table:
        """Load the distinct values of one column and their counts: of each segment and, last, of all rows."""
        return self.load(f"values__{name}")

    def measured(
        self,
        performance: Mapping[str, float],
        also: Mapping[str, pa.Table] | None = None,
        *,
        labels: Mapping[str, AnyColumn] | None = None,
        declared: str = "",
    ) -> Baseline:
        """Return the same baseline with what the reference's labels say, and tables beside its own.

        All of it decides the id, and so does `declared`, what the file asks for: the same rows with other labels, or
        for another file, are another baseline.
        """
        tables = dict(also or {})
        load = partial(_first_of, tables, self.load)
        held = replace(self, id="", performance=dict(performance), labels=dict(labels or {}), load=load)
        return replace(held, id=_content_id(held, tuple(tables), declared))

    def to_tables(self, *also: str) -> Tables:
        """Return the tables of the baseline, loaded one at a time: `summary`, `values__<column>`, those of `measured`.

        Of the latter those whose names are given.
        """
        facts = {
            "format": FORMAT,
            "id": self.id,
            "n": self.n,
            "n_output": self.n_output,
            "model_version": self.model_version,
            "fitted_as_of": self.fitted_as_of.isoformat(),
            "skipped": dict(self.skipped),
            "performance": dict(self.performance),
            "oldest": self.oldest and self.oldest.isoformat(),
            "newest": self.newest and self.newest.isoformat(),
            "versions": list(self.versions),
            "confidence": dict(self.confidence),
        } | ({"mistaken": self.mistaken} if self.mistaken else {})
        summary = pa.Table.from_pylist([to_row(column) for column in self.every_column()], SUMMARY)
        first = {"summary": summary.replace_schema_metadata({"hindsight": json.dumps(facts)})}
        return Tables(
            [*first, *(f"values__{name}" for name in self.columns), *also], partial(_first_of, first, self.load)
        )

    @classmethod
    def from_tables(cls, load: Load) -> Baseline:
        """Build a baseline from its tables; `load` is asked for `summary` now and for the values when they are needed.

        Raises DataError for tables of another format.
        """
        summary = load("summary")
        facts = json.loads((summary.schema.metadata or {}).get(b"hindsight", b"{}"))
        if facts.pop("format", None) != FORMAT:
            raise DataError(
                "this baseline was written by another version of Hindsight: refit it (hindsight baseline --refit)"
            )
        moments = {name: facts[name] for name in ("fitted_as_of", "oldest", "newest") if facts.get(name)}
        facts |= {name: datetime.fromisoformat(text) for name, text in moments.items()}
        every = [from_row(row) for row in summary.to_pylist()]
        columns, segments = _by_segment([column for column in every if column.role != "label"])
        labels = {column.segment: column for column in every if column.role == "label"}
        return cls(**facts, columns=columns, segments=segments, labels=labels, load=load)


def _first_of(tables: Mapping[str, pa.Table], load: Load, name: str) -> pa.Table:
    return tables[name] if name in tables else load(name)


def _by_segment(
    columns: list[AnyColumn],
) -> tuple[dict[str, AnyColumn], dict[str, dict[str, AnyColumn]]]:
    whole = {column.name: column for column in columns if not column.segment}
    segments: dict[str, dict[str, AnyColumn]] = {}
    for column in columns:
        if column.segment:
            segments.setdefault(column.segment, {})[column.name] = column
    return whole, segments


def fit(
    rows: Rows,
    monitor: Monitor,
    *,
    output: Rows,
    fitted_as_of: datetime,
    model_version: str = "",
    window_rows: int | None = None,
    like: Baseline | None = None,
) -> Baseline:
    """Freeze the reference: features from `rows`, prediction and score from `output`, all rows and every segment.

    With `threshold: auto` the thresholds are learnt from the windows of the reference or, where it has no timestamps
    or too few windows, from draws of `window_rows` rows (default a twentieth of the reference). The bins of `like`, an
    earlier baseline, are kept, so that profiles stay comparable over refits. A column that cannot be frozen is
    skipped with the reason. The result does not depend on the order of the rows.
    """
    features, outputs = (_Side(side, monitor, window_rows) for side in (rows, output))
    fitted: list[AnyColumn] = []
    tables = Shelf()
    skipped: dict[str, str] = {}
    for name, role, numeric in roles(monitor):
        side = features if role == "feature" else outputs
        try:
            columns, values = side.freeze(name, role, numeric, like)
            tables.put(f"values__{name}", values)
            fitted += columns
            del values  # before the next column is read
        except (NotNumericError, DataError) as exc:
            skipped[name] = f"in the reference: {exc}"
    whole, segments = _by_segment(fitted)
    oldest, newest = _span(rows, monitor)
    baseline = Baseline(
        id="",
        n=rows.n,
        n_output=output.n,
        model_version=model_version,
        fitted_as_of=fitted_as_of,
        columns=whole,
        segments=segments,
        skipped=skipped,
        oldest=oldest,
        newest=newest,
        versions=[group.model_version for group in groups(output, monitor) if group.model_version],
        confidence=confidences(output, monitor),
        mistaken="".join(m.note for m in score_mistaken(output, monitor) if m.value),
        load=tables.__getitem__,
    )
    return replace(baseline, id=_content_id(baseline))


def _span(rows: Rows, monitor: Monitor) -> tuple[datetime | None, datetime | None]:
    """Return the first and the last timestamp of the rows, None where they have none."""
    name = monitor.source.predictions.timestamp
    if name not in rows.columns or not pa.types.is_timestamp(rows.column(name).type):
        return None, None
    ends = pc.min_max(rows.column(name).cast(pa.timestamp("us", "UTC"), safe=False)).as_py()
    return ends["min"], ends["max"]


class _Side:
    """Rows of the reference with what is the same for each of their columns."""

    def __init__(self, rows: Rows, monitor: Monitor, window_rows: int | None) -> None:
        self.rows = rows
        self.method = monitor.drift.method if monitor.drift.threshold == "auto" else None
        self.groups: list[Group] = [group for group in groups(rows, monitor) if not group.model_version]
        self.windows = blocks(rows, monitor, window_rows) if self.method else None
        self.window_rows = window_rows or max(rows.n // 20, monitor.drift.min_rows)

    def freeze(self, name: str, role: Role, numeric: bool, like: Baseline | None) -> tuple[list[AnyColumn], pa.Table]:
        """Freeze one column; raises NotNumericError or, where there is no such column, DataError."""
        if name not in self.rows.columns:
            raise DataError(f"no column {name!r}")
        if self.rows.n == 0:
            raise DataError("no rows")
        return fit_column(
            self.rows.column(name),
            name,
            role,
            numeric=numeric,
            groups=self.groups,
            windows=self.windows,
            window_rows=self.window_rows,
            method=self.method,
            like=_earlier(like, name, self.groups),
        )


def _earlier(like: Baseline | None, name: str, groups: list[Group]) -> dict[str, AnyColumn]:
    found = {} if like is None else {group.segment: like.column(name, group.segment) for group in groups}
    return {segment: column for segment, column in found.items() if column is not None}


class _Digesting(io.RawIOBase):
    """A file whose contents are digested as they are written."""

    def __init__(self, digest: hashlib._Hash) -> None:
        self._digest = digest

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer) -> int:
        self._digest.update(data)
        return memoryview(data).nbytes


def _content_id(baseline: Baseline, also: Sequence[str] = (), declared: str = "") -> str:
    """Name a baseline by when it was fitted and a hash of what it holds and is for, so that names sort by age."""
    digest = hashlib.sha256(declared.encode())
    tables = baseline.to_tables(*also)
    for name in sorted(tables):
        digest.update(name.encode())
        table = tables[name].combine_chunks()
        with pa.PythonFile(_Digesting(digest), "w") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    return f"{baseline.fitted_as_of:%Y%m%dT%H%M%SZ}-{digest.hexdigest()[:16]}"
