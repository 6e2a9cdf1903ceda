"""What a night of labels changed, as it stands in a mail: strings that are said already, and the numbers of a chart."""

from __future__ import annotations

from dataclasses import dataclass

from hindsight.messages.chart import Point
from hindsight.messages.wording import clean


@dataclass(frozen=True, slots=True)
class NoteRow:
    """One window that changed."""

    window: str
    before: str
    now: str
    labels: str
    state: str

    def cleaned(self) -> NoteRow:
        """The same in harmless text."""
        return NoteRow(*(clean(getattr(self, name), 60) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class NightNote:
    """The night in plain words, the windows that changed, what is open, and the course of accuracy or error.

    `reference` is drawn as a line with `reference_text` beside it. `more` counts the windows left out of `rows`;
    `period` is "this night" or "this week".
    """

    night: str
    period: str
    sentences: tuple[str, ...]
    metric: str
    rows: tuple[NoteRow, ...]
    more: int
    backlog: str
    opened: tuple[str, ...] = ()
    points: tuple[Point, ...] = ()
    reference: float | None = None
    reference_text: str = ""

    def cleaned(self) -> NightNote:
        """The same in harmless text: whatever a segment or a rule may be called stays text on one line."""
        return NightNote(
            night=self.night,
            period=self.period,
            sentences=tuple(clean(sentence, 300) for sentence in self.sentences),
            metric=clean(self.metric, 40),
            rows=tuple(row.cleaned() for row in self.rows),
            more=self.more,
            backlog=clean(self.backlog, 300),
            opened=tuple(clean(line, 200) for line in self.opened),
            points=self.points,
            reference=self.reference,
            reference_text=clean(self.reference_text, 60),
        )

    def as_text(self) -> list[str]:
        """The lines of the plain part."""
        rows = [f"  {r.window}: {r.before} → {r.now}, {r.labels}, {r.state}" for r in self.rows]
        head = f"What the labels of {self.period} changed ({self.metric}, as of {self.night})"
        more = [f"  … and {self.more} more"] if self.more else []
        return [head, *(f"  {sentence}" for sentence in self.sentences), *rows, *more, f"  {self.backlog}", ""]
