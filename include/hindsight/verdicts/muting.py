"""Mute what something else already explains; bad data never mutes operations or performance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt

from hindsight.monitors.model import Monitor
from hindsight.monitors.rules import Rule
from hindsight.verdicts.model import Series, Status, Verdict

ABSENT, MISTAKEN = "no_data", "quality.score_mistaken"
_VALUES = frozenset({"quality.out_of_range_share", "quality.outlier_share", "quality.sentinel_share", "quality.stuck"})
_BROKEN = frozenset({"quality.schema_change", "quality.unit_change", "quality.stuck", "quality.null_rate"}) | {
    "quality.sentinel_share",
    "quality.new_category_share",
}
EXPLAINS: Mapping[str, frozenset[str]] = {
    "quality.schema_change": _VALUES
    | {"quality.null_rate", "quality.new_category_share", "quality.unit_change", MISTAKEN},
    MISTAKEN: _VALUES | {"quality.unit_change"},
    "quality.unit_change": _VALUES,
    "quality.stuck": _VALUES - {"quality.stuck"},
    "quality.expectations_failed_critical": frozenset({"quality.expectations_failed"}),
}
OF_LABELS = {
    "labels.drifted": "labels.unknown_label_share",
    "labels.missing_share": "labels.misspelt_share",
}
TOLD_BY = {"performance.estimate_reading": ("performance.accuracy", "performance.mae")}  # what, and how much of it
ROUNDED = "whole numbers only"  # a change of type that leaves every value where it was
Drifted = Mapping[tuple[str, str], Mapping[str, bool]]
Moved = Mapping[tuple[str, str, str], float]  # by version, segment and column, the share of rows that moved at least
_Causes = Mapping[tuple[str, str], Sequence[Verdict]]
_Number = tuple[str, str, str, str]  # metric, version, segment, column


def mute(
    monitor: Monitor, verdicts: Sequence[Verdict], *, drifted: Drifted | None = None, moved: Moved | None = None
) -> list[Verdict]:
    """Return the verdicts of one window with those that another one explains turned to MUTED, the note naming it.

    - A `no_data` breach mutes every other rule of its version and segment, good news included: absence is not health.
    - A quality breach of a column mutes drift breaches of that column, and the breach of a share of drifted features
      that without such columns would be none. One that says a feature's values are not its own also mutes drift of the
      prediction and the score made from it, unless more of their rows moved, by `moved`, than have such values.
      `drifted` says of each version and segment what drifted.
    - Of a score it mutes what is missing where no less is missing of the prediction: there was no answer.
    - A breach by labels of unknown classes mutes drift of the labels, one by ids that do not match that labels stopped.
    - Scores that are not what the file says mute what else is odd about them, and drift of them.
    - A loss of accuracy mutes that the truth is not as estimated.
    - What broke a column (its schema, its unit, one value for all) mutes what follows of it in the same column, such as
      values out of range, unless that is the more severe.
    - A more severe rule about the same number that opens no later mutes a milder breach, unless retraining needs it.

    The last three, a score missing with its answer and a `no_data` about the same number only say a breach louder or
    better: that of a rule which starts DAGs stands, for what it starts is decided on its breach, and `spokesmen` says
    who tells people of it.
    """
    known = _known(monitor, verdicts, drifted or {}, moved or {})
    return [_muted(verdict, known) for verdict in verdicts]


def spokesmen(monitor: Monitor, verdicts: Sequence[Verdict]) -> dict[Series, Series]:
    """Return which breaches in the muted verdicts of one window another one tells of, and which that is."""
    known = _known(monitor, verdicts, {}, {})
    breaches = [verdict for verdict in verdicts if verdict.status is Status.BREACH]
    return {v.series: cause.series for v in breaches if (cause := _spokesman(v, known)[0])}


def _known(monitor: Monitor, verdicts: Sequence[Verdict], drifted: Drifted, moved: Moved) -> _Known:
    rules = {rule.id: rule for rule in monitor.rules}
    needed = monitor.retrain.require if monitor.retrain else ()
    same: dict[_Number, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.status is Status.BREACH:
            same[_number(verdict, rules[verdict.series.rule])].append(verdict)
    return _Known(rules, _causes(rules, verdicts, monitor), same, needed, drifted, moved)


@dataclass(frozen=True, slots=True)
class _Known:
    """What verdicts are muted by: the rules, the breaches by what they explain, and what drifted, and how far.

    `same` are the breaches by the number they are about.
    """

    rules: Mapping[str, Rule]
    causes: _Causes
    same: Mapping[_Number, Sequence[Verdict]]
    needed: Sequence[str]
    drifted: Drifted
    moved: Moved


def _causes(rules: Mapping[str, Rule], verdicts: Iterable[Verdict], monitor: Monitor) -> _Causes:
    """Index the breaches by what they may mute: everything, drift of a column, or milder rules of a metric."""
    score = monitor.source.predictions.score
    outputs = [monitor.source.predictions.prediction, *(score.values() if isinstance(score, dict) else [score])]
    causes: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.status is not Status.BREACH:
            continue
        metric = rules[verdict.series.rule].metric
        causes["metric", metric].append(verdict)
        if verdict.series.rule == ABSENT:
            causes[ABSENT, ""].append(verdict)
        if metric.startswith("quality."):
            causes["quality", verdict.series.feature].append(verdict)
        if metric.startswith("quality.") and verdict.series.feature:
            made_of_it = outputs if metric in _BROKEN and verdict.series.feature in monitor.features else []
            for column in dict.fromkeys([verdict.series.feature, *made_of_it]):
                causes["drift", str(column)].append(verdict)
            for column in outputs[1:] if verdict.series.feature == outputs[0] else []:
                causes["quality", str(column)].append(verdict)
        if metric == MISTAKEN and not verdict.series.feature:
            for column in outputs[1:]:
                causes["quality", str(column)].append(verdict)
                causes["drift", str(column)].append(verdict)
    return causes


def _muted(verdict: Verdict, known: _Known) -> Verdict:
    note = _without_breach(verdict, known) if verdict.status in (Status.BREACH, Status.OK) else ""
    if verdict.status is Status.BREACH and not known.rules[verdict.series.rule].dags:
        note = note or _spokesman(verdict, known)[1]
    return replace(verdict, status=Status.MUTED, note=note) if note else verdict


def _without_breach(verdict: Verdict, known: _Known) -> str:
    """Say what makes a number no statement on what its rule is about, or "": there is nothing to act on either."""
    is_breach = verdict.status is Status.BREACH
    absent = _absence(verdict, known)
    if absent and not (is_breach and _is_same_number(absent, verdict, known)):
        return f"{ABSENT} explains it"
    return (_with_bad_data(verdict, known) or _with_bad_columns(verdict, known)) if is_breach else ""


def _spokesman(verdict: Verdict, known: _Known) -> tuple[Verdict | None, str]:
    """Return the breach that says louder or better what this one says, and how it is put; None and "" without."""
    absent = _absence(verdict, known)
    if absent and _is_same_number(absent, verdict, known):
        return absent, f"{ABSENT} explains it"
    if verdict.series.rule in known.needed:
        return None, ""
    if louder := _louder(verdict, known):
        return louder, f"{louder.series.rule} says more"
    better = _better(verdict, known)
    about = f" on {better.series.feature}" if better and better.series.feature else ""
    return better, f"{better.series.rule}{about} explains it" if better else ""


def _absence(verdict: Verdict, known: _Known) -> Verdict | None:
    causes = known.causes.get((ABSENT, ""), ()) if verdict.series.rule != ABSENT else ()
    return next((cause for cause in causes if _covers(cause, verdict)), None)


def _is_same_number(cause: Verdict, verdict: Verdict, known: _Known) -> bool:
    return _number(cause, known.rules[cause.series.rule]) == _number(verdict, known.rules[verdict.series.rule])


def _with_bad_data(verdict: Verdict, known: _Known) -> str:
    metric, feature = known.rules[verdict.series.rule].metric, verdict.series.feature
    if metric in OF_LABELS:
        wrong = known.causes.get(("metric", OF_LABELS[metric]), ())
        return next((f"{cause.series.rule} explains it" for cause in wrong if _covers(cause, verdict)), "")
    if not metric.startswith("drift."):
        return ""
    found = (cause for cause in known.causes.get(("drift", feature), ()) if _covers(cause, verdict))
    enough = (cause for cause in found if cause.series.feature == feature or _suffices(cause, verdict, known))
    return next((f"{cause.series.rule} on {cause.series.feature} explains it" for cause in enough), "")


def _suffices(cause: Verdict, verdict: Verdict, known: _Known) -> bool:
    """Whether as many rows of a feature are bad as moved of what was made from it, but for what chance moves."""
    series = verdict.series
    moved = known.moved.get((series.model_version, series.segment, series.feature), 0.0)
    metric = known.rules[cause.series.rule].metric
    bad = cause.value if metric.endswith(("_rate", "_share")) else None
    return bad is None or moved <= bad + 2 / sqrt(max(verdict.n, 1))


def _with_bad_columns(verdict: Verdict, known: _Known) -> str:
    """Judge a share of drifted features again, those that bad data explains counted as not drifted."""
    if known.rules[verdict.series.rule].metric != "drift.drift_share" or verdict.threshold is None:
        return ""
    causes, features = known.causes, known.drifted.get((verdict.series.model_version, verdict.series.segment), {})
    moved = [name for name, has_drifted in features.items() if has_drifted]
    spoilt = [name for name in moved if any(_covers(cause, verdict) for cause in causes.get(("quality", name), ()))]
    if not spoilt or (len(moved) - len(spoilt)) / len(features) >= verdict.threshold:
        return ""
    return f"bad data in {', '.join(spoilt[:5])}{' …' * (len(spoilt) > 5)} explains it"


def _louder(verdict: Verdict, known: _Known) -> Verdict | None:
    rule = known.rules[verdict.series.rule]
    for cause in known.same.get(_number(verdict, rule), ()):
        other = known.rules[cause.series.rule]
        if other.severity < rule.severity and other.for_ <= rule.for_:
            return cause
    return None


def _number(verdict: Verdict, rule: Rule) -> _Number:
    """Which number a verdict is about, whatever rule judges it."""
    return rule.metric, verdict.series.model_version, verdict.series.segment, verdict.series.feature


def _better(verdict: Verdict, known: _Known) -> Verdict | None:
    """A column that changed its type holds texts that are no number: that is one fault, not two."""
    rule = known.rules[verdict.series.rule]
    for metric in TOLD_BY.get(rule.metric, ()):
        for cause in known.causes.get(("metric", metric), ()):
            if known.rules[cause.series.rule].severity <= rule.severity and _covers(cause, verdict):
                return cause
    for cause in known.causes.get(("quality", verdict.series.feature), ()):
        other = known.rules[cause.series.rule]
        spoils = rule.metric in EXPLAINS.get(other.metric, ()) and ROUNDED not in cause.note
        explains = spoils or _is_unanswered(cause, verdict, known)
        if explains and other.severity <= rule.severity and other.for_ <= rule.for_ and _covers(cause, verdict):
            return cause
    return None


def _is_unanswered(cause: Verdict, verdict: Verdict, known: _Known) -> bool:
    """Whether a score is missing because the prediction is."""
    both = {known.rules[one.series.rule].metric for one in (cause, verdict)} == {"quality.null_rate"}
    return both and cause.series.feature != verdict.series.feature and (verdict.value or 0) <= (cause.value or 0)


def _covers(cause: Verdict, verdict: Verdict) -> bool:
    """Say whether a verdict is about rows that the cause is about too: the same, or all of them."""
    return cause.series.model_version in ("", verdict.series.model_version) and cause.series.segment in (
        "",
        verdict.series.segment,
    )
