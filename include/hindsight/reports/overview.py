"""The list of all monitors: searched, filtered and sorted by its address alone, as a pure function to HTML."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from hindsight.reports.pages import Hanging, MonitorCard, render
from hindsight.vocabulary.severity import Severity

CRITICALITIES = ("high", "medium", "low")
HEALTHS = ("critical", "warning", "unknown", "healthy")
_NEVER = float("-inf")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an address asks of the list: words to find, filters ("" for all), and what it is sorted by."""

    q: str = ""
    owner: str = ""
    criticality: str = ""
    health: str = ""
    tag: str = ""
    sort: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Wanted:
        """Return what a query string asks; what it has besides is passed over."""
        return cls(**{name: query.get(name, "").strip() for name in cls.__slots__})

    def href(self, **changes: str) -> str:
        """Return the address that asks the same but for some changes."""
        asked = {name: changes.get(name, getattr(self, name)) for name in self.__slots__}
        return f"?{urlencode({name: value for name, value in asked.items() if value})}"

    def finds(self, card: MonitorCard) -> bool:
        """Whether a monitor is among what is asked for: every word is in its name, description, owner, task or tags."""
        text = " ".join((card.name, card.description, card.owner, card.task, *card.tags)).lower()
        words = all(word in text for word in self.q.lower().split())
        same = (self.owner, card.owner), (self.criticality, card.criticality), (self.health, card.health)
        return words and self.tag in ("", *card.tags) and all(not a or a == b for a, b in same)


def overview(monitors: Sequence[MonitorCard], wanted: Wanted | None = None, hanging: Sequence[Hanging] = ()) -> str:
    """Return the list of monitors, the most urgent first unless sorted otherwise; archived ones are folded away.

    `hanging` are DAGs with runs that nothing will ever run.
    """
    wanted = wanted or Wanted()
    found = sorted(filter(wanted.finds, monitors), key=_SORTS.get(wanted.sort, _urgency))
    return render(
        "overview.html.j2",
        every=len([card for card in monitors if card.state != "archived"]),
        shown=[card for card in found if card.state != "archived"],
        archived=[card for card in found if card.state == "archived"],
        wanted=wanted,
        hanging=hanging,
        owners=sorted({card.owner for card in monitors} - {""}),
        criticalities=CRITICALITIES,
        healths=HEALTHS,
        tags=sorted({tag for card in monitors for tag in card.tags}),
    )


def _urgency(card: MonitorCard) -> tuple[object, ...]:
    severities = tuple(-card.open.get(severity, 0) for severity in Severity)
    return card.state != "active", severities, HEALTHS.index(card.health), card.name


def _oldest_window(card: MonitorCard) -> tuple[object, ...]:
    return card.last_window.start.timestamp() if card.last_window else _NEVER, card.name


_SORTS: Mapping[str, Callable[[MonitorCard], Any]] = {
    "name": lambda card: card.name,
    "window": _oldest_window,
    "labels": lambda card: (-card.labels.late, card.name),
    "owner": lambda card: (not card.owner, card.owner, card.name),
    "criticality": lambda card: (CRITICALITIES.index(card.criticality), _urgency(card)),
}
