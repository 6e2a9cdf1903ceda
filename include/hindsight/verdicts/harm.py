"""Does it hurt: windows of which a trusted estimate, or the labels, say that the model does worse than it should."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hindsight.verdicts.model import Incident, State
from hindsight.verdicts.notices import is_graver, moves_otherwise
from hindsight.vocabulary.severity import Severity

RAISED = {"drift": "drift.drifted", "drift_share": "drift.drift_share", "news": "drift.news"}  # rules built in
FEWEST, MOST = 5, 30  # matured windows that say how far estimates are to be trusted
MATERIAL = 0.02  # of the reference: less is worth nobody's time


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a window's accuracy (or mae) was estimated at before its labels came, with its interval and reference."""

    start: datetime
    value: float
    lower: float
    upper: float
    reference: float


def harmful(
    estimates: Iterable[Estimate], truths: Mapping[datetime, float], *, loss: bool, known_after: timedelta
) -> dict[datetime, str]:
    """Return, by window start, what the estimate says of the windows it finds worse than the reference.

    An estimate is trusted as far as those before it were right: its interval is at least as wide as the largest error
    of the newest MOST windows whose `truths` were known by then, `known_after` their start; with fewer than FEWEST it
    is not trusted. Worse is a reference outside of that interval by MATERIAL of itself; `loss`: a lower number is
    better. Conformal prediction with the largest residual: Vovk, Gammerman and Shafer (2005), chapter 2.
    """
    ordered = sorted(estimates, key=lambda one: one.start)
    errors = [(one.start, abs(truths[one.start] - one.value)) for one in ordered if one.start in truths]
    found = {}
    for one in ordered:
        past = [error for start, error in errors if start + known_after <= one.start][-MOST:]
        if len(past) >= FEWEST and _is_worse(one, max(past), loss=loss):
            found[one.start] = said(one, max(past))
    return found


def _is_worse(one: Estimate, error: float, *, loss: bool) -> bool:
    lower, upper = _trusted(one, error)
    material = MATERIAL * abs(one.reference)
    return lower > one.reference + material if loss else upper < one.reference - material


def _trusted(one: Estimate, error: float) -> tuple[float, float]:
    return min(one.lower, one.value - error), max(one.upper, one.value + error)


def said(one: Estimate, error: float = 0.0) -> str:
    """Say what is estimated: '0.71 (0.68 to 0.74), 0.8 on the reference'."""
    lower, upper = _trusted(one, error)
    return f"{one.value:.3g} ({lower:.3g} to {upper:.3g}), {one.reference:.3g} on the reference"


def weighed(
    incidents: Sequence[Incident], rules: Mapping[str, Severity], harm: Mapping[datetime, str]
) -> list[Incident]:
    """Return incidents with the severity that harm in their breaching windows gives them.

    `rules` are those a harm raises, with the severity they have without. It is P1 from the first such window on, so
    that it is not lowered while the incident lasts; the same verdicts always give the same.
    """
    return [
        replace(one, severity=_severity(one, rules[one.series.rule], harm)) if one.series.rule in rules else one
        for one in incidents
    ]


def _severity(incident: Incident, own: Severity, harm: Mapping[datetime, str]) -> Severity:
    if incident.state is State.WITHDRAWN or harm.keys().isdisjoint(incident.breaches):
        return own
    return min(own, Severity.P1)


def is_said_by(symptoms: Iterable[Incident], incident: Incident) -> bool:
    """Say whether all that is new of an incident is how grave it is, and a symptom of the same windows says so itself.

    A loss of accuracy is told by the rule on accuracy; what drifted in those windows is not told again for it, nor when
    the loss is over. One that was withdrawn says nothing.
    """
    if incident.told is not State.OPEN or not is_graver(incident) or moves_otherwise(incident):
        return False
    windows = set(incident.breaches)
    others = [one for one in symptoms if one.id != incident.id and one.state is not State.WITHDRAWN]
    return any(not windows.isdisjoint(one.breaches) for one in others)
