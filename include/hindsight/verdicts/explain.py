"""Say a verdict in one plain sentence, the same in mails, in the terminal and on pages."""

from __future__ import annotations

from hindsight.monitors.model import Monitor
from hindsight.monitors.rules import Rule
from hindsight.verdicts.model import Status, Verdict

_WORDS = {
    "operations.health": ("health", ("healthy", "at warning", "critical")),
    "drift.drifted": ("drift", ("absent", "present")),
    "labels.drifted": ("label drift", ("absent", "present")),
    "quality.schema_change": ("schema", ("as it was", "changed")),
    "quality.stuck": ("the value", ("free", "stuck")),
    "quality.score_mistaken": ("the score", ("as declared", "not what the file says")),
    "promotion.grade": (
        "the promoted model",
        ("as good as promised", "short of its promise", "worse than the one it replaced"),
    ),
    "quality.unit_change": ("the unit", ("as it was", "another")),
    "drift.news": ("news", ("absent", "present")),
}
GRADED = frozenset(_WORDS)  # metrics whose values are grades, not numbers to show or to draw


def explain(verdict: Verdict, rule: Rule, monitor: Monitor) -> str:
    """Return what happened: "accuracy was 0.71 on 4,210 labels, more than 15% below the reference 0.9"."""
    about = _subject(verdict, rule, monitor)
    if verdict.value is None:
        return f"{about} was not evaluated: {verdict.note or 'no reason was given'}"
    what = "labels" if rule.metric.startswith("performance.") else "rows"
    number = f"{about} was {_value(verdict.value, rule)} on {verdict.n:,} {what}"
    if verdict.status is Status.BREACH:
        return number + _breach(verdict, verdict.value, rule)
    if verdict.status is Status.OK:
        return f"{number}, as it should be"
    return f"{number}, {_UNJUDGED[verdict.status]}: {verdict.note or 'no reason was given'}"


_UNJUDGED = {
    Status.IMMATURE: "provisional",
    Status.TOO_FEW: "not judged",
    Status.NO_DATA: "not judged",
    Status.MUTED: "muted",
}


def _subject(verdict: Verdict, rule: Rule, monitor: Monitor) -> str:
    name = _WORDS[rule.metric][0] if rule.metric in _WORDS else rule.metric.partition(".")[2]
    series = verdict.series
    places = [
        f"of {series.feature}" if series.feature else "",
        f"in {series.segment}" if series.segment else "",
        f"of {monitor.model.name} version {series.model_version}" if series.model_version else "",
    ]
    return " ".join([name, *filter(None, places)])


def _value(value: float, rule: Rule) -> str:
    if rule.metric in _WORDS:
        words = _WORDS[rule.metric][1]
        return words[min(max(int(value), 0), len(words) - 1)]
    return _number(value)


def _number(value: float) -> str:
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e15 else f"{value:.4g}"


def _breach(verdict: Verdict, value: float, rule: Rule) -> str:
    """Return the tail of the sentence: the line that was crossed."""
    if rule.metric in _WORDS or verdict.threshold is None:
        return f": {verdict.note}" if verdict.note else ""
    if verdict.note and (rule.drops_by is not None or rule.rises_by is not None):
        return f", {verdict.note}"
    side = "below" if value < verdict.threshold else "at or above"
    return f", {side} the threshold {_number(verdict.threshold)}" + (f" ({verdict.note})" if verdict.note else "")
