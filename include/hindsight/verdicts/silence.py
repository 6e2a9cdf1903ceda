"""Silences: until when people said, and why, that nobody is to be told of something; the state of it keeps moving."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hindsight.monitors.rules import Rule
from hindsight.verdicts.model import Incident, Series

SPELT_OUT = 5  # columns a rule is muted for one by one; of more the rule is muted for every column
WHOLE = "all rows"


@dataclass(frozen=True, slots=True)
class Silence:
    """Who said when, and why, that nobody is told from `since` to `until` of what it is about.

    A `rule`, `segment` or `feature` of "" means any, a `segment` of WHOLE all rows together. `starts` says whether the
    users' DAGs are started all the same. `id` is its number on record, None of one that the monitor file repeats;
    `ended_by` is who ended it before its time.
    """

    since: datetime
    until: datetime
    by: str
    comment: str
    rule: str = ""
    segment: str = ""
    feature: str = ""
    starts: bool = False
    asked_at: datetime | None = None
    id: int | None = None
    ended_by: str = ""

    def concerns(self, series: Series) -> bool:
        """Say whether it is about a series."""
        rows = series.segment or WHOLE
        asked = ((self.rule, series.rule), (self.segment, rows), (self.feature, series.feature))
        return all(wanted in ("", given) for wanted, given in asked)

    def holds_at(self, moment: datetime) -> bool:
        """Say whether it is in force at a moment."""
        return self.since <= moment < self.until

    @property
    def about(self) -> str:
        """What it is about: 'volume of amount in region=EU', or 'everything'."""
        parts = [self.rule or "everything", *(f"of {one}" for one in [self.feature] if one)]
        return " ".join([*parts, *(f"in {one}" for one in [self.segment] if one)])

    def __str__(self) -> str:
        return f"silenced until {self.until:%Y-%m-%d %H:%M} UTC by {self.by}: {self.comment}"


def hushing(silences: Iterable[Silence], series: Series, at: datetime) -> Silence | None:
    """Return the silence that holds at a moment for a series; of several the one that lasts longest."""
    holding = [one for one in silences if one.holds_at(at) and one.concerns(series)]
    return max(holding, key=lambda one: one.until, default=None)


def audible(
    incidents: Sequence[Incident], silences: Sequence[Silence], at: datetime
) -> tuple[list[Incident], list[Incident]]:
    """Return those of the incidents due that are told at a moment, and those that are never told.

    What lasts is told when the silence is over, and so is the end of what people had heard of before. What began and
    ended silenced is marked as if its end had been told.
    """
    quiet = {one.id: one for one in incidents if hushing(silences, one.series, at)}
    over = [replace(one, told=one.state) for one in quiet.values() if not one.stands and one.told is None]
    return [one for one in incidents if one.id not in quiet], over


def no_longer_silent(told: Iterable[Incident], silences: Iterable[Silence], at: datetime) -> str:
    """Say which silence kept people from hearing of these until lately; "" where none did."""
    incidents = list(told)
    over = [one for one in silences if one.until <= at and any(_kept(one, incident) for incident in incidents)]
    last = max(over, key=lambda one: one.until, default=None)
    return f"It was silent until {last.until:%Y-%m-%d %H:%M} UTC, by {last.by}: {last.comment}." if last else ""


def _kept(silence: Silence, incident: Incident) -> bool:
    began = incident.breaches[0] < silence.until
    return silence.concerns(incident.series) and began and incident.told is None


def muted_by(incidents: Iterable[Incident], rules: Iterable[Rule]) -> list[Series]:
    """Return what a silence of a case is about: its rules in its segments, each with its columns where they are few."""
    split = {rule.id for rule in rules if rule.segments}
    columns: dict[tuple[str, str], dict[str, None]] = {}
    for series in (one.series for one in incidents):
        rows = series.segment or (WHOLE if series.rule in split else "")
        columns.setdefault((series.rule, rows), {})[series.feature] = None
    return [
        Series(rule, segment=rows, feature=feature)
        for (rule, rows), some in columns.items()
        for feature in (some if len(some) <= SPELT_OUT else [""])
    ]
