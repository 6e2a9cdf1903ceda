"""Answers: what a person says of a case, by a command or on its page: I look after it, this was meant, not now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hindsight.checks.drift.prior import feature_of
from hindsight.errors import ConfigError, did_you_mean
from hindsight.ledger.acceptances import add_acceptance
from hindsight.ledger.acknowledgements import Acknowledgement, acknowledge
from hindsight.ledger.silences import add_silence, silences
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.verdicts.acceptance import Acceptance, acceptable, may_be_accepted
from hindsight.verdicts.model import Incident
from hindsight.verdicts.silence import WHOLE, Silence, muted_by
from hindsight.warehouse.columns import named

LONGEST = timedelta(days=366)
TWICE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Said:
    """Who says something, when, and why."""

    by: str
    at: datetime
    comment: str = ""


def look_after(monitor: Monitor, case: str, said: Said, resources: Resources) -> None:
    """Put on record that somebody looks after a case: its reminders stop. Raises ConfigError where none is open."""
    found = _standing(monitor, case, resources)[0]
    acknowledge(resources.ledger, monitor.name, Acknowledgement(found.case or found.id, said.at, said.by, said.comment))


def mute_case(monitor: Monitor, case: str, until: datetime, said: Said, resources: Resources) -> list[Silence]:
    """Tell nobody of what a case is about until a moment; return the silences.

    Raises ConfigError where no such case is open, without a reason, and for an end that is past or too far.
    """
    about = muted_by(_standing(monitor, case, resources), monitor.rules)
    asked = [
        Silence(said.at, until, said.by, said.comment, one.rule, one.segment, one.feature, asked_at=said.at)
        for one in about
    ]
    for one in asked:
        refuse_silence(monitor, one, said.at)
    with resources.ledger.reading() as connection:
        known = silences(connection, monitor.name, said.at)
    for one in asked:
        if not any(_says_it(other, one) for other in known):
            add_silence(resources.ledger, monitor.name, one)
    return asked


def _says_it(known: Silence, asked: Silence) -> bool:
    """Whether the same was asked for a moment ago: a form that is sent twice is one answer."""
    same = all(getattr(known, name) == getattr(asked, name) for name in ("rule", "segment", "feature", "by", "comment"))
    return same and abs(known.until - asked.until) <= TWICE


def expect(monitor: Monitor, case: str, until: datetime | None, said: Said, resources: Resources) -> list[Acceptance]:
    """Take what a case says moved as usual, or as expected until a moment; return what is on record of it now.

    Raises ConfigError where no such case is open, where nothing of it may be accepted, and without a reason.
    """
    about = acceptable(monitor.rules, _standing(monitor, case, resources))
    if not about:
        raise ConfigError("nothing of this case may be accepted: nulls, schema and rules of your own never are")
    given = [Acceptance(said.at, said.by, said.comment, one.rule, one.segment, one.feature, until) for one in about]
    for one in given:
        refuse_acceptance(monitor, one)
    for one in given:
        add_acceptance(resources.ledger, monitor.name, one)
    return given


def _standing(monitor: Monitor, case: str, resources: Resources) -> Sequence[Incident]:
    known = resources.ledger.incidents(monitor.name)
    now = next((one.case for one in known if one.id == case and one.case), case)
    found = [one for one in known if one.stands and now in (one.case, one.id)]
    if not found:
        raise ConfigError(f"{monitor.name} has no open case {case}: it is over, or there was none")
    return found


def refuse_silence(watched: Monitor, asked: Silence, now: datetime) -> None:
    """Raise ConfigError for a silence without a reason, one that never holds or for years, or is about nothing."""
    if not asked.comment:
        raise ConfigError("others will wonder why nobody was told: say it (--comment)")
    if asked.until <= max(asked.since, now):
        raise ConfigError(f"the end {asked.until:%Y-%m-%d %H:%M} UTC is over before the silence begins")
    if asked.until - asked.since > LONGEST:
        raise ConfigError("a silence lasts a year at most; disable the rule in the monitor file instead")
    known = {one.id for one in watched.rules}
    if asked.rule and asked.rule not in known:
        raise ConfigError(f"--rule: {watched.name} has no rule {asked.rule!r}{did_you_mean(asked.rule, known)}")
    columns = {*named(watched), *watched.slos, feature_of(watched)}
    if asked.feature and watched.quality is None and asked.feature not in columns:
        raise ConfigError(
            f"--feature: the file names no column or SLO {asked.feature!r}{did_you_mean(asked.feature, columns)}"
        )
    if asked.segment not in ("", WHOLE) and asked.segment.partition("=")[0] not in watched.segments:
        raise ConfigError(
            f"--segment: expected column=value of a column in segments, or {WHOLE!r}, got {asked.segment!r}"
        )


def refuse_acceptance(watched: Monitor, given: Acceptance) -> None:
    """Raise ConfigError for an acceptance without a reason, or of what is never accepted or not there."""
    if not given.comment:
        raise ConfigError("what is accepted is on record for good: say why (--comment)")
    known = {one.id for one in watched.rules if may_be_accepted(one)}
    if given.rule and given.rule not in known:
        raise ConfigError(
            f"--rule {given.rule}: expected one of {', '.join(sorted(known))} - nulls, schema and rules of your own are"
            " never accepted; change the rule in the monitor file"
        )
    if given.until is not None and given.until <= given.accepted_at:
        raise ConfigError(f"the end {given.until:%Y-%m-%d %H:%M} UTC lies before the moment it is accepted")
