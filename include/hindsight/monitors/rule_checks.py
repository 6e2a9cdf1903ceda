"""Whether the rules of a monitor file can ever say something, and whether what they say can be meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from hindsight.errors import did_you_mean
from hindsight.monitors.document import Where
from hindsight.monitors.kpis import aggregate
from hindsight.monitors.metric import Metric
from hindsight.monitors.metric_catalog import metric, resource_metrics, rule_metrics
from hindsight.monitors.model import Monitor
from hindsight.monitors.rules import MOST, Rule, RuleChange, merge
from hindsight.monitors.strict import no_link
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.windows import format_duration

Found = Iterator[tuple[Where, str]]
LABELLED = (Kind.PERFORMANCE, Kind.LABELS)
WEEK = timedelta(days=7)
_DAG_ID = r"[A-Za-z0-9_.-]{1,250}"


def rule_problems(monitor: Monitor) -> Found:
    """Yield what is wrong with `rules` and with the rules that `retrain.require` names."""
    built_in = monitor.built_in
    known = {rule.id: rule for rule in built_in}
    given: dict[str, int] = {}
    for i, change in enumerate(monitor.rule_changes):
        if change.id in given:
            yield ("rules", i, "id"), f"{change.id!r} is already used by rules[{given[change.id]}]; change it there"
            continue
        given[change.id] = i
        if change.metric is None and change.id not in known:
            yield from _no_such_rule(i, change.id, known)
        elif too_long := [name for name, count in change.in_windows(monitor.window).items() if count > MOST]:
            yield ("rules", i, too_long[0]), f"expected at most {MOST:,} windows of {format_duration(monitor.window)}"
        elif change.enabled is not False:
            (rule,) = (r for r in merge(built_in, [change], monitor.window) if r.id == change.id)
            yield from _rule(monitor, ("rules", i), change, rule)
    yield from _retraining(monitor, known.keys() | given.keys())


def rounded_times(monitor: Monitor) -> Found:
    """Yield which times of rules are no whole number of windows, and how long they are then."""
    for i, change in enumerate(monitor.rule_changes):
        given = {"for": change.for_, "keep_for": change.keep_for}
        for name, count in change.in_windows(monitor.window).items():
            asked, size = given[name], format_duration(monitor.window)
            if isinstance(asked, timedelta) and count * monitor.window != asked:
                windows = f"{count:,} window{'s' * (count > 1)} of {size}"
                yield ("rules", i, name), f"{format_duration(asked)} is rounded up to {windows}"


def _no_such_rule(i: int, id: str, known: dict[str, Rule]) -> Found:
    hint = did_you_mean(id, known) or f"; built in are {', '.join(known)}"
    yield ("rules", i, "metric"), f"is missing: {id!r} is not a built-in rule{hint}"


def _rule(monitor: Monitor, where: Where, change: RuleChange, rule: Rule) -> Found:
    measured = measured_of(monitor, rule.metric)
    if change.runbook is not None and (wrong := no_link(change.runbook)):
        yield (*where, "runbook"), wrong
    for i, receiver in enumerate(change.then or ()):
        if receiver.startswith("dag:") and not re.fullmatch(_DAG_ID, receiver[4:]):
            yield (*where, "then", i), f"{receiver[4:]!r} cannot be a DAG id"
    if measured is None:
        yield (*where, "metric"), unknown_metric(monitor, rule.metric)
        return
    yield from _thresholds(where, change, rule, measured)
    yield from _comparison(monitor, where, change, rule, measured)
    yield from _groups(monitor, where, change)
    if change.metric is not None:
        yield from ((((*where, "metric"), f"{rule.metric!r} {lack}")) for lack in lacks(monitor, measured))


def measured_of(monitor: Monitor, path: str) -> Metric | None:
    """Return a metric of one value that is measured for this monitor; None where there is none at the path."""
    resources = resource_metrics(monitor.source.predictions.resources)
    if path in rule_metrics(monitor.model.task):
        return metric(path)
    kind, _, name = path.partition(".")
    return _kpi(monitor, name) if kind == Kind.KPI and name in monitor.kpis else resources.get(path)


def _kpi(monitor: Monitor, name: str) -> Metric:
    """A KPI as a metric: a reference period is cut into windows to compare with, a file of rows cannot be."""
    counted = aggregate(monitor.kpis[name])[0] == "count"
    in_file = monitor.reference is not None and monitor.reference.parquet is not None
    return Metric(Kind.KPI, name, "", lowest=0 if counted else None, compared=not in_file)


def unknown_metric(monitor: Monitor, path: str) -> str:
    """Say why there is no metric of one value at a path."""
    resources = resource_metrics(monitor.source.predictions.resources)
    paths = [*rule_metrics(monitor.model.task), *resources, *(f"kpi.{name}" for name in monitor.kpis)]
    other = metric(path)
    if other is not None and not other.is_judged:
        return f"{path!r} holds one value per {other.vector}; a rule judges metrics of one value"
    if other is not None and other.kind is not Kind.KPI:
        return f"{path!r} is not measured for a {monitor.model.task} model{did_you_mean(path, paths)}"
    return f"unknown metric {path!r}{did_you_mean(path, paths) or '; docs/metrics.md lists them'}"


def _thresholds(where: Where, change: RuleChange, rule: Rule, measured: Metric) -> Found:
    if rule.above is rule.below is rule.drops_by is rule.rises_by is None:
        yield where, "has no threshold; give above, below, drops_by or rises_by"
    if rule.above is not None and rule.below is not None and rule.below > rule.above:
        yield (*where, "below"), f"{rule.below:g} is more than above: {rule.above:g}, so that every value would breach"
    for name in ("above", "below", "critical"):
        value = getattr(change, name)
        if value is not None and not within(value, measured):
            hint = f" - did you mean {value / 100:g}?" if measured.highest == 1 and 1 < value <= 100 else ""
            yield (*where, name), f"{rule.metric!r} is {range_of(measured)}, found {value:g}{hint}"
    if change.critical is not None and measured.about != "feature":
        yield (*where, "critical"), f"is for critical features, but {rule.metric!r} is not about a feature"
    elif change.critical is not None and (rule.above is None or change.critical > rule.above):
        yield (
            (*where, "critical"),
            "must be as strict as `above` or stricter, since it replaces it for critical features",
        )


def within(value: float, measured: Metric) -> bool:
    """Say whether a metric can have this value."""
    return not (
        (measured.lowest is not None and value < measured.lowest)
        or (measured.highest is not None and value > measured.highest)
    )


def range_of(measured: Metric) -> str:
    """Say between what a metric's values lie."""
    if measured.lowest is None:
        return f"at most {measured.highest:g}"
    return f"at least {measured.lowest:g}" + (
        f" and at most {measured.highest:g}" if measured.highest is not None else ""
    )


def _comparison(monitor: Monitor, where: Where, change: RuleChange, rule: Rule, measured: Metric) -> Found:
    for name in ("drops_by", "rises_by", "over_reference"):
        if not getattr(change, name):
            continue
        if rule.against != "reference":
            continue
        if not measured.compared:
            yield (*where, name), f"{rule.metric!r} has no value on the reference to compare with; use above or below"
        elif monitor.reference is None:
            yield (*where, name), "compares with the reference, but the file has no reference section"
    if (change.drops_by or 0) >= 1:
        yield (*where, "drops_by"), "a drop of 100 % or more can never happen"
    if change.over_reference and rule.above is None:
        yield (*where, "over_reference"), "needs above: the allowed distance from the reference"
    if rule.against != "reference":
        yield from (((*where, "against"), why) for why in _against(monitor, rule, measured))


def _against(monitor: Monitor, rule: Rule, measured: Metric) -> Iterator[str]:
    """Yield why a rule cannot be compared with a window before."""
    if rule.drops_by is rule.rises_by is None and not rule.over_reference:
        yield "compares nothing: give drops_by, rises_by or over_reference"
    if rule.against == "same_weekday" and WEEK % monitor.window:
        yield f"{format_duration(monitor.window)} windows do not divide a week: none is a whole week before"
    if measured.by_bin:
        yield f"{rule.metric!r} holds a value a bin, which is compared with the reference only"
    if measured.path == "drift.news":
        yield f"{rule.metric!r} compares with windows before as it is"


def _groups(monitor: Monitor, where: Where, change: RuleChange) -> Found:
    if change.segments and not monitor.segments:
        yield (*where, "segments"), "the file lists no segments to judge"
    if change.versions and monitor.source.predictions.model_version is None:
        yield (*where, "versions"), "needs source.predictions.model_version"


def lacks(monitor: Monitor, measured: Metric) -> Iterator[str]:
    """Yield what a metric needs and the monitor does not declare."""
    if measured.needs and getattr(monitor.source.predictions, measured.needs) is None:
        yield f"needs source.predictions.{measured.needs}"
    if measured.kind in LABELLED and monitor.source.labels is None:
        yield "needs source.labels"
    if measured.kind is Kind.DRIFT and monitor.reference is None:
        yield "needs a reference section"
    if measured.kind is Kind.SLO and not monitor.slos:
        yield "needs slos"
    if measured.kind is Kind.PROMOTION and monitor.retrain is None:
        yield "needs a retrain section"


def _retraining(monitor: Monitor, ids: set[str]) -> Found:
    if monitor.retrain is None:
        return
    where = ("retrain", "require")
    if not monitor.retrain.require:
        yield where, "needs at least one rule; without one nothing would ever ask for retraining"
    active = {rule.id: rule for rule in monitor.rules} if is_mergeable(monitor) else {}
    for i, id in enumerate(monitor.retrain.require):
        if id not in ids:
            yield (*where, i), f"unknown rule {id!r}{did_you_mean(id, ids) or '; known are ' + ', '.join(sorted(ids))}"
        elif active and id not in active:
            yield (*where, i), f"rule {id!r} is disabled, so that retraining could never be asked for"
        elif id in active and (measured := metric(active[id].metric)):
            yield from (
                ((*where, i), f"rule {id!r} judges {measured.path}, which {x}") for x in lacks(monitor, measured)
            )
    if monitor.retrain.dag is not None and not re.fullmatch(_DAG_ID, monitor.retrain.dag):
        yield ("retrain", "dag"), f"{monitor.retrain.dag!r} cannot be a DAG id: letters, digits, '_', '.' and '-'"


def is_mergeable(monitor: Monitor) -> bool:
    """Whether every change is of a rule built in, or says what its metric is, and none waits for too many windows."""
    built_in = {rule.id for rule in monitor.built_in}
    return all(
        (change.metric is not None or change.id in built_in)
        and all(count <= MOST for count in change.in_windows(monitor.window).values())
        for change in monitor.rule_changes
    )
