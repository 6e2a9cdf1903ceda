"""Counted: operations of a window whose rows stay in the warehouse, from counts by status and numbers by rank."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hindsight.checks.operations.operations import (
    CRITICAL_P99_MS,
    WARNING_P99_MS,
    health_of,
    unless_empty,
    volume,
)
from hindsight.checks.reference.control import UNKNOWN, Control, error_rate_control
from hindsight.checks.reference.counted_comparison import counted_moments
from hindsight.checks.statistics.rates import NO_ROWS, mean_of, share
from hindsight.checks.values.counted import CountedColumn, CountedGroup, CountedNumbers, branches, counted_numbers
from hindsight.checks.values.groups import Group
from hindsight.checks.values.lenient import numbers
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.counts import Branch, CountedRows
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import Scalar
from hindsight.vocabulary.windows import Window

SLOW = (WARNING_P99_MS, CRITICAL_P99_MS)


@dataclass(frozen=True)
class Statuses:
    """How many rows of a group have each status, and how many of those lack a prediction."""

    status: np.ndarray
    n: np.ndarray
    unpredicted: np.ndarray

    def count(self, of: Callable[[np.ndarray], np.ndarray]) -> int:
        """Rows whose status is such."""
        return int(self.n[of(self.status)].sum())

    @property
    def failed(self) -> int:
        """Rows with status >= 500, status 408 or no prediction."""
        bad = (self.status >= 500) | (self.status == 408)
        return int(np.where(bad, self.n, self.unpredicted).sum())


def owing(counted: CountedRows, monitor: Monitor) -> list[Scalar] | None:
    """Return the values of the status, as the database wrote them, that mean 200; None where no status is known."""
    name = monitor.source.predictions.status_code
    if name is None or name not in counted.columns:
        return None
    values = counted.keys(name).column("value").combine_chunks()
    raw = values.to_pylist()
    return [raw[i] for i in np.flatnonzero(numbers(values) == 200)]


def counted_operations(
    counted: CountedRows,
    groups: Sequence[CountedGroup],
    monitor: Monitor,
    window: Window,
    *,
    owed: Sequence[Scalar] | None,
    expected_volume: float | None = None,
    control: Control = UNKNOWN,
) -> list[Measurement]:
    """Return the measurements of `operations`, percentiles between the ranks they lie between: exact on any engine."""
    traffic = _Traffic(counted, groups, monitor, window)
    found = list(volume(counted.n, counted.n_raw, window, expected_volume))
    found.append(share("log_completeness", _complete(counted, monitor, owed), counted.n))
    found += _arrivals(counted, window)
    if traffic.says_failures:
        found.append(error_rate_control(traffic.statuses[groups[0].group].failed, counted.n, control))
    for one in groups:
        group = one.group
        found += (replace(m, model_version=group.model_version, segment=group.segment) for m in traffic.of(group))
    return found


@dataclass(frozen=True)
class _Traffic:
    counted: CountedRows
    groups: Sequence[CountedGroup]
    monitor: Monitor
    window: Window

    @property
    def says_failures(self) -> bool:
        """Whether the rows have a status or a prediction."""
        source = self.monitor.source.predictions
        return not {source.status_code, source.prediction}.isdisjoint(self.counted.columns)

    @cached_property
    def statuses(self) -> Mapping[Group, Statuses]:
        """The statuses of each group."""
        asked = branches(self.groups)
        rows = self.counted.statuses([branch for branch, _ in asked])
        chosen = [(self.groups[0].group, pc.equal(rows.column("branch"), 0))]
        for place, (_, arms) in enumerate(asked):
            here = pc.equal(rows.column("branch"), place)
            chosen += [(one.group, pc.and_(here, pc.equal(rows.column("arm"), i))) for i, one in enumerate(arms)]
        return {group: _statuses(rows.filter(mask)) for group, mask in chosen}

    def of(self, group: Group) -> Iterator[Measurement]:
        """Yield the numbers of one group."""
        source, said = self.monitor.source.predictions, self.statuses[group]
        yield Measurement("total_requests", float(group.n), group.n)
        errors = self._errors("error_rate", said.failed, group.n)
        latencies = list(self._latencies(group))
        yield from (errors, self._errors("availability", group.n - said.failed, group.n))
        if source.status_code in self.counted.columns:
            yield share("http_4xx_rate", said.count(lambda s: (s >= 400) & (s < 500)), group.n)
            yield share("http_5xx_rate", said.count(lambda s: s >= 500), group.n)
            yield share("timeout_rate", said.count(lambda s: (s == 408) | (s == 504)), group.n)
        yield from latencies
        yield health_of(errors, latencies[-1].value if latencies else None, partial(self._slower, group))
        seconds = (self.window.end - self.window.start).total_seconds()
        yield unless_empty(Measurement("throughput_rps", group.n / seconds, group.n))
        yield from self._cost(group)
        for name, column in source.resources.items():
            yield from self._resource(name, column, group)

    def _errors(self, metric: str, hits: int, n: int) -> Measurement:
        if not self.says_failures:
            return Measurement(metric, None, note="the rows have neither a status nor a prediction")
        return share(metric, hits, n)

    @cached_property
    def _logged(self) -> Mapping[str, CountedColumn]:
        """The columns of numbers that are only logged; latencies are parted where they are slow."""
        source = self.monitor.source.predictions
        names = [source.latency_ms, source.cost, *source.resources.values()]
        there = [name for name in dict.fromkeys(names) if name is not None and _is_number(self.counted, name)]
        every = {one.group.segment: SLOW for one in self.groups}
        return counted_numbers(self.counted, dict.fromkeys(there, every), self.groups)

    def _numbers(self, name: str | None, group: Group) -> CountedNumbers | None:
        sample = self._logged[name].samples[group] if name is not None and name in self._logged else None
        return sample if isinstance(sample, CountedNumbers) else None

    @cached_property
    def _ranks(self) -> Mapping[tuple[str, Group], pa.Table]:
        source = self.monitor.source.predictions
        wanted: dict[str | None, Sequence[int]] = dict.fromkeys(source.resources.values(), (95,))
        wanted[source.latency_ms] = (50, 95, 99)
        every = [(Branch(""), [self.groups[0]])]
        every += [(replace(branch, rest=None), arms) for branch, arms in branches(self.groups) if arms]
        found = {}
        for name, percents in wanted.items():
            if name is None or name not in self._logged:
                continue
            rows = self.counted.ranked(name, [branch for branch, _ in every], percents)
            for place, (branch, arms) in enumerate(every):
                here = rows.filter(pc.equal(rows.column("branch"), place))
                for i, one in enumerate(arms):
                    found[name, one.group] = here.filter(pc.equal(here.column("arm"), i)) if branch.arms else here
        return found

    def _latencies(self, group: Group) -> Iterator[Measurement]:
        name = self.monitor.source.predictions.latency_ms
        sample = self._numbers(name, group)
        if name is None or sample is None:
            return
        n, note = _finite(sample, "latency")
        for percent in (50, 95, 99):
            value = percentile(self._ranks[name, group], percent) if n else None
            yield Measurement(f"latency_p{percent}_ms", value, n, note=note)

    def _slower(self, group: Group, ms: float) -> int:
        sample = self._numbers(self.monitor.source.predictions.latency_ms, group)
        return 0 if sample is None else int(sample.cells.n[sample.cells.finite & (sample.cells.starts >= ms)].sum())

    def _cost(self, group: Group) -> Iterator[Measurement]:
        if (sample := self._numbers(self.monitor.source.predictions.cost, group)) is not None:
            _, note = _finite(sample, "cost")
            yield _mean("cost_per_prediction", sample, note)

    def _resource(self, name: str, column: str, group: Group) -> Iterator[Measurement]:
        sample = self._numbers(column, group)
        if sample is None:
            return
        n, note = _finite(sample, name)
        if pa.types.is_boolean(self.counted.schema.field(column).type):
            yield share(f"{name}_rate", round(float(sample.cells.total.sum())), n, nothing=note, note=note)
            return
        yield _mean(f"{name}_mean", sample, note)
        yield Measurement(f"{name}_p95", percentile(self._ranks[column, group], 95) if n else None, n, note=note)
        highest = float(sample.cells.high[sample.cells.finite].max()) if n else None
        yield Measurement(f"{name}_max", highest, n, note=note)


def percentile(ranks: pa.Table, percent: int) -> float:
    """Return numpy's linear percentile from the numbers around it: position (n - 1) p / 100 among those in order."""
    found = dict(zip(ranks.column("rank").to_pylist(), ranks.column("value").to_pylist(), strict=True))
    place, rest = divmod((ranks.column("of")[0].as_py() - 1) * percent, 100)
    low = found[place]
    return float(low if not rest else np.percentile([low, found[place + 1]], rest))


def _statuses(rows: pa.Table) -> Statuses:
    status = numbers(rows.column("status").combine_chunks())
    n, predicted = rows.column("n").to_numpy(), rows.column("predicted").to_numpy()
    return Statuses(status, n, np.where(predicted == 0, n, 0))


def _is_number(counted: CountedRows, name: str) -> bool:
    if name not in counted.columns:
        return False
    kind = counted.schema.field(name).type
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind))


def _finite(sample: CountedNumbers, what: str) -> tuple[int, str]:
    n = int(sample.cells.n[sample.cells.finite].sum())
    if n == sample.n:
        return n, "" if n else NO_ROWS
    return n, f"{sample.n - n} of {sample.n} rows without a finite {what} left out"


def _mean(metric: str, sample: CountedNumbers, note: str) -> Measurement:
    found = counted_moments(sample)
    return mean_of(metric, found.n, found.mean, found.deviations, nothing=note, note=note)


def _complete(counted: CountedRows, monitor: Monitor, owed: Sequence[Scalar] | None) -> int:
    """Count the rows that have all they should, as `logged.completeness`."""
    source = monitor.source.predictions
    scores = [*source.score.values()] if isinstance(source.score, dict) else [source.score]
    finite = [source.latency_ms, source.status_code, source.cost, *source.resources.values()]
    parts = [[name for name in some if name] for some in (finite, [source.model_version], [source.prediction, *scores])]
    if any(name not in counted.columns for some in parts[:2] for name in some):
        return 0
    if any(name not in counted.columns for name in parts[2]):
        return counted.complete(parts[0], parts[1], None, owed)
    return counted.complete(parts[0], parts[1], parts[2], owed)


def _arrivals(counted: CountedRows, window: Window) -> Iterator[Measurement]:
    """Yield when the newest row was logged and the longest stretch without any, borders of the window included."""
    found = counted.arrivals() if counted.n else None
    if found is None:
        yield from (Measurement(metric, None, counted.n, note=NO_ROWS) for metric in ("freshness_s", "longest_gap_s"))
        return
    first, last, gap = found
    longest = max((first - window.start).total_seconds(), (window.end - last).total_seconds(), gap)
    yield Measurement("freshness_s", (window.end - last).total_seconds(), counted.n)
    yield Measurement("longest_gap_s", longest, counted.n)
