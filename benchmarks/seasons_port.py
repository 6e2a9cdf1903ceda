"""Port of the season bench to the product: what people were told, and of which case; all else is read nowhere.

Today an incident is what is told, so a case is an incident. Where the product groups incidents, only this file changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

PAGES, NOTICES = ("P0", "P1"), ("P2",)


@dataclass(frozen=True, slots=True)
class Telling:
    """One time a case was told: when, how gravely, and what the message named.

    `how` is "opened", or "again" for a repeat, worse and opened anew; ends of cases are not tellings. `begun` is the
    start of the first window with a breach.
    """

    at: datetime
    case: str
    severity: str
    how: str
    begun: datetime
    rules: tuple[str, ...]
    columns: tuple[str, ...]
    segments: tuple[str, ...]

    @property
    def is_page(self) -> bool:
        """Whether someone is to look at once or today."""
        return self.severity in PAGES


def tellings(judgement: Any, at: datetime) -> Iterator[Telling]:
    """Yield what a judgement told, that is not the end of something."""
    for incident in judgement.told:
        if str(incident.told) == "open":
            series = incident.series
            yield Telling(
                at=at,
                case=incident.id,
                severity=str(incident.severity),
                how="opened",
                begun=incident.started,
                rules=(series.rule,),
                columns=tuple(filter(None, (series.feature,))),
                segments=tuple(filter(None, (series.segment,))),
            )
