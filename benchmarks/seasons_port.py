"""Port of the season bench to the product: what people were told, and of which case; all else is read nowhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

PAGES, NOTICES = ("P0", "P1"), ("P2",)


@dataclass(frozen=True, slots=True)
class Telling:
    """One time a case was told: when, how gravely, and what the message named.

    `how` is "opened", or "again" for worse, another number or column, and opened anew; ends of cases are not tellings.
    `begun` is the start of the first window with a breach.
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
    """Yield the cases a judgement told of, one telling each, that is not the end of something."""
    cases: dict[str, list[Any]] = defaultdict(list)
    for incident in judgement.told:
        if str(incident.told) == "open":
            cases[incident.case].append(incident)
    for case, told in cases.items():
        yield Telling(
            at=at,
            case=case,
            severity=min(str(incident.severity) for incident in told),
            how="opened" if any(_is_first(incident) for incident in told) else "again",
            begun=min(incident.started for incident in told),
            rules=tuple(dict.fromkeys(incident.series.rule for incident in told)),
            columns=tuple(dict.fromkeys(filter(None, (incident.series.feature for incident in told)))),
            segments=tuple(dict.fromkeys(filter(None, (incident.series.segment for incident in told)))),
        )


def _is_first(incident: Any) -> bool:
    """Whether the case begins with this incident, of which nothing was told before."""
    return bool(incident.id == incident.case and (incident.heard is None or incident.heard.n == 1))
