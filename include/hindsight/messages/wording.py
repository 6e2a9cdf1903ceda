"""Wording: how numbers, times and names are said in a mail; whatever a warehouse may hold comes out harmless."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hindsight.monitors.rules import Rule
from hindsight.verdicts.model import Incident, Series, State
from hindsight.vocabulary.severity import Severity

LEARNT = timedelta(days=14)  # news that lasts two weeks has become the level
_ASTRONOMICAL = 1e15  # from there on nobody counts digits
_SHARES = ("_rate", "_share", "coverage", "_left")
_HEALTH = {1: "warning", 2: "critical"}
_FINDINGS = (
    "quality.schema_change",
    "quality.unit_change",
    "quality.stuck",
    "quality.misdated_rows",
    "quality.suite_faults",
)
_SCORE = (
    "Nothing is wrong with the model: the monitor file names the wrong numbers. Change it, or the view, as it says."
)
_OF_LABELS = {
    "labels.misspelt_share": "labels do not find their predictions",
    "labels.missing_share": "labels stopped coming",
}
_DATA = "The data changed. Fix the pipeline, roll back meanwhile if decisions suffer, and do not retrain on these rows."
_MODEL = "The model no longer fits. Roll back if an older version does better, and look at the training data."
_TRUTH = "The cases changed. See that labels are made as before; if they are, the model needs new data."
_SERVICE = "The service is at fault, not the model. Scale it or restart it, and read its log."
_BUSINESS = "A business number moved. See whether the model decides otherwise than before, or the business did."
_PROMOTED = (
    "The promoted model does not keep what its comparison promised. Where the one before did better, go back: "
    "hindsight rollback MONITOR --why '...'"
)
_BUDGET = (
    "More goes wrong than was promised. See what changed, and hold risky changes back until there is budget again."
)
_IDS = "Write the ids of both tables alike, in a view of one of them, and name that view in the monitor file."
_FEED = "The labels stay away, not the model. See what delivers them; those that come late count as ever."
_ADVICE = {
    "quality.score_mistaken": _SCORE,
    "labels.misspelt_share": _IDS,
    "labels.missing_share": _FEED,
    "quality": _DATA,
    "drift": _DATA,
    "performance": _MODEL,
    "estimate": _MODEL,
    "operations": _SERVICE,
    "labels": _TRUTH,
    "kpi": _BUSINESS,
    "slo": _BUDGET,
    "promotion": _PROMOTED,
}


_BASES = {"reference": "reference", "previous": "the window before", "same_weekday": "the week before"}


def clean(text: str, limit: int = 120) -> str:
    """Return text on one line: no control, direction or invisible characters, and no longer than `limit`."""
    plain = "".join(" " if char.isspace() else char for char in text[: 4 * limit])
    plain = "".join(char for char in plain if not unicodedata.category(char).startswith("C"))
    plain = " ".join(plain.split())
    return plain if len(plain) <= limit else plain[: limit - 1].rstrip() + "…"


def number(metric: str, value: float | None) -> str:
    """Return a value of a metric as people say it: '71 %', '412 ms', '0.713', '1,204'; 'no value' for None."""
    if value is None:
        return "no value"
    if metric.endswith(_SHARES):
        return f"{100 * value:,.0f} %" if abs(value) >= 10 else f"{100 * value:.3g} %"
    is_plain = abs(value) < _ASTRONOMICAL and (abs(value) >= 1000 or value == int(value))
    digits = f"{value:,.0f}" if is_plain else f"{value:.3g}"
    return f"{digits} ms" if metric.endswith("_ms") else digits


def moment(when: datetime, size: timedelta) -> str:
    """Return a window's border: the day, and the minute too where windows are shorter than a day."""
    day = when.astimezone(UTC)
    return f"{day:%Y-%m-%d}" if size >= timedelta(days=1) else f"{day:%Y-%m-%d %H:%M} UTC"


def metric_name(metric: str) -> str:
    """'operations.latency_p95_ms' is 'latency p95'."""
    return metric.partition(".")[2].removesuffix("_ms").replace("_", " ")


def whose(series: Series) -> str:
    """Return what a series is about beyond the whole model, such as ' of amount in region=EU, version 7', or ''."""
    parts = [
        f" of {clean(series.feature, 60)}" if series.feature else "",
        f" in {clean(series.segment, 60)}" if series.segment else "",
        f", version {clean(series.model_version, 40)}" if series.model_version else "",
    ]
    return "".join(parts)


def headline(rule: Rule, incident: Incident, note: str = "") -> str:
    """Say what is wrong and how bad it is: 'accuracy 0.71, 21 % below reference'.

    `note` is what was noted about the window: of the data, it says what was found there.
    """
    about = whose(incident.series)
    value = incident.value
    if rule.metric == "operations.total_requests" and not value:
        return f"no predictions logged{about}"
    if rule.metric == "operations.health" and value in _HEALTH:
        return f"health {_HEALTH[int(value)]}{about}{f': {clean(note)}' if note else ''}"
    if rule.metric == "labels.drifted":
        return f"the labels moved away from the reference{whose(_without_feature(incident.series))}"
    if rule.metric == "drift.drifted":
        drifted = f"{clean(incident.series.feature, 60) or 'a feature'} drifted"
        return f"{drifted}{whose(_without_feature(incident.series))}{f': {clean(note)}' if note else ''}"
    if rule.metric == "labels.unknown_label_share" and incident.reason:
        return f"{number(rule.metric, value)} of the labels are unknown: {clean(incident.reason, 300)}"
    if rule.metric == "quality.score_mistaken" and (note or incident.reason):
        return f"the score is not what the file says: {clean(note or incident.reason, 300)}"
    if rule.metric == "drift.news" and (note or incident.reason):
        where = whose(_without_feature(incident.series))
        return f"{clean(incident.series.feature, 60) or 'the rows'}{where}: {clean(note or incident.reason, 200)}"
    if rule.metric == "promotion.grade":
        how = "worse than the one it replaced" if value is not None and value >= 2 else "short of its promise"
        why = clean(note or incident.reason, 300)
        return f"{clean(incident.series.model_version, 40)} is {how}{f': {why}' if why else ''}"
    if rule.metric.startswith("slo.") and (note or incident.reason):
        return f"{clean(incident.series.feature, 60)} {clean(note or incident.reason, 200)}"
    if rule.metric in _OF_LABELS and incident.reason:
        return f"{_OF_LABELS[rule.metric]}{about}: {clean(incident.reason, 300)}"
    said = f"{metric_name(rule.metric)}{about}"
    found = clean(note, 200) if rule.metric.startswith("quality.") else ""
    if rule.metric in _FINDINGS and found:
        return f"{said}: {found}"
    if rule.metric.startswith("quality.expectations_failed") and value:
        critical = "critical " * rule.metric.endswith("_critical")
        said = f"{value:,.0f} {critical}expectation{'s' * (value != 1)} failed{about}"
        return f"{said}: {found}" if found else said
    number_said = f"{said} {number(rule.metric, value)}{_distance(rule, incident)}"
    return f"{number_said} ({found})" if found else number_said


def _without_feature(series: Series) -> Series:
    return replace(series, feature="")


def _distance(rule: Rule, incident: Incident) -> str:
    reference = reference_of(rule, incident.threshold)
    if incident.value is None or incident.threshold is None:
        return ""
    if reference is not None:
        return f", {apart(rule.metric, incident.value, reference)} {_BASES[rule.against]}"
    side = "under" if incident.value < incident.threshold else "over"
    return f", {side} {number(rule.metric, incident.threshold)}"


def reference_of(rule: Rule, threshold: float | None) -> float | None:
    """Return the reference value a relative rule's threshold was made from; None for any other rule.

    A share of a negative reference is a share of its size, as it is judged: 10 % below -100 is -110.
    """
    share = -rule.drops_by if rule.drops_by is not None else rule.rises_by
    if threshold is None or share is None or share == -1:
        return None
    return threshold / (1 - share if threshold < 0 and abs(share) < 1 else 1 + share)


def apart(metric: str, value: float, reference: float) -> str:
    """Say how far a value is from its reference: '21 % below', or '50 below' where a share of it says nothing."""
    side = "below" if value < reference else "above"
    if reference > 0:
        return f"{abs(100 * (value / reference - 1)):,.0f} % {side}"
    return f"{number(metric, abs(value - reference))} {side}"


def ending(rule: Rule, incident: Incident, size: timedelta, note: str = "") -> str:
    """Say that an incident is over, and from when to when it lasted or why it is withdrawn.

    Of a P0 it says what was wrong too: it may have been over before anyone could be told.
    """
    name = f"{rule.id.replace('_', ' ')}{whose(incident.series)}"
    if incident.state is State.WITHDRAWN:
        return f"{name}: {clean(incident.reason, 200) or 'later labels undid it'}"
    span = moment(incident.started, size) + (f" to {moment(incident.ended, size)}" if incident.ended else "")
    if rule.metric == "drift.news" and incident.ended and incident.ended - incident.started >= LEARNT:
        return f"{name} is no news any more: it has lasted and is what is usual now ({span})"
    if incident.severity is Severity.P0:
        return f"{name} is over (was, from {span}: {headline(rule, incident, note)})"
    return f"{name} is over ({span})"


def advice(rule: Rule, likely_cause: str, monitor: str) -> str:
    """Say where to look first: data, model, service or business. A known data fault comes before all else."""
    own = _ADVICE.get(rule.metric) or _ADVICE.get(rule.metric.partition(".")[0], _DATA)
    return _DATA if likely_cause else own.replace("MONITOR", monitor)


def web_link(address: str | None) -> str:
    """Return a link that is safe to show: http or https and clean, else nothing."""
    text = clean(address or "", 500)
    return text if text.startswith(("https://", "http://")) else ""
