"""Columns: what a baseline freezes of one column, how a window's sample is compared with it, and how it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hindsight.checks.reference.column_comparison import Comparison, compare_numbers, compare_texts
from hindsight.checks.reference.counted_comparison import compare_counts, counted_profile
from hindsight.checks.reference.profile import Moments, Profile, category_profile, numeric_profile
from hindsight.checks.values.bins import CategoryBins, NumericBins
from hindsight.checks.values.categories import OTHER, Frequencies
from hindsight.checks.values.counted import CountedNumbers
from hindsight.checks.values.distributions import Distribution
from hindsight.checks.values.number_texts import one_text_each
from hindsight.checks.values.precision import alike
from hindsight.checks.values.samples import Numbers, Sample, Texts

Role = Literal["feature", "prediction", "score", "label"]

SUMMARY = pa.schema(
    [
        *((name, pa.string()) for name in ("name", "segment", "role", "kind", "type")),
        *((name, pa.list_(pa.float64())) for name in ("edges", "deciles", "sums")),
        ("texts", pa.list_(pa.string())),
        ("counts", pa.list_(pa.int64())),
        *((name, pa.int64()) for name in ("first_row", "end_row", "finite")),
        *((name, pa.float64()) for name in ("mean", "deviations", "min", "max", "threshold")),
    ]
)


@dataclass(frozen=True, kw_only=True)
class ColumnBaseline:
    """One column of the reference in one segment ("" is all rows).

    `type` is its Arrow type there, `profile` the reference in the frozen bins, `threshold` what the method asks for
    with `threshold: auto`, `rows` where its values lie in the table values__<name>.
    """

    name: str
    role: Role
    segment: str
    type: str
    profile: Profile
    rows: tuple[int, int] = (0, 0)
    threshold: float | None = None

    @property
    def n(self) -> int:
        """Rows of the reference, nulls included."""
        return self.profile.n

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers."""
        return self.profile.moments is not None


@dataclass(frozen=True, kw_only=True)
class NumericBaseline(ColumnBaseline):
    """A numeric column: percentile bins, decile bins."""

    bins: NumericBins
    deciles: NumericBins

    def compare(self, reference: Sample, current: Sample) -> Comparison:
        """Compare the rows of a window with the reference's, both at the precision of the coarser."""
        if not isinstance(reference, Numbers) or not isinstance(current, Numbers):
            raise TypeError(f"column {self.name!r} is numeric")
        known = self.profile
        if isinstance(current, CountedNumbers):
            return compare_counts(self.bins, self.deciles, reference, known, current)
        std = known.moments.std if known.moments else 0.0
        if both := alike(reference.values, current.values, std):
            reference, current = (replace(s, values=v) for s, v in zip((reference, current), both, strict=True))
            known = replace(known, counts=self.bins.counts(reference.values, reference.nulls))
        counts = self.bins.counts(current.values, current.nulls)
        return compare_numbers(self.deciles, reference, known, current, counts)

    def profile_of(self, current: Sample) -> Profile:
        """Return the profile of the rows of a window in the frozen bins."""
        if not isinstance(current, Numbers):
            raise TypeError(f"column {self.name!r} is numeric")
        if isinstance(current, CountedNumbers):
            return counted_profile(self.bins, current)
        return numeric_profile(self.bins, current.values.values, current.nulls)


@dataclass(frozen=True, kw_only=True)
class CategoryBaseline(ColumnBaseline):
    """A categorical column: its most frequent texts."""

    bins: CategoryBins

    def compare(self, reference: Sample, current: Sample) -> Comparison:
        """Compare the rows of a window with the reference's."""
        if not isinstance(reference, Texts) or not isinstance(current, Texts):
            raise TypeError(f"column {self.name!r} is categorical")
        rest, known = OTHER if OTHER in reference.values.texts else None, self.profile
        then, now, renamed = one_text_each(reference.values, current.values, self.type)
        if renamed:
            reference, current = replace(reference, values=then), replace(current, values=now)
            known = replace(known, counts=self.bins.counts(then, reference.nulls))
        return compare_texts(self.bins, reference, known, current, rest)

    def profile_of(self, current: Sample) -> Profile:
        """Return the profile of the rows of a window in the frozen bins."""
        if not isinstance(current, Texts):
            raise TypeError(f"column {self.name!r} is categorical")
        binned = Frequencies.of(self.bins.texts, self.profile.counts[:-2])
        return category_profile(self.bins, one_text_each(binned, current.values, self.type)[1], current.nulls)


AnyColumn = NumericBaseline | CategoryBaseline


def sample_of(column: AnyColumn, values: pa.Table) -> Sample:
    """Return the reference's sample of a column, from the table of its values."""
    start, end = column.rows
    part = values.slice(start, end - start)
    distinct, counts = part.column("value"), part.column("count")
    if isinstance(column, CategoryBaseline):
        return Texts(Frequencies(tuple(distinct.to_pylist()), counts.to_numpy()), column.profile.nulls)
    if pc.sum(counts, min_count=0).as_py() == len(counts):  # each value once: the counts need not be laid out
        return Numbers(Distribution(distinct.to_numpy()), column.profile.nulls)
    return Numbers(Distribution.counted(distinct.to_numpy(), counts.to_numpy()), column.profile.nulls)


def to_row(column: AnyColumn) -> dict[str, Any]:
    """Write a column as a row of the table SUMMARY."""
    profile, moments = column.profile, column.profile.moments
    low, high = profile.range or (None, None)
    row = {
        "name": column.name,
        "segment": column.segment,
        "role": column.role,
        "type": column.type,
        "counts": profile.counts.tolist(),
        "first_row": column.rows[0],
        "end_row": column.rows[1],
        "threshold": column.threshold,
        "min": low,
        "max": high,
    }
    if isinstance(column, CategoryBaseline) or moments is None or profile.sums is None:
        return row | {"kind": "categorical", "texts": list(column.bins.labels[:-2])}
    return row | {
        "kind": "numeric",
        "edges": column.bins.edges.tolist(),
        "deciles": column.deciles.edges.tolist(),
        "sums": profile.sums.tolist(),
        "finite": moments.n,
        "mean": moments.mean,
        "deviations": moments.deviations,
    }


def from_row(row: Mapping[str, Any]) -> AnyColumn:
    """Read a column back from a row of the table SUMMARY."""
    counts = np.array(row["counts"], dtype=np.int64)
    known: dict[str, Any] = {key: row[key] for key in ("name", "role", "segment", "type", "threshold")}
    known["rows"] = (row["first_row"], row["end_row"])
    if row["kind"] == "categorical":
        texts = CategoryBins(tuple(row["texts"]))
        return CategoryBaseline(**known, bins=texts, profile=Profile(texts.labels, counts))
    bins, deciles = (NumericBins(np.array(row[key], dtype=np.float64)) for key in ("edges", "deciles"))
    moments = Moments(row["finite"], row["mean"], row["deviations"])
    ends = None if row["min"] is None else (row["min"], row["max"])
    profile = Profile(bins.labels, counts, np.array(row["sums"], dtype=np.float64), moments, ends)
    return NumericBaseline(**known, bins=bins, deciles=deciles, profile=profile)
