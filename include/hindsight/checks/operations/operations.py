"""Operations: traffic, errors, latency, cost and freshness of a window; without rows there is no number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property, partial

import numpy as np
import pyarrow as pa

from hindsight.checks.operations.logged import arrivals, completeness, resource
from hindsight.checks.reference.control import UNKNOWN, Control, error_rate_control
from hindsight.checks.statistics.rates import NO_ROWS, mean, share
from hindsight.checks.values.failures import failures
from hindsight.checks.values.groups import Group, groups
from hindsight.checks.values.lenient import numbers
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import Rows
from hindsight.vocabulary.windows import Window

UNEXPECTED = "no expected volume yet"
WARNING_ERRORS, CRITICAL_ERRORS = 0.05, 0.10
WARNING_P99_MS, CRITICAL_P99_MS = 500.0, 1000.0
LIMITS = ((CRITICAL_ERRORS, CRITICAL_P99_MS), (WARNING_ERRORS, WARNING_P99_MS))
FEWEST = 5  # requests that failed or were slow: fewer are accidents


def operations(
    rows: Rows,
    monitor: Monitor,
    window: Window,
    *,
    expected_volume: float | None = None,
    control: Control = UNKNOWN,
) -> list[Measurement]:
    """Return the operational numbers of a window, for all rows, each model version and each segment value.

    Metrics of a column that the monitor does not declare or the rows lack are left out. `expected_volume` is the number
    of requests the caller expects of all rows together; `volume_ratio` compares with it, and what lies behind that is
    the larger of the two numbers.
    """
    traffic = _Traffic(rows, monitor, window)
    found = list(_of_all(traffic, expected_volume, control))
    for group in groups(rows, monitor):
        mask = group.mask
        found += (replace(m, model_version=group.model_version, segment=group.segment) for m in traffic.of(group, mask))
    return found


def health(error_rate: float | None, p99_ms: float | None) -> int | None:
    """Return 0 healthy, 1 warning (errors ≥ 5 % or p99 ≥ 500 ms), 2 critical (≥ 10 % or ≥ 1000 ms), None unknown."""
    if error_rate is None and p99_ms is None:
        return None
    errors, slowest = error_rate or 0.0, p99_ms or 0.0
    if errors >= CRITICAL_ERRORS or slowest >= CRITICAL_P99_MS:
        return 2
    return int(errors >= WARNING_ERRORS or slowest >= WARNING_P99_MS)


@dataclass(frozen=True)
class _Traffic:
    rows: Rows
    monitor: Monitor
    window: Window

    @cached_property
    def status(self) -> np.ndarray | None:
        column = self._declared(self.monitor.source.predictions.status_code)
        return None if column is None else numbers(column)

    @cached_property
    def failed(self) -> np.ndarray | None:
        """True for each row that was not answered; None where the rows do not say."""
        return failures(self.rows, self.monitor)

    def of(self, group: Group, mask: np.ndarray | None) -> Iterator[Measurement]:
        """Yield the numbers of one group; `mask` None means all rows."""
        yield Measurement("total_requests", float(group.n), group.n)
        errors = self._errors("error_rate", mask)
        times, note = self._times(mask)
        latencies = list(_percentiles(times, note)) if times is not None else []
        yield from (errors, self._errors("availability", mask))
        yield from self._http_rates(mask)
        yield from latencies
        slower = partial(_slower, times)
        yield health_of(errors, latencies[-1].value if latencies else None, slower)
        seconds = (self.window.end - self.window.start).total_seconds()
        yield unless_empty(Measurement("throughput_rps", group.n / seconds, group.n))
        yield from self._cost(mask)
        for name, column in self.monitor.source.predictions.resources.items():
            if (logged := self._declared(column)) is not None:
                yield from resource(name, logged, mask)

    def _errors(self, metric: str, mask: np.ndarray | None) -> Measurement:
        if self.failed is None:
            return Measurement(metric, None, note="the rows have neither a status nor a prediction")
        failed = _of(self.failed, mask)
        return _rate(metric, ~failed if metric == "availability" else failed)

    def _declared(self, name: str | None) -> pa.Array | None:
        return self.rows.column(name) if name is not None and name in self.rows.columns else None

    def _http_rates(self, mask: np.ndarray | None) -> Iterator[Measurement]:
        if self.status is not None:
            status = _of(self.status, mask)
            yield _rate("http_4xx_rate", (status >= 400) & (status < 500))
            yield _rate("http_5xx_rate", status >= 500)
            yield _rate("timeout_rate", (status == 408) | (status == 504))

    def _times(self, mask: np.ndarray | None) -> tuple[np.ndarray | None, str]:
        """The latencies that are numbers, and how many are not; None where none are logged."""
        column = self._declared(self.monitor.source.predictions.latency_ms)
        return (None, "") if column is None else _finite(_of(numbers(column), mask), "latency")

    def _cost(self, mask: np.ndarray | None) -> Iterator[Measurement]:
        column = self._declared(self.monitor.source.predictions.cost)
        if column is not None:
            values, note = _finite(_of(numbers(column), mask), "cost")
            yield mean("cost_per_prediction", np.sort(values), nothing=note, note=note)


def _percentiles(times: np.ndarray, note: str) -> Iterator[Measurement]:
    points = np.percentile(times, [50, 95, 99], overwrite_input=True) if times.size else (None, None, None)
    for percent, point in zip((50, 95, 99), points, strict=True):
        yield Measurement(f"latency_p{percent}_ms", None if point is None else float(point), times.size, note=note)


def _slower(times: np.ndarray | None, ms: float) -> int:
    return 0 if times is None else int(np.count_nonzero(times >= ms))


def health_of(errors: Measurement, p99: float | None, slower: Callable[[float], int]) -> Measurement:
    """The state of a group; `n` counts the requests that failed or were slow where that makes it unhealthy."""
    state = health(errors.value, p99)
    why = [f"errors {errors.value:.1%}"] if state and errors.value is not None else []
    why += [f"p99 {p99:,.0f} ms" if p99 < 1e15 else f"p99 {p99:.3g} ms"] if state and p99 is not None else []
    n = _behind(errors, p99, slower) if state else errors.n
    return Measurement("health", None if state is None else float(state), n, note=", ".join(why) or errors.note)


def _behind(errors: Measurement, p99: float | None, slower: Callable[[float], int]) -> int:
    """Count the requests beyond the limits that are broken: the critical ones or, where these are few, all."""
    shown = 0
    for rate, ms in LIMITS:
        failed = round((errors.value or 0.0) * errors.n) if (errors.value or 0.0) >= rate else 0
        slow = slower(ms) if (p99 or 0.0) >= ms else 0
        shown = max(failed, slow)
        if shown >= FEWEST:
            break
    return shown


def volume(n: int, n_raw: int, window: Window, expected: float | None) -> Iterator[Measurement]:
    """Yield how many rows there are, by the hour and beside what was expected."""
    yield Measurement("rows_raw", float(n_raw), n)
    yield unless_empty(Measurement("records_per_hour", n_raw / ((window.end - window.start) / timedelta(hours=1)), n))
    yield Measurement("expected_requests", expected, n, note=UNEXPECTED if expected is None else "")
    yield _volume_ratio(n, expected) if n else Measurement("volume_ratio", None, note=NO_ROWS)


def _of_all(traffic: _Traffic, expected_volume: float | None, control: Control) -> Iterator[Measurement]:
    rows = traffic.rows
    yield from volume(rows.n, rows.n_raw, traffic.window, expected_volume)
    yield completeness(rows, traffic.monitor)
    yield from arrivals(rows, traffic.monitor, traffic.window)
    if traffic.failed is not None:
        yield error_rate_control(int(np.count_nonzero(traffic.failed)), rows.n, control)


def _volume_ratio(n: int, expected: float | None) -> Measurement:
    if expected is None:
        return Measurement("volume_ratio", None, n, note=UNEXPECTED)
    if expected <= 0:
        return Measurement("volume_ratio", None, n, note="expected volume is zero")
    return Measurement("volume_ratio", n / expected, max(n, round(expected)), note=f"expected {expected:g}")


def _of(values: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    return values if mask is None else values[mask]


def _rate(metric: str, hits: np.ndarray) -> Measurement:
    return share(metric, int(np.count_nonzero(hits)), hits.size)


def _finite(values: np.ndarray, what: str) -> tuple[np.ndarray, str]:
    finite = np.isfinite(values)
    missing = values.size - int(np.count_nonzero(finite))
    if not missing:
        return values, "" if values.size else NO_ROWS
    return values[finite], f"{missing} of {values.size} rows without a finite {what} left out"


def unless_empty(measurement: Measurement) -> Measurement:
    return measurement if measurement.n else replace(measurement, value=None, note=NO_ROWS)
