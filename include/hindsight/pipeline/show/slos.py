"""What is left of each error budget and how fast it goes, by what the newest judged windows counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hindsight.ledger.slo_counts import newest_slo_count, slo_counts
from hindsight.ledger.transaction import Transaction
from hindsight.monitors.model import Monitor
from hindsight.monitors.slos import Slo
from hindsight.pipeline.judge.slos import reach, tallies
from hindsight.pipeline.resources import Resources
from hindsight.verdicts.error_budget import Tally, amount, standing
from hindsight.verdicts.model import Incident
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.windows import format_duration


@dataclass(frozen=True, slots=True)
class SloState:
    """How an SLO stands: what is good, what is left of its budget, how fast it burns, and since when that is told.

    `left` is a share, `burn_short` and `burn_long` are multiples, None where too few rows lie behind them; `window` is
    the newest that is counted, None before the first; `since` when the oldest open incident about it began.
    """

    name: str
    good: str
    target: float
    period: timedelta
    short: timedelta
    long: timedelta
    left: float | None = None
    burn_short: float | None = None
    burn_long: float | None = None
    window: datetime | None = None
    since: datetime | None = None

    @property
    def promised(self) -> str:
        """'99.9 % of 30d'."""
        return f"{100 * self.target:.6g} % of {format_duration(self.period)}"

    @property
    def burns(self) -> tuple[str, str]:
        """'3.2 × in 2h', and the same of the long span."""
        return _times(self.burn_short, self.short), _times(self.burn_long, self.long)

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON takes it."""
        spans = {name: format_duration(getattr(self, name)) for name in ("period", "short", "long")}
        return asdict(self) | spans


def _times(burn: float | None, span: timedelta) -> str:
    return f"{'–' if burn is None else f'{amount(burn)} ×'} in {format_duration(span)}"


def slo_states(monitor: Monitor, resources: Resources) -> list[SloState]:
    """Return how the SLOs of a monitor stand, in the order of its file."""
    sums = _counted(monitor, resources)
    about = {rule.id for rule in monitor.rules if rule.metric.startswith(f"{Kind.SLO}.")}
    opened = [one for one in resources.ledger.incidents(monitor.name, open_only=True) if one.series.rule in about]
    return [_state(monitor, name, slo, sums.get(name), opened) for name, slo in monitor.slos.items()]


def _counted(monitor: Monitor, resources: Resources) -> dict[str, Tally]:
    with resources.ledger.reading() as connection:
        tx = Transaction(connection, monitor.name)
        newest = newest_slo_count(tx)
        if newest is None:
            return {}
        since = newest - reach(monitor) - monitor.labels.matures_after
        return tallies(monitor, slo_counts(tx, since, newest + monitor.window))


def _state(monitor: Monitor, name: str, slo: Slo, sums: Tally | None, opened: Iterable[Incident]) -> SloState:
    short, long = slo.spans(monitor.window)
    since = min((one.started for one in opened if one.series.feature == name), default=None)
    declared = SloState(name, f"{slo.metric} {slo.limit}".strip(), slo.target, slo.period, short, long, since=since)
    if sums is None or not sums.starts:
        return declared
    newest = sums.starts[-1]
    now = standing(slo, sums, newest, monitor.window)
    return replace(declared, left=now.left, burn_short=now.burn_short, burn_long=now.burn_long, window=newest)
