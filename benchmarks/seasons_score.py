"""Score of the season bench: pure counting of what was told, with and without a planted fault."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from benchmarks.seasons_faults import OF_LABELS, OF_ROWS, Fault
from benchmarks.seasons_port import Telling

MONTH = timedelta(days=30.4375)
ROWS_RULES = {
    "rows_lost": {"volume", "no_data"},
    "rows_doubled": {"volume", "duplicates"},
}
LABEL_RULES = {"accuracy_drop", "concept_drift", "label_drift"}


def found(fault: Fault, told: Iterable[Telling], paired: Iterable[Telling], until: datetime) -> bool:
    """Say whether a case that names the fault opened in `(onset, until]` and none such did in the paired run."""
    return _names(fault, told, until) and not _names(fault, paired, until)


def told_otherwise(fault: Fault, told: Iterable[Telling], paired: Iterable[Telling], until: datetime) -> bool:
    """Say the same less strictly: the paired run may name the column too, by another rule or of another window."""
    known = {_alike(one) for one in paired}
    return _names(fault, [one for one in told if _alike(one) not in known], until)


def _names(fault: Fault, told: Iterable[Telling], until: datetime) -> bool:
    return any(is_news(one, fault, until) and names(one, fault) for one in told)


def is_news(telling: Telling, fault: Fault, until: datetime) -> bool:
    """Say whether it was told after the onset, of a case that began since or is told again as new or worse."""
    since = fault.onset.to_pydatetime()
    return since < telling.at <= until and (telling.begun >= since or telling.how == "again")


def names(telling: Telling, fault: Fault) -> bool:
    """Say whether a message names the column and segment of a fault, or the right rule for rows and labels."""
    if fault.kind in OF_ROWS:
        is_about_rows = "news" in telling.rules and not telling.columns
        return is_about_rows or bool(ROWS_RULES[fault.kind] & set(telling.rules))
    if fault.kind in OF_LABELS:
        return any(rule in LABEL_RULES for rule in telling.rules)
    in_place = fault.segment is None or "=".join(fault.segment) in telling.segments
    return in_place and bool(set(fault.columns) & set(telling.columns))


def cases_of_cause(fault: Fault, told: Iterable[Telling], paired: Iterable[Telling], until: datetime) -> int:
    """Count the cases that a cause made: those told since its onset that the paired run does not tell alike."""
    known = {_alike(one) for one in paired}
    own = [one for one in told if is_news(one, fault, until) and _alike(one) not in known]
    return len({one.case for one in own})


def _alike(telling: Telling) -> tuple[object, ...]:
    return telling.rules, telling.columns, telling.segments, telling.begun


@dataclass(frozen=True, slots=True)
class Quiet:
    """What a stretch without a planted fault told: model-months, pages and notices."""

    months: float
    pages: int
    notices: int

    @classmethod
    def of(cls, told: Sequence[Telling], start: datetime, end: datetime) -> Quiet:
        """Count tellings of a stretch; every one counts."""
        pages = sum(one.is_page for one in told)
        return cls((end - start) / MONTH, pages, len(told) - pages)

    @property
    def pages_per_month(self) -> float:
        """Pages in a month of the model."""
        return self.pages / self.months

    @property
    def notices_per_month(self) -> float:
        """Notices in a month of the model."""
        return self.notices / self.months


def share(results: Iterable[Mapping[str, Any]], *, by: str = "found", **of: object) -> float | None:
    """Return the share of the planted faults with these properties that were found; None where there are none.

    What neither the oracle sees nor anybody found is not counted: nobody could.
    """
    alike = [one for one in results if all(one[key] == value for key, value in of.items())]
    some = [one for one in alike if one["oracle"] or one[by]]
    return sum(bool(one[by]) for one in some) / len(some) if some else None


def goals(quiet: Mapping[str, Quiet], planted: Sequence[Mapping[str, Any]], lasting: Sequence[int]) -> dict[str, Any]:
    """Return the numbers the bench is held to; means over series, shares over planted faults, None where none ran."""
    pages = [one.pages_per_month for one in quiet.values()]
    notices = [one.notices_per_month for one in quiet.values()]
    return {
        "pages_per_month": sum(pages) / len(pages) if pages else None,
        "notices_per_month": sum(notices) / len(notices) if notices else None,
        "notices_per_month_worst": max(notices, default=None),
        "faults_found_middle": share(planted, strength="middle", place="whole"),
        "faults_found_segment": share(planted, strength="middle", place="segment"),
        "cases_per_cause": sum(lasting) / len(lasting) if lasting else None,
    }
