"""Executive: how every model does by labels, KPIs and promises, from the ledger alone in four statements for all."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from hindsight.ledger.courses import Step, Wanted, courses, rows_hit
from hindsight.messages.wording import apart, number, reference_of
from hindsight.monitors.loader import load_folder
from hindsight.monitors.model import Monitor
from hindsight.monitors.rules import Rule
from hindsight.monitors.slos import LEFT
from hindsight.pipeline.resources import Resources
from hindsight.reports.executive import Budget, Model, Trend, in_order, on_page, sparkline
from hindsight.reports.pages import Link
from hindsight.verdicts.judge import waits_for_labels
from hindsight.verdicts.model import Incident, State
from hindsight.vocabulary.measurement import Kind

WINDOWS = 12  # drawn of each number
JUST = 0.005  # nearer to the reference than half a per cent is as the reference
_SPENT = f"{Kind.SLO}.{LEFT}"
_QUALITY = {"regression": ("performance.mae", "performance.rmse")}
_BASES = {"reference": "the reference", "previous": "the window before", "same_weekday": "the week before"}
_Courses = Mapping[Wanted, tuple[Step, ...]]


@dataclass(frozen=True, slots=True)
class Executive:
    """The monitors that are not archived, the worst first, and how many are; only those of the page have numbers."""

    models: tuple[Model, ...]
    archived: int


def executive(may_read: Callable[[Sequence[str]], set[str]], resources: Resources, *, page: int = 1) -> Executive:
    """Return how the models stand of those monitors somebody may read, as `may_read` says of their names.

    What is open, rows and budgets are those of all; the courses of numbers are read for the models of the page alone.
    """
    found = load_folder(resources.settings.monitors).monitors
    readable = may_read(list(found))
    seen = [monitor for name, monitor in found.items() if name in readable]
    shown = {monitor.name: monitor for monitor in seen if monitor.state != "archived"}
    opened: dict[str, list[Incident]] = defaultdict(list)
    for one in resources.ledger.incidents(open_only=True):
        opened[one.monitor].append(one)
    with resources.ledger.reading() as connection:
        hit = rows_hit(connection, _not_of_rows(shown.values()))
        spent = courses(connection, [key for monitor in shown.values() for key in _promised(monitor)], 1)
        models = in_order(_model(one, spent, opened[name], hit.get(name, 0)) for name, one in shown.items())
        of_page = [shown[one.monitor.text] for one in on_page(models, page)]
        known = courses(connection, [key for monitor in of_page for key in _wanted(monitor)], WINDOWS)
    names = {monitor.name for monitor in of_page}
    told = (_with_trends(one, shown[one.monitor.text], known) if one.monitor.text in names else one for one in models)
    return Executive(tuple(told), len(seen) - len(shown))


def _not_of_rows(monitors: Iterable[Monitor]) -> set[str]:
    """The rules whose numbers are made of more rows than those of their window."""
    other = (Kind.SLO, Kind.PROMOTION)
    return {rule.id for one in monitors for rule in one.rules if rule.metric.partition(".")[0] in other}


def _wanted(monitor: Monitor) -> Iterator[Wanted]:
    rules = [_quality(monitor)[1], *(_judging(monitor, f"{Kind.KPI}.{name}") for name in monitor.kpis)]
    yield from (Wanted(monitor.name, rule.id) for rule in rules if rule)


def _promised(monitor: Monitor) -> Iterator[Wanted]:
    if spent := _judging(monitor, _SPENT):
        yield from (Wanted(monitor.name, spent.id, slo) for slo in monitor.slos)


def _quality(monitor: Monitor) -> tuple[str, Rule | None]:
    """The name of a model's quality, and the rule that judges it: accuracy, or mae or rmse of a regression."""
    metrics = _QUALITY.get(monitor.model.task, ("performance.accuracy",))
    rules = (_judging(monitor, metric) for metric in metrics) if monitor.source.labels else iter(())
    rule = next(filter(None, rules), None)
    return (rule.metric if rule else metrics[0]).partition(".")[2], rule


def _judging(monitor: Monitor, metric: str) -> Rule | None:
    """The rule that judges a metric: before others one that compares with the reference, for that is told too."""
    rules = [rule for rule in monitor.rules if rule.metric == metric]
    return min(rules, key=lambda rule: (not _compares(rule), rule.against != "reference"), default=None)


def _compares(rule: Rule) -> bool:
    """Whether its line says what the reference is: it is made from that, and it has no other."""
    lines = (rule.drops_by, rule.rises_by, rule.above, rule.below)
    return sum(line is not None for line in lines) == 1 and rule.above is None and rule.below is None


def _model(monitor: Monitor, known: _Courses, opened: Sequence[Incident], rows: int) -> Model:
    open_now = [one for one in opened if one.state is State.OPEN]
    return Model(
        monitor=Link(monitor.name, f"monitors/{monitor.name}"),
        state=monitor.state,
        owner=monitor.owner,
        open=dict(Counter(one.severity for one in open_now)),
        recovering=len(opened) - len(open_now),
        rows=rows,
        budgets=tuple(_budgets(monitor, known)),
    )


def _with_trends(model: Model, monitor: Monitor, known: _Courses) -> Model:
    kpis = tuple(_kpi_trend(monitor, name, known) for name in monitor.kpis)
    return replace(model, quality=_quality_trend(monitor, known), kpis=kpis)


def _quality_trend(monitor: Monitor, known: _Courses) -> Trend:
    name, rule = _quality(monitor)
    if not monitor.source.labels:
        return Trend(name, "no labels, so it is not known")
    return _trend(monitor, name, rule, known)


def _kpi_trend(monitor: Monitor, name: str, known: _Courses) -> Trend:
    rule = _judging(monitor, f"{Kind.KPI}.{name}")
    return _trend(monitor, name.replace("_", " "), rule, known, adds_up=monitor.kpis[name].sum is not None)


def _trend(monitor: Monitor, name: str, rule: Rule | None, known: _Courses, *, adds_up: bool = False) -> Trend:
    if rule is None:
        return Trend(name, "no rule judges it: its numbers are on the monitor's page")
    steps = known.get(Wanted(monitor.name, rule.id), ())
    if not steps:
        waits = waits_for_labels(monitor, rule)
        return Trend(name, "no window's labels are complete yet" if waits else "no window judged yet")
    now = number(rule.metric, steps[-1].value)
    reference = reference_of(rule, steps[-1].threshold) if _compares(rule) else None
    change = _change(rule, steps[-1].value, reference)
    summary = f"{name}, {len(steps)} window{'s' * (len(steps) != 1)}: {now} now"
    return Trend(
        name,
        value=now,
        reference="no reference" if reference is None else number(rule.metric, reference),
        change=change,
        total=_total(rule, steps) if adds_up else "",
        spark=sparkline([(step.start, step.value) for step in steps], reference, summary),
    )


def _change(rule: Rule, value: float, reference: float | None) -> str:
    if reference is None:
        return ""
    if value == reference or (reference > 0 and abs(value / reference - 1) < JUST):
        return f"as {_BASES[rule.against]}"
    return f"{apart(rule.metric, value, reference)} {_BASES[rule.against]}"


def _total(rule: Rule, steps: Sequence[Step]) -> str:
    """What a sum comes to over the windows, and how much that is against their references where each has one."""
    total = sum(step.value for step in steps)
    said = f"{number(rule.metric, total)} in {len(steps)} window{'s' * (len(steps) != 1)}"
    references = [reference_of(rule, step.threshold) if _compares(rule) else None for step in steps]
    known = [one for one in references if one is not None]
    if len(known) < len(steps):
        return said
    off = total - sum(known)
    return f"{said}, {number(rule.metric, abs(off))} {'less' if off < 0 else 'more'} than by reference"


def _budgets(monitor: Monitor, known: _Courses) -> Iterator[Budget]:
    rule = _judging(monitor, _SPENT)
    for name in monitor.slos:
        steps = known.get(Wanted(monitor.name, rule.id, name), ()) if rule else ()
        if not steps:
            yield Budget(name, "not judged yet" if rule else "no rule judges it")
            continue
        left = steps[-1].value
        yield Budget(name, f"{number(_SPENT, left)} left" if left > 0 else "spent", left <= 0)
