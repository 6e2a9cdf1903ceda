"""Acceptances: what a person said is usual from then on, or was to be expected for a while; dated facts, never more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hindsight.monitors.rules import Rule
from hindsight.verdicts.model import Incident, Series, Status, Verdict

LEARNING = timedelta(days=14)  # how long news of what was accepted is expected: from then on its past holds it
LEVEL = {"drift": "drift.drifted", "drift_share": "drift.drift_share"}
NEWS = {"news": "drift.news"}


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Who said when, and why, that what a series shows is usual (`until` None) or expected until a moment.

    A `rule`, `segment` or `feature` of "" means any.
    """

    accepted_at: datetime
    by: str
    comment: str
    rule: str = ""
    segment: str = ""
    feature: str = ""
    until: datetime | None = None

    def concerns(self, series: Series) -> bool:
        """Say whether it is about a series."""
        asked = ((self.rule, series.rule), (self.segment, series.segment), (self.feature, series.feature))
        return all(wanted in ("", given) for wanted, given in asked)

    def __str__(self) -> str:
        what = f"expected until {self.until:%Y-%m-%d %H:%M} UTC" if self.until else "accepted as usual"
        return f"{what} by {self.by} on {self.accepted_at:%Y-%m-%d %H:%M} UTC: {self.comment}"


def accepted(verdicts: Iterable[Verdict], given: Sequence[Acceptance], rules: Mapping[str, Rule]) -> list[Verdict]:
    """Return verdicts with those that were accepted before their as-of no longer bad, the note saying by whom.

    Only the built-in rules of level and news know acceptances; of news, nulls are never accepted.
    """
    return [_accepted(verdict, given, rules.get(verdict.series.rule)) for verdict in verdicts]


def _accepted(verdict: Verdict, given: Sequence[Acceptance], rule: Rule | None) -> Verdict:
    if verdict.status is not Status.BREACH or rule is None or not may_be_accepted(rule):
        return verdict
    if rule.id in NEWS and verdict.note.startswith("nulls "):
        return verdict
    before = [one for one in given if one.accepted_at < verdict.as_of and one.concerns(verdict.series)]
    standing = [one for one in before if (end := _end(one, rule)) is None or verdict.window.start < end]
    return replace(verdict, status=Status.OK, note=str(standing[-1])) if standing else verdict


def may_be_accepted(rule: Rule) -> bool:
    """Say whether a rule is one of those, as built in, that acceptances act on."""
    return (LEVEL | NEWS).get(rule.id) == rule.metric


def acceptable(rules: Iterable[Rule], incidents: Iterable[Incident]) -> list[Series]:
    """Return those of the series of incidents that may be taken as usual."""
    known = {rule.id for rule in rules if may_be_accepted(rule)}
    return [one.series for one in incidents if one.series.rule in known]


def _end(one: Acceptance, rule: Rule) -> datetime | None:
    return one.until or (one.accepted_at + LEARNING if rule.id in NEWS else None)


def is_usual(given: Iterable[Acceptance], series: Series, when: datetime, as_of: datetime) -> bool:
    """Say whether a window that started at `when` was accepted, as known at `as_of`: it then counts as its past."""
    return any(when < one.accepted_at < as_of and one.until is None and one.concerns(series) for one in given)
