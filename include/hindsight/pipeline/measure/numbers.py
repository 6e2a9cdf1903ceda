"""Numbers: a window's profile as judging wants it, and the reference's own windows as a baseline keeps them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime

import pyarrow as pa

from hindsight.checks.news.coordinates import Coordinate, marked
from hindsight.checks.news.numbers import Measured, Numbers, Written, part, written
from hindsight.vocabulary.measurement import Measurement

PAST = "past"  # the table of a baseline
SCHEMA = pa.schema(
    [
        ("window_start", pa.timestamp("us", "UTC")),
        ("rows", pa.string()),
        ("layout", pa.binary()),
        ("numbers", pa.binary()),
    ]
)


def numbers(profile: Iterable[Measurement], *, moves: bool = False) -> Numbers:
    """Return the coordinates of a profile by segment; where the reference moves on, those of any are comparable."""
    found = _Gathered()
    found.add(profile, moves=moves)
    return found.numbers


@dataclass(slots=True)
class _Gathered:
    """Coordinates of a window by segment, and its rows; its profile may come in pieces, each of other columns."""

    parts: dict[str, dict[Measured, Coordinate]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)

    def add(self, profile: Iterable[Measurement], *, moves: bool = False) -> None:
        found, marks, rows = marked(profile)
        self.rows |= rows
        for (segment, feature, name), one in found.items():
            mark = 0 if moves else marks.get((segment, feature), 0)
            self.parts.setdefault(segment, {})[feature, name, mark] = one

    @property
    def numbers(self) -> Numbers:
        return {segment: part(some, self.rows[segment]) for segment, some in self.parts.items()}


def past_table(profiles: Iterable[tuple[datetime, Iterable[Measurement]]]) -> pa.Table:
    """Return the table in which a baseline keeps the numbers of its reference's own windows.

    `profiles` are pieces of theirs by their starts.
    """
    gathered: dict[datetime, _Gathered] = defaultdict(_Gathered)
    for start, profile in profiles:
        gathered[start].add(profile)
    kept = [(start, written(gathered[start].numbers)) for start in sorted(gathered)]
    rows = [{"window_start": start, **asdict(one)} for start, one in kept]
    return pa.Table.from_pylist(rows, SCHEMA)


def past_of(table: pa.Table) -> dict[datetime, Written]:
    """Return what the table of a baseline keeps of the reference's own windows, by their starts."""
    return {row.pop("window_start"): Written(**row) for row in table.to_pylist()}
