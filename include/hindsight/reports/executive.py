"""The page of whoever answers for the models: how they do by labels, KPIs and promises, as a pure function to HTML.

Trends are drawn here, so that the page needs no script and one of 500 monitors stays light.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hindsight.reports.pages import Link, render
from hindsight.vocabulary.severity import Severity

MOST = 200  # models on a page
WIDTH, HEIGHT, EDGE = 120, 28, 3


@dataclass(frozen=True, slots=True)
class Spark:
    """A drawing of a few windows on a canvas of 120 by 28: path data, the newest point, and where the reference is."""

    line: str
    last: tuple[int, int]
    reference: int | None
    summary: str


@dataclass(frozen=True, slots=True)
class Trend:
    """A number over the newest windows that tell it; where none does, `said` is why.

    `value`, `reference`, `change` and `total` are words, "" where there is nothing to say.
    """

    name: str
    said: str = ""
    value: str = ""
    reference: str = ""
    change: str = ""
    total: str = ""
    spark: Spark | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left of the error budget of an SLO, in words, and whether all of it is spent."""

    slo: str
    left: str
    spent: bool = False


@dataclass(frozen=True, slots=True)
class Model:
    """A monitor as its owner is asked about it; `rows` lie in windows in which what is open breached."""

    monitor: Link
    state: str
    owner: str = ""
    open: Mapping[Severity, int] = field(default_factory=dict)
    recovering: int = 0
    rows: int = 0
    quality: Trend = field(default_factory=lambda: Trend("accuracy"))
    kpis: tuple[Trend, ...] = ()
    budgets: tuple[Budget, ...] = ()


def in_order(models: Iterable[Model]) -> list[Model]:
    """Return the models in the order of the page: what is worst first."""
    return sorted(models, key=_urgency)


def on_page(models: Sequence[Model], page: int) -> Sequence[Model]:
    """Return those of the models, in their order, that the how manieth page spells out."""
    return models[(page - 1) * MOST : page * MOST]


def executive_page(models: Iterable[Model], archived: int, as_of: datetime, page: int = 1) -> str:
    """Return a page: the totals of all monitors that are not archived, and so many of them, what is worst first."""
    models = in_order(models)
    opened: Counter[Severity] = Counter()
    for one in models:
        opened.update(one.open)
    return render(
        "executive.html.j2",
        models=models,
        shown=on_page(models, page),
        page=page,
        following=len(on_page(models, page + 1)),
        pages=max(-(-len(models) // MOST), 1),
        active=sum(one.state == "active" for one in models),
        archived=archived,
        opened=opened,
        recovering=sum(one.recovering for one in models),
        rows=sum(one.rows for one in models),
        spent=sum(budget.spent for one in models for budget in one.budgets),
        budgets=sum(len(one.budgets) for one in models),
        as_of=as_of,
    )


def sparkline(values: Sequence[tuple[datetime, float]], reference: float | None, summary: str) -> Spark:
    """Return the drawing of at least one value, oldest first, with its reference in the same frame."""
    known = [value for _, value in values] + ([] if reference is None else [reference])
    low, high = min(known), max(known)
    first, span = values[0][0], (values[-1][0] - values[0][0]).total_seconds()

    def across(when: datetime) -> int:
        share = (when - first).total_seconds() / span if span else 0.5
        return round(EDGE + share * (WIDTH - 2 * EDGE))

    def down(value: float) -> int:
        share = (value / 2 - low / 2) / (high / 2 - low / 2) if high > low else 0.5  # halves: no overflow
        return round(HEIGHT - EDGE - share * (HEIGHT - 2 * EDGE))

    places = [(across(when), down(value)) for when, value in values]
    line = "M" + "L".join(f"{x} {y}" for x, y in places)
    return Spark(line, places[-1], None if reference is None else down(reference), summary)


def _urgency(model: Model) -> tuple[object, ...]:
    return tuple(-model.open.get(severity, 0) for severity in Severity), -model.rows, model.monitor.text
