"""SLOs: what a model promises over a period, by what it is counted, and how fast its error budget may be spent.

An SLO is counted in one of two ways. By occurrences: its metric is a share of rows, and the rows are counted. By slices
of time: its metric has a limit, and a window is good while `below` (value < limit) or `above` (value >= limit) holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from math import ceil, nextafter
from typing import Annotated

from pydantic import BeforeValidator, Field

from hindsight.monitors.metric import Metric
from hindsight.monitors.rules import Percent, Rule
from hindsight.monitors.strict import Duration, Name, Strict
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.windows import format_duration

USUAL = {
    "availability": "operations.availability",
    "accuracy": "performance.accuracy",
    "freshness": "operations.freshness_s",
    "latency": "operations.latency_p95_ms",
    "quality": "operations.log_completeness",
}
GOOD = {  # shares of rows, and what is said of the others
    "operations.availability": "requests failed",
    "operations.log_completeness": "rows were incomplete",
    "performance.accuracy": "predictions were wrong",
}
BAD = {
    "operations.error_rate": "requests failed",
    "operations.http_4xx_rate": "requests were refused",
    "operations.http_5xx_rate": "requests failed",
    "operations.timeout_rate": "requests timed out",
    "quality.duplicate_rate": "rows were repeated",
}
PAGED = 2.0  # times as fast as the budget lasts, over the short span
LONGER = 12  # times the short span is the long one: Beyer et al. (2018), The Site Reliability Workbook, chapter 5
SHORT_OF_PERIOD = 360  # two hours of thirty days
FEWEST_WINDOWS = 2  # in the short span, and how many of them must burn
FEWEST_ROWS = 20
BURN_SHORT, BURN_LONG, LEFT = "burn_short", "burn_long", "budget_left"

SLO_METRICS = (
    Metric(Kind.SLO, BURN_SHORT, "bad share of the short span over 1 - target; computed when judging", about="SLO"),
    Metric(Kind.SLO, BURN_LONG, "bad share of the long span over 1 - target; computed when judging", about="SLO"),
    Metric(
        Kind.SLO,
        LEFT,
        "share of the period's error budget that is left, below 0 where more is spent; computed when judging",
        about="SLO",
        lowest=None,
        highest=1,
    ),
)


class Slo(Strict):
    """At least `target` of all rows, or of all windows where a limit is given, are good over any `period`.

    `short` and `long` are the spans over which the burn rate is taken: two windows and a 360th of the period at least,
    and twelve times that. `min_rows` are the rows that a span, or a window that is counted as a slice, must have.
    """

    metric: str = ""
    below: float | None = None
    above: float | None = None
    target: Percent
    period: Duration = timedelta(days=30)
    short: Duration | None = None
    long: Duration | None = None
    min_rows: int | None = Field(None, ge=1)

    @property
    def budget(self) -> float:
        """The share that may be bad."""
        return round(1 - self.target, 12)

    @property
    def by_slices(self) -> bool:
        """Whether windows are counted, not rows."""
        return self.below is not None or self.above is not None

    @property
    def limit(self) -> str:
        """What holds in a good slice, "" where rows are counted."""
        if self.below is not None:
            return f"below {self.below:.6g}"
        return f"above {self.above:.6g}" if self.above is not None else ""

    @property
    def fewest(self) -> int:
        """How many rows there must be: as many as one bad one among them is not paged for, and 20."""
        if self.min_rows is not None:
            return self.min_rows
        return FEWEST_ROWS if self.by_slices else max(FEWEST_ROWS, ceil(round(1 / (PAGED * self.budget), 6)))

    def holds(self, value: float) -> bool:
        """Say whether a slice with this value is good."""
        return (self.below is None or value < self.below) and (self.above is None or value >= self.above)

    def spans(self, window: timedelta) -> tuple[timedelta, timedelta]:
        """Return the short and the long span, for windows of this size."""
        short = self.short or max(FEWEST_WINDOWS, ceil(self.period / SHORT_OF_PERIOD / window)) * window
        return short, self.long or min(LONGER * short, self.period)

    def definition(self, window: timedelta) -> str:
        """Return what the counts of windows of this size are made by: others are those of another file."""
        rows = f" of {self.fewest} rows" if self.by_slices else ""
        return " ".join(filter(None, (self.metric, self.limit, "in", format_duration(window)))) + rows


def _with_usual_metrics(slos: object) -> object:
    """Give each SLO without a metric the usual one of its name."""
    if not isinstance(slos, Mapping):
        return slos
    return {n: {"metric": USUAL.get(n, "")} | slo if isinstance(slo, dict) else slo for n, slo in slos.items()}


Slos = Annotated[dict[Name, Slo], BeforeValidator(_with_usual_metrics, json_schema_input_type=dict[Name, Slo])]


def slo_rules(keep_for: int) -> tuple[Rule, ...]:
    """Return the rules of a monitor that declares SLOs; a spent budget is over after `keep_for` windows with some."""
    burn = {"id": "slo_burn", "metric": f"{Kind.SLO}.{BURN_SHORT}", "severity": "P1", "above": nextafter(PAGED, 3)}
    spent = {"id": "slo_budget", "metric": f"{Kind.SLO}.{LEFT}", "severity": "P2", "below": 0.0}
    calm = (burn | {"keep_for": FEWEST_WINDOWS}, spent | {"keep_for": keep_for})
    return tuple(Rule.model_validate({"kind": "symptom"} | one) for one in calm)
