"""What was known of a monitor's windows at a moment, from snapshots alone: the same moment always gives the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from hindsight.monitors.model import Monitor
from hindsight.pipeline.judge.verdicts import NIGHT_KINDS
from hindsight.pipeline.resources import Resources
from hindsight.vocabulary.measurement import Kind, Measurement

KINDS = (Kind.ESTIMATE, *NIGHT_KINDS)
_SHOWN = ("total_requests", "reliability", "reliability_score", "ece", "estimate_error", "estimate_reading")
Facts = Mapping[tuple[str, str], Measurement]  # by kind.metric and bin


@dataclass(frozen=True, slots=True)
class Known:
    """The numbers of all rows together by window start, and the whole table they come from.

    `as_of` says of each window with labels when what is known of it was known.
    """

    table: pa.Table
    windows: Mapping[datetime, Facts]
    as_of: Mapping[datetime, datetime]

    def fact(self, start: datetime, path: str) -> Measurement | None:
        """Return a number of a window by its path, such as labels.coverage; None where there is none."""
        return self.windows.get(start, {}).get((path, ""))

    def value(self, start: datetime, path: str) -> float | None:
        """Return its value."""
        found = self.fact(start, path)
        return found.value if found else None

    def bins(self, start: datetime, path: str) -> dict[str, Measurement]:
        """Return the bins of a vector metric of a window."""
        return {bin: m for (name, bin), m in self.windows.get(start, {}).items() if name == path and bin}

    def is_final(self, start: datetime) -> bool:
        """Say whether the labels of a window count as complete."""
        return bool(self.value(start, "labels.mature"))

    def of_rules(self, monitor: Monitor, kinds: Collection[Kind]) -> dict[datetime, dict[Kind, list[Measurement]]]:
        """Return by window the numbers of these kinds that the monitor's rules judge, and what judging them needs."""
        metrics = [rule.metric.partition(".")[2] for rule in monitor.rules] + ["coverage"]
        table = self.table
        whole = pc.and_(pc.equal(table["kind"], str(Kind.LABELS)), pc.equal(table["bin"], ""))
        wanted = pc.or_(pc.is_in(table["metric"], pa.array(metrics)), whole)
        found: dict[datetime, dict[Kind, list[Measurement]]] = defaultdict(lambda: defaultdict(list))
        for start, kind, measurement in _rows(table, wanted):
            if kind in kinds:
                found[start][kind].append(measurement)
        return {start: dict(facts) for start, facts in found.items()}


def known(
    monitor: Monitor,
    resources: Resources,
    *,
    as_of: datetime,
    windows: Collection[datetime],
    kinds: Collection[Kind] = KINDS,
) -> Known:
    """Return what was known at `as_of` of the windows that start at these moments."""
    table = resources.store.read(monitor.name, kinds=kinds, windows=windows, as_of=as_of)
    labelled = table.filter(pc.equal(table["kind"], str(Kind.LABELS)))
    moments = labelled.select(["window_start", "as_of"]).group_by("window_start").aggregate([("as_of", "max")])
    facts: dict[datetime, dict[tuple[str, str], Measurement]] = defaultdict(dict)
    for start, kind, m in _rows(table, _shown(table)):
        facts[start][f"{kind}.{m.metric}", m.bin] = m
    as_known = dict(zip(moments["window_start"].to_pylist(), moments["as_of_max"].to_pylist(), strict=True))
    return Known(table, dict(facts), as_known)


def segments(known: Known, metric: str) -> dict[str, dict[datetime, Measurement]]:
    """Return a performance metric of each segment value by window, over all model versions together."""
    table = known.table
    wanted = pc.and_(pc.equal(table["kind"], str(Kind.PERFORMANCE)), pc.equal(table["metric"], metric))
    wanted = pc.and_(wanted, pc.and_(pc.not_equal(table["segment"], ""), pc.equal(table["model_version"], "")))
    found: dict[str, dict[datetime, Measurement]] = defaultdict(dict)
    for start, _, m in _rows(table, wanted):
        found[m.segment][start] = m
    return dict(found)


def _shown(table: pa.Table) -> pa.Array:
    """The numbers of all rows together that are one value, and the vectors the report draws."""
    whole = pc.and_(pc.equal(table["model_version"], ""), pc.equal(table["segment"], ""))
    whole = pc.and_(whole, pc.equal(table["feature"], ""))
    return pc.and_(whole, pc.or_(pc.equal(table["bin"], ""), pc.is_in(table["metric"], pa.array(_SHOWN))))


def _rows(table: pa.Table, wanted: pa.Array) -> list[tuple[datetime, Kind, Measurement]]:
    columns = ["window_start", "kind", *Measurement.__slots__]
    rows = table.filter(wanted).select(columns).to_pylist()
    return [(row.pop("window_start"), Kind(row.pop("kind")), Measurement(**row)) for row in rows]
