"""Judge the numbers of one window: a verdict per rule and series, a pure function of what was knowable then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from math import copysign, isfinite, nextafter, sqrt

from hindsight.monitors.kpis import is_labelled_metric
from hindsight.monitors.model import Monitor
from hindsight.monitors.rules import Rule
from hindsight.verdicts.effect import DRIFTED, Effect, effects
from hindsight.verdicts.model import SPOKEN, Series, Status, Verdict
from hindsight.verdicts.muting import ABSENT, Drifted, mute
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.windows import Window

Facts = Mapping[Kind, Sequence[Measurement]]
LABELLED = (Kind.PERFORMANCE, Kind.LABELS)  # what waits for labels: due, and judged, when the window matures
FEW = 10  # requests expected: then none at all comes about by chance less than once in 20,000 windows
FEWEST = 5  # rows that are a share: fewer are accidents
BASES = {
    "reference": "the reference",
    "previous": "the window before,",
    "same_weekday": "the same time a week before,",
}
NULLS, CONTROL = "quality.null_rate", "null_rate_control"
BY_CHANCE = "no further off than by chance"
_COMPARED = (Status.OK, Status.BREACH, Status.NO_DATA, Status.MUTED)  # muted: after it was compared
INTERVAL = 1.96  # standard errors in half a 95 % interval
FAULTS = (
    *("unknown_label_share", "label_conflicts", "label_duplicates", "undated_labels", "early_labels"),
    *("misspelt_share", "missing_share"),
)


def judge(monitor: Monitor, window: Window, as_of: datetime, facts: Facts) -> list[Verdict]:
    """Return what every rule whose kind is among `facts` says about this window, muted verdicts included.

    A rule speaks about each measurement of its metric: all rows together, and segments or versions where it says so. Of
    a metric with a value for each bin it speaks about the bin that moved most from its reference.
    Before the window's labels are mature nothing that needs labels breaches, but faults of the labels themselves do:
    labels yet to come do not mend them. A number without a value is NO_DATA.
    """
    labels = _Labels.of(monitor, window, as_of, facts)
    drift = facts.get(Kind.DRIFT, ())
    far = effects(monitor.drift.method, drift)
    scores = {f.feature: f.value for f in facts.get(Kind.QUALITY, ()) if f.metric == CONTROL and not f.segment}
    verdicts = [
        _unless_by_chance(rule, _with_effect(rule, _verdict(monitor, rule, fact, window, as_of, labels), far), scores)
        for rule in monitor.rules
        for fact in _concerned(rule, facts.get(kind_of(rule), ()))
    ]
    calm = [_unless_usual(verdict, facts.get(Kind.OPERATIONS, ())) for verdict in verdicts]
    return mute(monitor, calm, drifted=_drifted(monitor, drift), moved=_moved(drift))


def _with_effect(rule: Rule, verdict: Verdict, found: Mapping[Series, Effect]) -> Verdict:
    """Say of a column how far it is from the reference: people want more than whether it is called drifted."""
    effect = found.get(replace(verdict.series, rule=""))
    if rule.metric != DRIFTED or verdict.status not in SPOKEN or effect is None:
        return verdict
    return replace(verdict, note=verdict.note or str(effect))


def _unless_by_chance(rule: Rule, verdict: Verdict, scores: Mapping[str, float | None]) -> Verdict:
    """Take back a breach of a null rate that is no further off than the reference's own windows are among themselves.

    Rows of a window come in clusters (an invoice, a customer), so that more of them are null by chance than if each
    were drawn by itself: of both noises the larger counts.
    """
    score, series = scores.get(verdict.series.feature), verdict.series
    if rule.metric != NULLS or not rule.sigmas or verdict.status is not Status.BREACH:
        return verdict
    if series.segment or series.model_version:
        return verdict
    if score is None or score >= rule.sigmas:
        return verdict
    return replace(verdict, status=Status.OK, note=BY_CHANCE)


def _unless_usual(verdict: Verdict, facts: Sequence[Measurement]) -> Verdict:
    """Mute the absence of requests at a time at which hardly any ever come, such as the nights of an office."""
    if verdict.series.rule != ABSENT or verdict.status is not Status.BREACH:
        return verdict
    expected = next((fact.value for fact in facts if fact.metric == "expected_requests"), None)
    if expected is None or expected >= FEW:
        return verdict
    return replace(verdict, status=Status.MUTED, note=f"{expected:g} were to be expected since the last request")


def _drifted(monitor: Monitor, facts: Sequence[Measurement]) -> Drifted:
    """Index the features behind each drift_share by what it is about; True where one drifted."""
    found: dict[tuple[str, str], dict[str, bool]] = {}
    for fact in facts:
        if fact.metric == "drifted" and fact.value is not None and fact.feature in monitor.features:
            found.setdefault((fact.model_version, fact.segment), {})[fact.feature] = fact.value > 0
    return found


def _moved(facts: Sequence[Measurement]) -> dict[tuple[str, str, str], float]:
    """Return how many rows of each column moved at least: the total variation is no less than ks, nor than js squared.

    Lin (1991), Divergence measures based on the Shannon entropy: the divergence in base 2 is at most the variation.
    """
    found: dict[tuple[str, str, str], float] = {}
    for fact in facts:
        if fact.metric in ("ks", "js_distance") and fact.value is not None:
            key = (fact.model_version, fact.segment, fact.feature)
            found[key] = max(found.get(key, 0.0), fact.value if fact.metric == "ks" else fact.value**2)
    return found


def waits_for_labels(monitor: Monitor, rule: Rule) -> bool:
    """Say whether a rule's numbers are made of labels, so that it is due, and judged, when the window matures."""
    return needs_labels(monitor, rule.metric)


def needs_labels(monitor: Monitor, path: str) -> bool:
    """Say whether a metric is made of labels."""
    return Kind(path.partition(".")[0]) in LABELLED or is_labelled_metric(monitor, path)


def due_at(monitor: Monitor, rule: Rule, end: datetime) -> datetime:
    """Return when a rule's verdict on the window that ends at `end` is due: when it is read or, of labels, matures."""
    return end + (monitor.labels.matures_after if waits_for_labels(monitor, rule) else monitor.lateness)


def kind_of(rule: Rule) -> Kind:
    """The kind of measurement a rule is about: the first part of its metric."""
    return Kind(rule.metric.partition(".")[0])


@dataclass(frozen=True, slots=True)
class _Labels:
    """What the window's labels allow to be said."""

    mature: bool
    coverage: Mapping[tuple[str, str], float | None]
    missing: str

    @classmethod
    def of(cls, monitor: Monitor, window: Window, as_of: datetime, facts: Facts) -> _Labels:
        known = [fact for fact in facts.get(Kind.LABELS, ()) if not fact.bin]
        overall = {fact.metric: fact.value for fact in known if not (fact.model_version or fact.segment)}
        coverage = {(fact.model_version, fact.segment): fact.value for fact in known if fact.metric == "coverage"}
        complete = window.end + monitor.labels.matures_after
        mature = bool(overall["mature"]) if "mature" in overall else as_of >= complete
        return cls(mature, coverage, _missing(overall, complete))

    def coverage_of(self, fact: Measurement) -> float:
        own = self.coverage.get((fact.model_version, fact.segment))
        return (self.coverage.get(("", "")) if own is None else own) or 0.0


def _missing(labels: Mapping[str, float | None], complete: datetime) -> str:
    """Say what a window still waits for: "labels of 43% of the predictions are in, 86% are expected by 2026-09-08"."""
    known, expected = labels.get("coverage"), labels.get("expected_final_coverage")
    by = f"{complete:%Y-%m-%d}" if complete.time() == time.min else f"{complete:%Y-%m-%d %H:%M} UTC"
    if known is None:
        return f"labels are still arriving, until {by}"
    ahead = f"{expected:.0%} are expected by {by}" if expected is not None else f"they are complete by {by}"
    return f"labels of {known:.0%} of the predictions are in, {ahead}"


@dataclass(frozen=True, slots=True)
class _Bound:
    """A line a value must not cross: breached at or above it, or below it; `base` is first taken off the value.

    A value that is nearer to its base, or its reference, than `chance` may have crossed it by accident.
    """

    limit: float
    upper: bool
    base: float = 0.0
    note: str = ""
    origin: float = 0.0
    chance: float = 0.0

    @property
    def threshold(self) -> float:
        return self.base + self.limit

    def crossed_by(self, value: float) -> bool:
        return value - self.base >= self.limit if self.upper else value - self.base < self.limit

    def broken_by(self, value: float) -> bool:
        beyond = (value - self.origin) * (1 if self.upper else -1)
        return self.crossed_by(value) and (not self.chance or beyond >= self.chance)


def _concerned(rule: Rule, facts: Sequence[Measurement]) -> Iterator[Measurement]:
    """Yield what a rule judges: its metric's values and, where those are of bins, of each kind the one that moved most.

    A bin without a reference has not moved, as far as is known.
    """
    moved: dict[tuple[str, str, str], Measurement] = {}
    for fact in facts:
        if not _concerns(rule, fact):
            continue
        if not fact.bin:
            yield fact
            continue
        about = fact.model_version, fact.segment, fact.feature
        if about not in moved or _move(fact) > _move(moved[about]):
            moved[about] = fact
    for fact in moved.values():
        if _move(fact):
            yield replace(fact, note="; ".join(filter(None, (f"of {fact.bin}", fact.note))))


def _move(fact: Measurement) -> float:
    return 0.0 if fact.value is None or fact.reference is None else abs(fact.value - fact.reference)


def _concerns(rule: Rule, fact: Measurement) -> bool:
    return (
        fact.metric == rule.metric.partition(".")[2]
        and (rule.segments or not fact.segment)
        and (rule.versions or not fact.model_version)
    )


def _verdict(
    monitor: Monitor, rule: Rule, fact: Measurement, window: Window, as_of: datetime, labels: _Labels
) -> Verdict:
    if rule.against != "reference":
        fact = replace(fact, reference=None)  # what it is compared with is in no snapshot: see verdicts/against.py
    bound = _decisive(list(_bounds(monitor, rule, fact)), fact.value)
    status, note = _status(monitor, rule, fact, bound, labels)
    return Verdict(
        series=Series(rule.id, fact.model_version, fact.segment, fact.feature),
        window=window,
        as_of=as_of,
        due=due_at(monitor, rule, window.end),
        status=status,
        value=fact.value,
        threshold=bound.threshold if bound else None,
        n=fact.n,
        note=note,
    )


def compared(monitor: Monitor, rule: Rule, verdict: Verdict, earlier: float | None) -> Verdict:
    """Return the verdict of a rule that compares with a window before, given its value there; None where it had none.

    A number that was not judged for another reason, such as too few rows, is not compared either.
    """
    if verdict.value is None or verdict.status not in _COMPARED:
        return verdict
    metric, series = rule.metric.partition(".")[2], verdict.series
    fact = Measurement(metric, verdict.value, verdict.n, feature=series.feature, reference=earlier)
    is_comparable = earlier is not None or not rule.over_reference  # a limit of its own needs nothing to compare with
    bound = _decisive(list(_bounds(monitor, rule, fact)) if is_comparable else [], fact.value)
    if bound is None:
        note = f"{BASES[rule.against].removesuffix(',')} has no number to compare with"
        return replace(verdict, status=Status.NO_DATA, threshold=None, note=note)
    if not bound.broken_by(verdict.value):
        return replace(verdict, status=Status.OK, threshold=bound.threshold, note="")
    return replace(verdict, status=Status.BREACH, threshold=bound.threshold, note=bound.note)


def _status(
    monitor: Monitor, rule: Rule, fact: Measurement, bound: _Bound | None, labels: _Labels
) -> tuple[Status, str]:
    if waits_for_labels(monitor, rule) and not labels.mature and not _is_fault(fact, bound, rule):
        return Status.IMMATURE, labels.missing
    if fact.value is None or not isfinite(fact.value):
        return Status.NO_DATA, fact.note or "not evaluated"
    if shortage := _shortage(monitor, rule, fact, labels):
        return Status.TOO_FEW, shortage
    if bound is None:
        return Status.NO_DATA, "no reference"
    if not bound.broken_by(fact.value):
        return Status.OK, BY_CHANCE if bound.crossed_by(fact.value) else ""
    return Status.BREACH, "; ".join(filter(None, (bound.note, fact.note)))


def _is_fault(fact: Measurement, bound: _Bound | None, rule: Rule) -> bool:
    """Whether it is the labels themselves that are wrong: those yet to come do not mend them."""
    if fact.metric not in FAULTS or bound is None or fact.value is None or fact.n < rule.min_rows:
        return False
    return bound.broken_by(fact.value)


def _shortage(monitor: Monitor, rule: Rule, fact: Measurement, labels: _Labels) -> str:
    """Say what there is too little of behind a number, or "" where there is enough."""
    if fact.n < rule.min_rows:
        return f"{fact.n:,} rows, {rule.min_rows:,} are needed"
    if kind_of(rule) is not Kind.PERFORMANCE and not is_labelled_metric(monitor, rule.metric):
        return ""
    if kind_of(rule) is Kind.PERFORMANCE and fact.n < monitor.labels.min_labels:
        return f"{fact.n:,} labels, {monitor.labels.min_labels:,} are needed"
    if (coverage := labels.coverage_of(fact)) < monitor.labels.min_coverage:
        return f"labels for {coverage:.0%} of the predictions, {monitor.labels.min_coverage:.0%} are needed"
    return ""


def _bounds(monitor: Monitor, rule: Rule, fact: Measurement) -> Iterator[_Bound]:
    """Yield the lines this value must not cross."""
    feature = monitor.features.get(fact.feature)
    is_critical = feature is not None and feature.critical and rule.critical is not None
    above = rule.critical if is_critical else rule.above
    base = (fact.reference if rule.over_reference else None) or 0.0
    if above is not None:
        chance = 0.0 if is_critical and not base else _by_chance(rule, fact, base)
        yield _Bound(above, upper=True, base=base, origin=base, chance=chance)
    if rule.below is not None:
        yield _Bound(rule.below, upper=False, base=base)
    if fact.reference is not None:
        yield from _relative_bounds(rule, fact, fact.reference)


def _by_chance(rule: Rule, fact: Measurement, base: float) -> float:
    """Return how far above its base a share of rows can lie by chance: so many standard errors, and five rows."""
    if not rule.sigmas or not fact.metric.endswith(("_rate", "_share")) or not fact.n:
        return 0.0
    return max(rule.sigmas * sqrt(base * (1 - base) / fact.n) if 0 < base < 1 else 0.0, FEWEST / fact.n)


def _relative_bounds(rule: Rule, fact: Measurement, reference: float) -> Iterator[_Bound]:
    """Yield the lines set as a share of the reference; a share of a negative reference is a share of its size."""
    known = fact.lower is not None and fact.upper is not None
    chance = rule.sigmas * ((fact.upper or 0) - (fact.lower or 0)) / 2 / INTERVAL if known else 0.0
    if rule.drops_by is not None:
        note = f"more than {rule.drops_by:.0%} below {BASES[rule.against]} {reference:.4g}"
        dropped = reference * (1 - copysign(rule.drops_by, reference))
        yield _Bound(dropped, upper=False, note=note, origin=reference, chance=chance)
    if rule.rises_by is not None:
        note = f"{rule.rises_by:.0%} or more above {BASES[rule.against]} {reference:.4g}"
        risen = reference * (1 + copysign(rule.rises_by, reference)) or nextafter(0, 1)
        yield _Bound(risen, upper=True, note=note, origin=reference, chance=chance)  # above 0 any rise is one


def _decisive(bounds: Sequence[_Bound], value: float | None) -> _Bound | None:
    """Return the line a value broke or, where it broke none, came nearest to."""
    if value is None or not isfinite(value):
        return bounds[0] if bounds else None
    broken = [bound for bound in bounds if bound.broken_by(value)]
    return min(broken or bounds, key=lambda bound: abs(bound.threshold - value), default=None)
