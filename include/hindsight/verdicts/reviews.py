"""Reviews: what a week or a month of one monitor came to, in numbers that the ledger alone gives; pure.

An alert is an occasion on which people were told of incidents, however many heard of it; what counts as acted on is
said in `pipeline/show/alert_load`. An incident belongs to the period in which it began, and one that later labels undid
to none.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from hindsight.monitors.model import Monitor
from hindsight.verdicts.error_budget import Spent, Standing
from hindsight.verdicts.judge import kind_of
from hindsight.verdicts.model import Incident, State
from hindsight.verdicts.silence import Silence
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.periods import DAY, Period
from hindsight.vocabulary.severity import Severity


@dataclass(frozen=True, slots=True)
class Alert:
    """An occasion on which people were told: when the first message of it was sent, and of which incidents it told."""

    at: datetime
    incidents: frozenset[str]


@dataclass(frozen=True, slots=True)
class Total:
    """What a rule judged in a period, added up: `weighted` is the sum of value times rows."""

    windows: int
    value: float
    weighted: float


@dataclass(frozen=True, slots=True)
class Graded:
    """How a promoted version did in its trial: 0 as promised, 1 short of it, 2 worse than before, None where unsaid."""

    version: str
    mark: int | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Burnt:
    """How many times as fast as it may an error budget went in a period, and which share of it was left at its end.

    None where too few rows lie behind it.
    """

    slo: str
    burn: float | None
    left: float | None


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger knows of a monitor: all that a review of it is made of.

    `acted` and `expected` are cases, `spent` holds by SLO what was counted in the period and in the SLO's own one,
    `outcomes` what became of retrainings that ended in the period, `totals` those of rules by their id.
    """

    alerts: Sequence[Alert] = ()
    incidents: Sequence[Incident] = ()
    acted: Collection[str] = ()
    expected: Collection[str] = ()
    silences: Sequence[Silence] = ()
    spent: Mapping[str, tuple[Spent, Spent]] = field(default_factory=dict)
    asked: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    grades: Sequence[Graded] = ()
    rollbacks: int = 0
    totals: Mapping[str, Total] = field(default_factory=dict)
    late: int = 0
    labels: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """A period of one monitor.

    `alerts` are those of each day (UTC), `before` those of the whole period before. `told` are cases; `began` and
    `open` count incidents by severity, the latter at the end of the period. `late` windows wait for labels for longer
    than the file expects. `moved` says in how many windows which column drifted, the most first; `cost` is None where
    no rule judges what a prediction costs.
    """

    monitor: str
    owner: str
    state: str
    alerts: tuple[int, ...]
    before: int
    told: int
    acted: int
    expected: int
    began: Mapping[Severity, int]
    ended: int
    open: Mapping[Severity, int]
    late: int
    labels: str
    budgets: tuple[Burnt, ...]
    asked: int
    outcomes: Mapping[str, int]
    grades: tuple[Graded, ...]
    rollbacks: int
    moved: tuple[tuple[str, int], ...]
    windows: int
    rows: int
    cost: float | None
    kpis: tuple[tuple[str, float], ...]
    silences: tuple[Silence, ...]

    @property
    def is_quiet(self) -> bool:
        """Whether nothing happened that anybody needs to hear of."""
        counts = (sum(self.alerts), self.told, len(self.began), self.ended, len(self.open), self.late, self.asked)
        more = (self.outcomes, self.grades, self.rollbacks, self.moved, self.silences)
        return not any(counts) and not any(more) and not any(one.burn and one.burn > 1 for one in self.budgets)


def review(monitor: Monitor, known: Known, period: Period) -> Review:
    """Return what a period of a monitor came to, by what is known of it."""
    within = [one for one in known.alerts if period.start <= one.at < period.end]
    before = [one for one in known.alerts if period.before.start <= one.at < period.before.end]
    told = _cases(known.incidents, {id for one in within for id in one.incidents})
    real = [one for one in known.incidents if one.state is not State.WITHDRAWN and one.started < period.end]
    of_drift = {rule.id for rule in monitor.rules if kind_of(rule) is Kind.DRIFT}
    traffic = _total(monitor, known.totals, "operations.total_requests")
    cost = _total(monitor, known.totals, "operations.cost_per_prediction")
    return Review(
        monitor=monitor.name,
        owner=monitor.owner,
        state=monitor.state,
        alerts=_by_day((one.at for one in within), period),
        before=len(before),
        told=len(told),
        acted=len(told & set(known.acted)),
        expected=len(told & set(known.expected)),
        began=_by_severity(one for one in real if one.started >= period.start),
        ended=sum(one.ended is not None and period.start < one.ended <= period.end for one in real),
        open=_by_severity(one for one in real if one.ended is None or one.ended > period.end),
        late=known.late,
        labels=known.labels,
        budgets=tuple(_burnt(monitor, known.spent)),
        asked=known.asked,
        outcomes=dict(known.outcomes),
        grades=tuple(known.grades),
        rollbacks=known.rollbacks,
        moved=_moved((one for one in real if one.series.rule in of_drift), period),
        windows=traffic.windows if traffic else 0,
        rows=round(traffic.value) if traffic else 0,
        cost=cost.weighted if cost else None,
        kpis=tuple(_sums(monitor, known.totals)),
        silences=tuple(one for one in known.silences if one.since < period.end and one.until > period.start),
    )


def together(reviews: Sequence[Review]) -> Review | None:
    """Return the reviews of several monitors as one of all, what is told apart by its monitor; None of none."""
    if not reviews:
        return None
    first = reviews[0]
    costs = [one.cost for one in reviews if one.cost is not None]
    added: dict[str, Any] = {name: sum(getattr(one, name) for one in reviews) for name in _COUNTS}
    for name in _COUNTERS:
        added[name] = dict(sum((Counter(getattr(one, name)) for one in reviews), Counter()))
    for name in _PARTS:
        added[name] = tuple(part for one in reviews for part in getattr(one, name))
    added["alerts"] = tuple(map(sum, zip(*(one.alerts for one in reviews), strict=True)))
    return replace(first, monitor="", labels="", moved=(), cost=sum(costs) if costs else None, **added)


_COUNTS = ("before", "told", "acted", "expected", "ended", "late", "asked", "rollbacks", "windows", "rows")
_COUNTERS = ("began", "open", "outcomes")
_PARTS = ("budgets", "grades", "silences", "kpis")


def judging(monitor: Monitor, metric: str) -> str | None:
    """Return the rule of a monitor that judges a metric, the first of its file; None where none does."""
    return next((rule.id for rule in monitor.rules if rule.metric == metric), None)


def _total(monitor: Monitor, totals: Mapping[str, Total], metric: str) -> Total | None:
    return totals.get(judging(monitor, metric) or "")


def _sums(monitor: Monitor, totals: Mapping[str, Total]) -> Iterator[tuple[str, float]]:
    """Yield what the KPIs that are sums come to."""
    for name, kpi in monitor.kpis.items():
        found = _total(monitor, totals, f"{Kind.KPI}.{name}")
        if kpi.sum is not None and found:
            yield name, found.value


def _burnt(monitor: Monitor, spent: Mapping[str, tuple[Spent, Spent]]) -> Iterator[Burnt]:
    for name, slo in monitor.slos.items():
        if name in spent:
            within, whole = spent[name]
            stands = Standing(slo, monitor.window, within, within, whole)
            yield Burnt(name, stands.burn_long, stands.left)


def _cases(incidents: Iterable[Incident], told: Collection[str]) -> set[str]:
    return {one.case or one.id for one in incidents if one.id in told}


def _by_day(moments: Iterable[datetime], period: Period) -> tuple[int, ...]:
    days = Counter((moment - period.start) // DAY for moment in moments)
    return tuple(days[day] for day in range(period.days))


def _by_severity(incidents: Iterable[Incident]) -> dict[Severity, int]:
    return dict(sorted(Counter(one.severity for one in incidents).items()))


def _moved(incidents: Iterable[Incident], period: Period) -> tuple[tuple[str, int], ...]:
    windows: dict[str, set[datetime]] = defaultdict(set)
    for one in incidents:
        windows[one.series.feature].update(start for start in one.breaches if period.start <= start < period.end)
    counted = ((name, len(some)) for name, some in windows.items() if some)
    return tuple(sorted(counted, key=lambda pair: (-pair[1], pair[0])))
