"""What a night of labels changed, as plain data and in plain words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hindsight.reports.charts import Unit, moment
from hindsight.reports.pages import IncidentRow, Link, Number
from hindsight.reports.timeline import Bin, Course
from hindsight.verdicts.model import State
from hindsight.vocabulary.windows import Window

Say = Callable[[float | None], str]


@dataclass(frozen=True, slots=True)
class Change:
    """What a night changed about one window: `before` and `now` are its accuracy (or error), `why` in a few words."""

    window: Window
    before: float | None
    now: float | None
    added: int
    corrected: int | None
    coverage: float | None
    final: bool
    was_final: bool
    why: str

    @property
    def moved(self) -> float:
        """How far the value moved; 0 where it has none to compare."""
        return 0.0 if self.before is None or self.now is None else self.now - self.before


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """One segment value in the newest final window and in those before; `clear` if the interval parts them."""

    name: str
    before: float
    now: float
    lower: float | None
    upper: float | None
    n: int

    @property
    def clear(self) -> bool:
        """Whether what was before lies outside the interval of what is now."""
        return self.lower is not None and self.upper is not None and not self.lower <= self.before <= self.upper


@dataclass(frozen=True, slots=True)
class Segments:
    """The segments of a window, and over how many final windows before it they are compared."""

    window: Window
    windows: int
    rows: tuple[SegmentRow, ...]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Whether scores mean what they say, in the newest final window; `ece` now, on the reference, in the one before."""

    window: Window
    bins: tuple[Bin, ...]
    ece: Number


@dataclass(frozen=True, slots=True)
class Awaited:
    """A window whose labels are still coming: about `missing` more of them by `final_on`."""

    window: Window
    final_on: datetime
    coverage: float
    missing: int


@dataclass(frozen=True, slots=True)
class AccuracyReport:
    """Everything the report of one night says; `metric` names what `unit` measures, accuracy or an error."""

    monitor: str
    description: str
    about: tuple[str, ...]
    night: datetime
    size: timedelta
    metric: str
    unit: Unit
    numbers: tuple[Number, ...]
    changes: tuple[Change, ...]
    course: Course
    segments: Segments | None
    calibration: Calibration | None
    estimates: tuple[str, ...]
    opened: tuple[IncidentRow, ...]
    turned: tuple[IncidentRow, ...]
    counts: tuple[Number, ...]
    awaited: tuple[Awaited, ...]
    backlog: str
    links: tuple[Link, ...] = ()

    @property
    def is_news(self) -> bool:
        """Whether the night changed anything worth a mail."""
        return bool(self.changes or self.turned)


def called(window: Window, size: timedelta) -> str:
    """Return what people call a window: its day, the week of its first day, its first and last day, or its minutes."""
    if size == timedelta(days=7):
        return f"week of {window.start:%Y-%m-%d}"
    if size == timedelta(days=1):
        return moment(window.start)
    if size > timedelta(days=1):
        return f"{moment(window.start)} to {moment(window.end)}"
    return f"{window.start:%Y-%m-%d %H:%M}"


def in_words(report: AccuracyReport, say: Say) -> list[str]:
    """Return the night in plain sentences, the first one worth reading on its own; `say` writes a value."""
    sentences = (_labels(report), _finals(report), _mover(report, say), _turns(report))
    return [sentence for sentence in sentences if sentence]


def _labels(report: AccuracyReport) -> str:
    touched = [change for change in report.changes if change.added or change.corrected]
    came, corrected = sum(max(c.added, 0) for c in touched), sum(c.corrected or 0 for c in touched)
    counted = [count(number, what) for number, what in ((came, "label"), (corrected, "correction")) if number]
    told = f"{' and '.join(counted)} came for {count(len(touched), 'window')}." if counted else "No label came."
    lost = -sum(min(c.added, 0) for c in touched)
    return f"{told} {count(lost, 'label')} {'was' if lost == 1 else 'were'} taken back." if lost else told


def _finals(report: AccuracyReport) -> str:
    final = [change for change in report.changes if change.final and not change.was_final]
    if len(final) > 1:
        return f"{len(final)} windows are now final."
    return f"{_the(final[0], report).capitalize()} is now final." if final else ""


def _mover(report: AccuracyReport, say: Say) -> str:
    """Return what moved most: of the windows that counted as final already, else of the others."""
    moved = [change for change in report.changes if say(change.before) != say(change.now) and change.moved]
    if not moved:
        return ""
    change = min(moved, key=lambda change: (not change.was_final, -abs(change.moved)))
    verb = "fell" if change.moved < 0 else "rose"
    after = f" after {count(change.corrected, 'correction')}" if change.corrected else ""
    return (
        f"The {report.metric} of {_the(change, report)} {verb} from {say(change.before)} to {say(change.now)}{after}."
    )


def _turns(report: AccuracyReport) -> str:
    states = Counter("opened" if row.state is State.OPEN else str(row.state) for row in report.turned)
    told = [f"{count(number, 'incident')} {state}" for state, number in states.items()]
    return f"{', '.join(told)}." if told else ""


def _the(change: Change, report: AccuracyReport) -> str:
    name = called(change.window, report.size)
    return f"the {name}" if name.startswith("week") else f"window {name}"


def count(number: int, what: str) -> str:
    """'1 label', '1,204 labels'."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
