"""Decide whether to ask for a retraining: only on open incidents, fresh verdicts and sound data, and not often.

A person may ask at any time: what would have held the rules back is then noted, and holds nobody back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from hindsight.monitors.model import Monitor, Retrain
from hindsight.verdicts.model import Incident, RetrainRequest, Series, State, Status, Verdict
from hindsight.verdicts.muting import MISTAKEN
from hindsight.verdicts.notices import is_stale


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why no retraining was asked for, as one sentence."""

    reason: str


def decide(
    monitor: Monitor,
    incidents: Iterable[Incident],
    verdicts: Sequence[Verdict],
    past: Sequence[RetrainRequest],
    *,
    as_of: datetime,
    decided_at: datetime,
) -> RetrainRequest | Refusal:
    """Return a request for one retraining, or why there is none.

    `incidents` are the monitor's; `verdicts` the newest of the windows just judged, quality among them; `past` all
    earlier requests. A required rule is open when an incident of it is, on any feature, for all rows and versions
    together. Cooldown and budget are measured between as-ofs, so that a replay decides as the nights did;
    `decided_at` only tells which verdicts are stale.
    """
    retrain = monitor.retrain
    if retrain is None:
        return Refusal(f"{monitor.name} has no retrain section")
    standing = [i for i in incidents if _decides(i, retrain)]
    if closed := [rule for rule in retrain.require if rule not in {i.series.rule for i in standing}]:
        return Refusal(f"not every required rule is open: {', '.join(closed)}")
    if reason := _unsupported(monitor, retrain, verdicts, decided_at):
        return Refusal(reason)
    ids = tuple(sorted(incident.id for incident in standing))
    key = key_of(monitor.name, *ids)
    if reason := _too_soon(key, retrain, past, as_of):
        return Refusal(reason)
    return RetrainRequest(key, monitor.name, monitor.retrain_dag, ids, as_of, decided_at, retrain.approval)


def noted(request: RetrainRequest, retrain: Retrain, past: Sequence[RetrainRequest]) -> RetrainRequest:
    """Return a person's request with what cooldown and budget say to it: it is made all the same.

    `past` are the monitor's other requests.
    """
    reason = _too_soon(request.key, retrain, past, request.as_of)
    return replace(request, why=f"{request.why or 'no reason given'}, although {reason}") if reason else request


def key_of(monitor: str, *answered: str) -> str:
    """Return the key of the request that answers these: incident ids in order, or what names a person's wish."""
    return sha256("\0".join([monitor, *answered]).encode()).hexdigest()[:16]


def _decides(incident: Incident, retrain: Retrain) -> bool:
    return incident.state is State.OPEN and incident.series.rule in retrain.require and _is_overall(incident.series)


def _is_overall(series: Series) -> bool:
    return not series.model_version and not series.segment


def _unsupported(monitor: Monitor, retrain: Retrain, verdicts: Sequence[Verdict], decided_at: datetime) -> str:
    """Say why the verdicts just judged do not support a retraining, or "" where they do.

    At least one required rule must be breached by a fresh verdict, and each that is, in a window with sound data.
    """
    about_data = (rule for rule in monitor.rules if rule.metric.startswith("quality."))
    quality = {rule.id for rule in about_data if rule.metric != MISTAKEN}  # a wrong line of the file spoils no row
    breaches = [v for v in verdicts if v.status is Status.BREACH and _is_overall(v.series)]
    deciding = [v for v in breaches if v.series.rule in retrain.require]
    fresh = [v for v in deciding if not is_stale(v, max_age=monitor.max_age, judged_at=decided_at)]
    if not fresh:
        return "its breaches are old news" if deciding else "no required rule was breached just now"
    unsound = {v.window: v.series.rule for v in breaches if v.series.rule in quality}
    supported = {v.series.rule for v in fresh if v.window not in unsound}
    blocked = [v for v in fresh if v.series.rule not in supported]
    return "".join(f"{unsound[v.window]} breaches: the data of {v.window} are not sound" for v in blocked[-1:])


def _too_soon(key: str, retrain: Retrain, past: Sequence[RetrainRequest], as_of: datetime) -> str:
    if any(request.key == key for request in past):
        return "a retraining was already requested for these incidents"
    ages = sorted(abs(as_of - request.as_of) for request in past)
    if ages and ages[0] < retrain.cooldown:
        return f"the last retraining was requested {ages[0]} before, the cooldown is {retrain.cooldown}"
    if sum(age < retrain.budget.period for age in ages) >= retrain.budget.runs:
        return f"the budget of {retrain.budget.runs} retrainings per {retrain.budget.period} is used up"
    return ""
