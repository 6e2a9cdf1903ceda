"""Counted: data quality of a window whose rows stay in the warehouse: the same numbers from counts between cuts.

Of stand-ins for "unknown" the usual ones lie between cuts of their own; values far away are asked for where there are
enough of them. A change of unit needs rows and is not looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from hindsight.checks.quality.norms import Counted, Norm
from hindsight.checks.quality.quality import (
    ALWAYS,
    NO_REFERENCE,
    NO_VALUES,
    OF_NUMBERS,
    Column,
    Values,
    logged_only,
    of_the_clock,
    span_of,
)
from hindsight.checks.quality.scales import LARGE, lie_together, seldom_whole
from hindsight.checks.quality.schema import Expected, Strangers, family, missing, retyped
from hindsight.checks.quality.sentinels import NUMBERS, alone, least, nearby, oddly_often, possible
from hindsight.checks.reference.control import UNKNOWN, Control
from hindsight.checks.reference.fitting import roles
from hindsight.checks.reference.peaks import REPEATED
from hindsight.checks.statistics.rates import NO_ROWS, share
from hindsight.checks.values.categories import Frequencies
from hindsight.checks.values.counted import Cells, CountedColumn, CountedNumbers
from hindsight.checks.values.samples import Texts
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.counts import CountedRows
from hindsight.vocabulary.measurement import Measurement

HASHED = "hashed columns are not counted in the warehouse: their values would travel in clear"
TOLD_BY_ROWS = "needs rows, and source.count_in is warehouse"
FOLDED = "too many categories to be counted one by one"


def quality_cuts(expected: Expected) -> list[float]:
    """Return where a numeric column is parted so that its quality can be told: spans, fences, usual stand-ins."""
    norm = expected.norm.numbers if expected.norm else None
    if norm is None:
        return []
    spans = [span_of(expected, norm), norm.fences, nearby(norm), *((v, v) for v in NUMBERS.tolist())]
    ends = [end for span in spans if span for end in (span[0], float(np.nextafter(span[1], inf)))]
    return sorted({end for end in ends if np.isfinite(end)})


def counted_quality(
    counted: CountedRows,
    columns: Mapping[str, CountedColumn],
    norm: Callable[[str], Norm | None],
    monitor: Monitor,
    *,
    control: Control = UNKNOWN,
    strangers: Strangers = dict,
) -> list[Measurement]:
    """Return the numbers of `quality` from columns that were counted at their `quality_cuts`.

    The `norm` of a column is asked for when its turn comes: it holds as many numbers as the reference has rows.
    """
    found = [share("duplicate_rate", counted.n_raw - counted.n, counted.n_raw)]
    for name, role, numeric in roles(monitor):
        expected = Expected(name, role, numeric, norm(name))
        if counted.n == 0:
            found += [Measurement(metric, None, feature=name, note=NO_ROWS) for metric in ALWAYS]
        elif name not in counted.schema.names:
            found.append(missing(expected, counted.n, strangers))
        elif name in monitor.pii.hash:
            found += [Measurement(metric, None, counted.n, feature=name, note=HASHED) for metric in ALWAYS]
        else:
            some = _column(counted, columns.get(name), expected, control, strangers)
            found += of_the_clock(some, control) if name in monitor.clocks else some
    return found + list(_logged(counted, monitor, strangers)) if counted.n else found


def _column(
    counted: CountedRows, column: CountedColumn | None, expected: Expected, control: Control, strangers: Strangers
) -> Iterator[Measurement]:
    kind = counted.schema.field(expected.name).type
    if column is None:
        yield retyped(expected, kind, counted.n)
        note = f"values of type {kind} are not counted in the warehouse: cast them in a view"
        yield Measurement("null_rate", None, counted.n, feature=expected.name, note=note)
        return
    sample = column.owed
    texts = sample.values if isinstance(sample, Texts) else None
    values = Values(kind, sample.n, sample.values.n, np.zeros(0), texts)
    cells = sample.cells if isinstance(sample, CountedNumbers) else None
    yield from _Counted(expected, values, False, control, strangers, counted, cells, column.folded).measure()


@dataclass(frozen=True)
class _Counted(Column):
    """One column that was counted beside what is expected of it."""

    counted: CountedRows
    cells: Cells | None
    folded: bool

    @property
    def size(self) -> int:
        return self.cells.size if self.cells else 0

    def _categorical(self, found: Frequencies) -> Iterator[Measurement]:
        for one in super()._categorical(found):
            off = self.folded and one.metric == "new_category_share" and one.value is not None
            yield Measurement(one.metric, None, one.n, feature=one.feature, note=FOLDED) if off else one

    def _numeric(self) -> Iterator[Measurement]:
        cells, n = self.cells, self.size
        norm = self.expected.norm.numbers if self.expected.norm else None
        rounded = cells is not None and norm is not None and bool(n) and _is_rounded(cells, norm)
        yield from self._nulls(self.values.n - n, "", rounded=rounded)
        if norm is None or not n or cells is None:
            note = NO_REFERENCE if norm is None else NO_VALUES
            yield from (self._measured(metric, None, n, note) for metric in OF_NUMBERS)
            return
        suspects = self._stand_ins(cells, norm)
        yield self._sentinels(suspects, n)
        spans = (("out_of_range_share", span_of(self.expected, norm), "the reference has no values"),)
        for metric, span, otherwise in (
            *spans,
            ("outlier_share", norm.fences, "the quartiles of the reference are equal"),
        ):
            if span is None:
                yield self._measured(metric, None, n - sum(suspects.values()), otherwise)
            else:
                beyond = sum(count for value, count in suspects.items() if not span[0] <= value <= span[1])
                yield self._hits(metric, n - cells.between(*span).size - beyond, norm, span)
        yield self._unless_still(_plain_ends(cells, suspects), n - sum(suspects.values()), norm)
        yield self._measured("unit_change", None, n, TOLD_BY_ROWS)

    def _stand_ins(self, cells: Cells, norm: Counted) -> dict[float, int]:
        """As `sentinels.stand_ins` has them."""
        n, zeros = cells.size, cells.between(0.0, 0.0).size
        usual = possible(norm, all_zero=zeros == n)
        often = {value: count for value in usual if (count := cells.between(value, value).size) >= least(n)}
        low, high = nearby(norm)
        beyond: dict[float, int] = {}
        far = n - cells.between(low, high).size
        far -= sum(cells.between(value, value).size for value in usual if not low <= value <= high)
        if far >= least(n):
            rows = self.counted.repeated(self.expected.name, low, high, least(n)).to_pylist()
            beyond = alone({row["value"]: row["n"] for row in rows if row["value"] not in usual}, far)
        often |= beyond
        usually = {value: norm.share_of(value, within=_step(cells) if value == 0 else 0.0) for value in often}
        return oddly_often(often, n, usually, far=beyond, peak=self._peak(REPEATED))


def _step(cells: Cells) -> float:
    """Half of the smallest value other than zero, by size."""
    sizes = np.abs(np.concatenate((cells.low[cells.starts > 0], cells.high[cells.starts < 0])))
    return float(np.nanmin(sizes)) / 2 if np.isfinite(sizes).any() else 0.0


def _plain_ends(cells: Cells, suspects: Sequence[float] | Mapping[float, int]) -> tuple[float, float] | None:
    """The least and the greatest value that is no stand-in; of a cell with others too all of it counts."""
    counts = dict(suspects) if isinstance(suspects, Mapping) else {}
    left = cells.n.copy()
    for value, count in counts.items():
        left[np.searchsorted(cells.cuts, value, side="right")] -= count
    there = left > 0
    return (float(cells.low[there].min()), float(cells.high[there].max())) if there.any() else None


def _is_rounded(cells: Cells, norm: Counted) -> bool:
    """As `scales.is_rounded` has it: the sizes of a cell lie between its ends, of which zero is one."""
    ends = cells.extremes
    if ends is None or ends[0] == ends[1] or int(cells.whole.sum()) < cells.size or not norm.n:
        return False
    least_size = float(np.nanmin(np.minimum(np.abs(cells.low), np.abs(cells.high))))
    return least_size < LARGE and seldom_whole(cells.size, norm) and lie_together(cells.distribution, norm)


def _logged(counted: CountedRows, monitor: Monitor, strangers: Strangers) -> Iterator[Measurement]:
    """Yield schema_change of what is only logged, and of segments: 1 for one missing, or texts where numbers belong."""
    for what, name, numeric in logged_only(monitor, monitor.pii.drop):
        if name not in counted.schema.names:
            yield missing(Expected(name, what), counted.n, strangers)
            continue
        is_text = (
            numeric
            and name in counted.columns
            and what != "status_code"
            and family(str(counted.schema.field(name).type)) == "text"
        )
        note = "retyped: texts where numbers belong" if is_text else ""
        yield Measurement("schema_change", float(is_text), counted.n, feature=name, note=note)
