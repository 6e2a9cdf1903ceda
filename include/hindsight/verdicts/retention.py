"""Which verdicts may go: those of old windows that no incident is told by, so that every fold says what it said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from hindsight.verdicts.incidents import LOOK_BACK
from hindsight.verdicts.model import Incident, Series

EVER, NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
Span = tuple[datetime, datetime]  # starts of windows, [first, last)


def needed(incidents: Iterable[Incident], size: timedelta) -> dict[Series, list[Span]]:
    """Return the windows of each series whose verdicts stay: those of its incidents and LOOK_BACK after each.

    The windows after are what ended an incident and keeps the next one apart from it. Of one that is not over all stay.
    """
    found: dict[Series, list[Span]] = defaultdict(list)
    for incident in incidents:
        last = max(incident.news_of or incident.breaches[-1], incident.breaches[-1])
        end = NEVER if incident.stands else last + LOOK_BACK * size
        found[incident.series].append((min(incident.started, incident.breaches[0]), end))
    return dict(found)


def judged_until(horizon: datetime, longest: int, size: timedelta) -> datetime:
    """Return the window before which no verdict is read again, when windows from `horizon` on are judged.

    `longest` is the greatest `for` or `keep_for` of the rules, in windows: as far back a fold may have to look.
    """
    return horizon - max(LOOK_BACK, longest) * size


def gaps(spans: Sequence[Span], before: datetime) -> Iterator[Span]:
    """Yield what lies before a moment and in none of the spans, in order."""
    free = EVER
    for start, end in sorted(spans):
        if free < min(start, before):
            yield free, min(start, before)
        free = max(free, end)
    if free < before:
        yield free, before


def expired(
    series: Iterable[Series], spans: Mapping[Series, Sequence[Span]], before: datetime
) -> list[tuple[Series, Span]]:
    """Return of each series the spans of windows whose verdicts have expired."""
    return [(one, gap) for one in series for gap in gaps(spans.get(one, ()), before)]
