"""Monitor: what a user declares in one file, with every default filled in."""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from hindsight.monitors.built_in_rules import built_in_rules, by_criticality
from hindsight.monitors.calendar import USUAL, AnyAlertBudget, Calendar, Timezone
from hindsight.monitors.retention import Retention, before
from hindsight.monitors.routes import ALERTMANAGER, Route, receivers
from hindsight.monitors.rules import Rule, RuleChange, merge
from hindsight.monitors.silences import RepeatedSilence
from hindsight.monitors.slos import Slos
from hindsight.monitors.strict import (
    AnyNames,
    Column,
    Columns,
    Delay,
    Dotteds,
    Duration,
    KpiColumn,
    Moment,
    Name,
    Names,
    Share,
    Strict,
    Table,
    Tags,
    Texts,
    as_tuple,
)
from hindsight.vocabulary.rows import Scalar
from hindsight.vocabulary.severity import Severity
from hindsight.vocabulary.windows import MONDAY, Grid

Task = Literal["binary", "multiclass", "regression"]
DAY = timedelta(days=1)
REMINDED = {Severity.P0: DAY, Severity.P1: DAY}


class ModelInfo(Strict):
    """The model under watch."""

    name: str
    task: Task
    positive_label: Scalar = 1
    version: str = "all"
    endpoint: str | None = None


class Predictions(Strict):
    """Where predictions are logged and which column is what."""

    table: Table
    id: Column
    timestamp: Column
    prediction: Column
    score: Column | dict[str, Column] | None = None
    model_version: Column | None = None
    latency_ms: Column | None = None
    status_code: Column | None = None
    cost: Column | None = None
    resources: dict[Name, Column] = Field(default_factory=dict)


class Labels(Strict):
    """Where ground truth lands; `arrived_at` is when we could first know it."""

    table: Table
    id: Column
    label: Column
    arrived_at: Column | None = None


class Source(Strict):
    """The warehouse: an Airflow connection and two tables."""

    connection: str = "warehouse"
    predictions: Predictions
    labels: Labels | None = None
    count_in: Literal["auto", "warehouse", "worker"] = "auto"
    allow_rows: bool = False

    @property
    def counts(self) -> bool:
        """Whether the warehouse counts; what is told by rows then needs `allow_rows`."""
        return self.count_in == "warehouse"

    @property
    def rows_stay(self) -> bool:
        """Whether rows of features never leave the warehouse."""
        return self.counts and not self.allow_rows


class LabelPolicy(Strict):
    """When labels are looked for and when there are enough of them to judge."""

    schedule: str | None = None  # a minute of the hours from 02:00 UTC on that follows from the monitor's name
    matures_after: Delay = timedelta(days=14)
    overlap: Delay = DAY
    min_labels: int = Field(100, ge=1)
    min_coverage: Share = 0.0
    absent_means: Scalar | None = None


FIRST_NIGHT_HOUR, NIGHT_MINUTES = 2, 120  # nights begin from 02:00 to 03:59 UTC
OF_THE_CLOCK = "the time of a row fixes it (clock: true)"


class Feature(Strict):
    """One input column of the model; `importance` is any measure of what it weighs there, in one unit for all.

    `clock` says that the time of a row fixes its value, so that how far it lies from the reference tells nothing.
    """

    type: Literal["numeric", "categorical"]
    critical: bool = False
    clock: bool = False
    importance: float | None = Field(None, ge=0)


def _feature(value: object) -> object:
    return {"type": value} if isinstance(value, str) else value


AnyFeature = Annotated[
    Feature, BeforeValidator(_feature, json_schema_input_type=Feature | Literal["numeric", "categorical"])
]


class Pii(Strict):
    """Columns hashed (HMAC, key in connection hindsight_pii) or dropped before anything is written."""

    hash: Columns = ()
    drop: Columns = ()


class Output(Strict):
    """Which reference rows the output (prediction, score) and the reference performance come from: column = value."""

    column: Column
    value: Scalar


def _output(value: object) -> object:
    if isinstance(value, dict) and len(value) == 1:
        ((column, wanted),) = value.items()
        return {"column": column, "value": wanted}
    return value


AnyOutput = Annotated[Output, BeforeValidator(_output, json_schema_input_type=dict[Column, Scalar])]


class Reference(Strict):
    """The rows windows are compared with: a period, a Parquet file, or a trailing period."""

    start: Moment | None = None
    end: Moment | None = None
    parquet: str | None = None
    output: AnyOutput | None = None
    trailing: Duration | None = None
    lag: Delay = timedelta(0)
    same_weekday: bool = False
    same_hour: bool = False
    max_age: Delay = timedelta(days=365)

    @model_validator(mode="after")
    def one_way(self) -> Self:
        """Refuse a reference that is declared in no way or in two."""
        ways = [self.start is not None or self.end is not None, self.parquet is not None, self.trailing is not None]
        if sum(ways) != 1:
            raise ValueError("declare one of: start and end, parquet, or trailing")
        if ways[0] and (self.start is None or self.end is None or self.start >= self.end):
            raise ValueError("start and end are both needed, and start must be before end")
        if not ways[2] and (self.lag or self.same_weekday or self.same_hour):
            raise ValueError("lag, same_weekday and same_hour go with trailing")
        shortest = 7 * DAY if self.same_weekday else DAY if self.same_hour else timedelta(0)
        if self.trailing is not None and self.trailing < shortest:
            raise ValueError("same_weekday needs a trailing of 7d or more, same_hour of 1d or more")
        return self


class Quality(Strict):
    """The Great Expectations suite: great_expectations/expectations/<suite>.json."""

    suite: Name


class Drift(Strict):
    """How drift of one feature is measured, and which share of drifted features is too much."""

    method: str = "psi"
    threshold: Annotated[float, Field(gt=0)] | Literal["auto"] = 0.1
    share: Annotated[float, Field(gt=0, le=1)] = 0.3
    significance: Annotated[float, Field(gt=0, lt=1)] = 0.005
    min_rows: int = Field(30, ge=1)


Range = Annotated[dict[Literal["above", "below"], float], Field(min_length=1)]


class Kpi(Strict):
    """A business number over the distinct rows of a window: one of sum, count, mean or ratio (first over second).

    `where` keeps rows whose column equals a value or lies in a range: above <= column < below. What a column's name
    means is said in `hindsight.monitors.kpis`.
    """

    sum: KpiColumn | None = None
    mean: KpiColumn | None = None
    count: Literal[True] | KpiColumn | None = None
    ratio: Annotated[tuple[KpiColumn, KpiColumn], BeforeValidator(as_tuple)] | None = None
    where: dict[KpiColumn, Scalar | Range] = Field(default_factory=dict)

    @model_validator(mode="after")
    def one_aggregate(self) -> Self:
        """Refuse a number that is declared in no way or in two."""
        if sum(part is not None for part in (self.sum, self.mean, self.count, self.ratio)) != 1:
            raise ValueError("declare one of: sum, mean, count or ratio")
        return self


def _repeat(value: object) -> object:
    return dict.fromkeys(map(str, REMINDED), value) if isinstance(value, str) else value


_Repeat = dict[Annotated[Severity, Field(strict=False)], Delay]
AnyRepeat = Annotated[_Repeat, BeforeValidator(_repeat, json_schema_input_type=_Repeat | Delay)]


class Alerts(Strict):
    """Who is told, and where they read what to do.

    `report` asks for a mail about what labels changed, on every night with changes or once a week; without it that is
    told in mails about incidents of a night only. `budget` is what people are to be told by chance, at most. `repeat`
    says how long after it was told what is open is told again while nobody acknowledged it; 0h is never. `routes` say
    who is told of what; what none takes goes to `email`. `cap` is how many messages about incidents a receiver gets on
    a day, UTC; what is P0 always goes out.
    """

    email: Texts = ()
    runbook: str | None = None
    max_age: Delay | None = None
    report: Literal["nightly", "weekly"] | None = None
    budget: AnyAlertBudget = USUAL
    routes: Annotated[tuple[Route, ...], BeforeValidator(as_tuple)] = ()
    cap: int = Field(20, ge=1)
    repeat: AnyRepeat = Field(default_factory=lambda: dict(REMINDED))

    @field_validator("repeat", mode="after")
    @classmethod
    def grave_only(cls, repeat: dict[Severity, timedelta]) -> dict[Severity, timedelta]:
        """Refuse reminders of notices; what is not said is as usual."""
        if Severity.P2 in repeat:
            raise ValueError("expected P0 and P1 only: what is P2 waits for the digest and is told once")
        return REMINDED | repeat


class Budget(Strict):
    """At most `runs` retrainings in any span of `period`."""

    runs: int = Field(ge=1)
    period: Duration


def _budget(value: object) -> object:
    if isinstance(value, str):
        runs, _, period = value.partition(" per ")
        if not runs.strip().isdigit() or not period:
            raise ValueError(f"expected a budget such as '2 per 30d', got {value!r}")
        return {"runs": int(runs), "period": period}
    return value


_WrittenBudget = Budget | Annotated[str, Field(pattern=r"^\d+ per [1-9]\d{0,4}[mhd]$")]
AnyBudget = Annotated[Budget, BeforeValidator(_budget, json_schema_input_type=_WrittenBudget)]


class Retrain(Strict):
    """When retraining is requested, what trains, and who must agree."""

    dag: str | None = None
    train: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
    require: Names = ("accuracy_drop",)
    cooldown: Delay = 7 * DAY
    budget: AnyBudget = Budget(runs=2, period=30 * DAY)
    approval: bool = True
    trained_on: Duration = 28 * DAY


class Monitor(Strict):
    """One monitor file.

    `extends` names the template it was laid over, `renamed_from` the names it had before, oldest first. `deploy_mute`
    is for how many windows from a new model version on nobody is told of drift; `trusted` are types of the user's own,
    `module.Type`, that a kept model may hold.
    """

    schema_version: Literal[1] = 1
    extends: str | None = None
    name: Name
    renamed_from: AnyNames = ()
    description: str = ""
    owner: str = ""
    state: Literal["active", "paused", "archived"] = "active"
    criticality: Literal["high", "medium", "low"] = "medium"
    tags: Tags = ()
    model: ModelInfo
    timezone: Timezone = "UTC"
    calendar: Calendar | None = None
    window: Duration = DAY
    anchor: Moment = MONDAY
    start: Moment | None = None
    end: Moment | None = None
    lateness: Delay = timedelta(minutes=10)
    source: Source
    labels: LabelPolicy = LabelPolicy()
    features: dict[Column, AnyFeature] = Field(default_factory=dict)
    pii: Pii = Pii()
    reference: Reference | None = None
    segments: Columns = ()
    quality: Quality | None = None
    drift: Drift = Drift()
    kpis: dict[Name, Kpi] = Field(default_factory=dict)
    rule_changes: Annotated[tuple[RuleChange, ...], BeforeValidator(as_tuple)] = Field((), alias="rules")
    alerts: Alerts = Alerts()
    slos: Slos = Field(default_factory=dict)
    silences: Annotated[tuple[RepeatedSilence, ...], BeforeValidator(as_tuple)] = ()
    deploy_mute: Annotated[int, Field(ge=0, le=100)] = 2
    retrain: Retrain | None = None
    retention: Retention = Retention()
    trusted: Dotteds = ()

    @property
    def clocks(self) -> frozenset[str]:
        """The features that the time of a row fixes."""
        return frozenset(name for name, feature in self.features.items() if feature.clock)

    @property
    def grid(self) -> Grid:
        """The windows of this monitor."""
        return Grid(self.window, self.anchor)

    @property
    def night_schedule(self) -> str:
        """When labels are looked for, as cron in UTC: as written, else at the minute its name has between 2 and 4.

        All nights at one moment would wait for each other; a name always has the same minute.
        """
        minute = zlib.crc32(self.name.encode()) % NIGHT_MINUTES
        return self.labels.schedule or f"{minute % 60} {FIRST_NIGHT_HOUR + minute // 60} * * *"

    @property
    def max_age(self) -> timedelta:
        """How long after it was due a verdict is still news."""
        return self.alerts.max_age or max(2 * self.window, 2 * DAY)

    def horizon(self, at: datetime, kept: timedelta | None = None) -> datetime | None:
        """Return the start of the first window that is kept at a moment, its snapshots if not said; None for all."""
        moment = before(self.retention.snapshots if kept is None else kept, at)
        return moment and self.grid.window_at(moment).start

    @property
    def retrain_dag(self) -> str:
        """The DAG that retrains this model: the one the file names, or the one Hindsight builds."""
        return (self.retrain and self.retrain.dag) or f"retrain__{self.name}"

    def receivers(self, severity: Severity, kind: str = "", rule: str = "", segment: str = "") -> tuple[str, ...]:
        """Return whom something is told to in words: addresses, and the connections of channels.

        A word about the monitor as a whole, without a rule, is said to somebody: an Alertmanager is told of rules only.
        """
        found = receivers(self.alerts.routes, self.alerts.email, severity, kind, rule, segment)
        said = tuple(one for one in found if not one.startswith(ALERTMANAGER))
        return said or (() if rule else self.alerts.email)

    def alertmanagers(self, severity: Severity, kind: str, rule: str, segment: str) -> tuple[str, ...]:
        """Return the connections of the Alertmanagers an incident is posted to."""
        found = receivers(self.alerts.routes, (), severity, kind, rule, segment)
        return tuple(one.removeprefix(ALERTMANAGER) for one in found if one.startswith(ALERTMANAGER))

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The built-in rules with the file's changes, disabled ones left out."""
        return merge(self.built_in, self.rule_changes, self.window)

    @cached_property
    def built_in(self) -> tuple[Rule, ...]:
        """The rules it has before its file changes any."""
        more = {"slos": bool(self.slos), "retrains": self.retrain is not None}
        found = built_in_rules(self.model.task, self.drift.share, self.window, **more)
        return by_criticality(found, self.criticality)
