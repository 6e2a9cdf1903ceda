"""Rules: which number of a window is bad news, for how long it must be, and how loud to say so."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from hindsight.monitors.strict import Duration, Name, Strict, as_tuple
from hindsight.vocabulary.severity import Severity

_DAG = "dag:"
MOST = 20_000  # windows a rule may wait for


def _percent(value: object) -> object:
    if isinstance(value, (int, float)) and value >= 10:
        raise ValueError(f"expected a percentage such as 15%, got {value:g} - did you mean {value:g}%?")
    if not isinstance(value, str):
        return value
    if not re.fullmatch(r"\d{1,4}(\.\d+)?%", value):
        raise ValueError(f"expected a percentage such as 15%, got {value!r}")
    return float(value[:-1]) / 100


def _receiver(value: str) -> str:
    if value == "email" or (value.startswith(_DAG) and value != _DAG):
        return value
    raise ValueError(f"expected 'email' or 'dag:<dag id>', got {value!r}")


_Written = Annotated[float, Field(gt=0, lt=10)] | Annotated[str, Field(pattern=r"^\d{1,4}(\.\d+)?%$")]
Percent = Annotated[float, BeforeValidator(_percent, json_schema_input_type=_Written), Field(gt=0, lt=10)]
Receivers = Annotated[tuple[Annotated[str, AfterValidator(_receiver)], ...], BeforeValidator(as_tuple)]
Against = Literal["reference", "previous", "same_weekday"]
Lasting = Annotated[int, Field(ge=1, le=MOST)] | Duration
AnySeverity = Annotated[Severity, Field(strict=False)]


class Rule(Strict):
    """A complete rule: `above: x` breaches at value >= x, `below: x` at value < x, both may be given.

    `drops_by` and `rises_by` compare with the reference: value < reference * (1 - share), value >= reference *
    (1 + share). `over_reference` compares value - reference with `above` where a reference exists. `against` says what
    the reference is instead: the value of the window before, or of the same time a week before. `critical`
    replaces `above` for features marked critical. `min_rows` is the fewest rows behind a number that may breach, and
    `sigmas` says how many standard errors it must lie beyond its reference besides: less may be chance. `for` and
    `keep_for` are windows. `runbook` is where people read what to do about it; without one, in that of the monitor.
    """

    id: Name
    metric: str
    above: float | None = None
    below: float | None = None
    drops_by: Percent | None = None
    rises_by: Percent | None = None
    over_reference: bool = False
    against: Against = "reference"
    critical: float | None = None
    min_rows: int = Field(0, ge=0)
    sigmas: float = Field(0, ge=0, le=10)
    for_: int = Field(1, alias="for", ge=1, le=MOST)
    keep_for: int = Field(1, ge=1, le=MOST)
    severity: AnySeverity = Severity.P2
    kind: Literal["symptom", "cause"] = "cause"
    then: Receivers = ("email",)
    segments: bool = False
    versions: bool = False
    runbook: str | None = None
    enabled: bool = True

    @property
    def dags(self) -> tuple[str, ...]:
        """The ids of the DAGs that its breach starts."""
        return tuple(receiver.removeprefix(_DAG) for receiver in self.then if receiver.startswith(_DAG))


class RuleChange(Strict):
    """What a monitor file says about a rule: a new rule, or changes to the built-in rule of the same id.

    `for` and `keep_for` may be times; a rule then waits for as many windows as hold them.
    """

    id: Name
    metric: str | None = None
    above: float | None = None
    below: float | None = None
    drops_by: Percent | None = None
    rises_by: Percent | None = None
    over_reference: bool | None = None
    against: Against | None = None
    critical: float | None = None
    min_rows: int | None = Field(None, ge=0)
    sigmas: float | None = Field(None, ge=0, le=10)
    for_: Lasting | None = Field(None, alias="for")
    keep_for: Lasting | None = None
    severity: AnySeverity | None = None
    kind: Literal["symptom", "cause"] | None = None
    then: Receivers | None = None
    segments: bool | None = None
    versions: bool | None = None
    runbook: str | None = None
    enabled: bool | None = None

    def in_windows(self, size: timedelta) -> dict[str, int]:
        """Return `for` and `keep_for`, where they are given, in windows of this size."""
        given = {"for": self.for_, "keep_for": self.keep_for}
        return {name: windows_of(lasting, size) for name, lasting in given.items() if lasting is not None}


def windows_of(lasting: int | timedelta, size: timedelta) -> int:
    """Return how many windows of a size hold a time: their number, rounded up."""
    return lasting if isinstance(lasting, int) else -(-lasting // size)


_THRESHOLDS = {"above", "below", "drops_by", "rises_by"}


def merge(built_in: Iterable[Rule], changes: Iterable[RuleChange], window: timedelta) -> tuple[Rule, ...]:
    """Return the built-in rules with a file's changes laid over them and its new rules added; disabled ones left out.

    A change that names any threshold replaces all thresholds of the rule; its times become windows of the monitor's
    size. Raises pydantic's ValidationError where a new rule lacks its metric or waits for more than MOST windows.
    """
    rules = {rule.id: rule.model_dump(by_alias=True, exclude_none=True) for rule in built_in}
    for change in changes:
        given = change.model_dump(by_alias=True, exclude_none=True) | change.in_windows(window)
        base = rules.get(change.id, {})
        if _THRESHOLDS & given.keys():
            base = {key: value for key, value in base.items() if key not in _THRESHOLDS | {"critical"}}
        rules[change.id] = base | given
    complete = (Rule.model_validate(fields) for fields in rules.values())
    return tuple(rule for rule in complete if rule.enabled)
