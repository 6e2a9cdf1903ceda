"""A column's distribution over the frozen bins: the reference, a window and an earlier one, as bars and as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hindsight.reports.charts import written
from hindsight.reports.frozen_bins import WORDS, numeric, stretch
from hindsight.reports.pages import Link, Number, render

BINS = 20  # bars that can be told apart; of more numeric bins neighbours are added up, of more categories the rarest
WIDTH, HEIGHT, FOOT = 640, 200, 16


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows in one frozen bin: of the reference, the window and the earlier one; None where that was not measured."""

    text: str
    reference: float | None
    now: float | None
    then: float | None = None


@dataclass(frozen=True, slots=True)
class DistributionView:
    """Everything the page of one feature in one window shows; `then` is the earlier window, `why` says which it is."""

    monitor: str
    feature: str
    start: datetime
    as_of: datetime
    bins: tuple[Bin, ...] = ()
    then: datetime | None = None
    why: str = ""
    rows: str = "all rows"
    numbers: tuple[Number, ...] = ()
    before: Link | None = None
    after: Link | None = None
    back: str = ""
    damaged: tuple[str, ...] = ()  # what is wrong with which snapshot, of those that are left out


@dataclass(frozen=True, slots=True)
class Bar:
    """A bin on the drawing; heights and positions are of a canvas of 640 by 200, shares are of one."""

    text: str
    x: float
    width: float
    reference: float
    now: float
    then: float | None
    said: tuple[str, str, str]


def distribution_page(view: DistributionView) -> str:
    """Return the page of a feature's distribution."""
    return render("distribution.html.j2", view=view, bars=bars(view.bins))


def bars(bins: Sequence[Bin]) -> tuple[Bar, ...]:
    """Return the bars to draw: numeric bins from low to high, then categories, the most frequent first, nulls last."""
    shown = _few(bins)
    sums = [sum(filter(None, (getattr(one, name) for one in bins))) or 1.0 for name in ("reference", "now", "then")]
    shares = [((b.reference or 0) / sums[0], (b.now or 0) / sums[1], (b.then or 0) / sums[2]) for b in shown]
    highest = max((max(some) for some in shares), default=1.0) or 1.0
    has_then = any(one.then is not None for one in bins)
    room = WIDTH / max(len(shown), 1)
    return tuple(
        _bar(one.text, k * room, room, some, highest, has_then)
        for k, (one, some) in enumerate(zip(shown, shares, strict=True))
    )


def _bar(
    text: str, left: float, room: float, shares: tuple[float, float, float], highest: float, has_then: bool
) -> Bar:
    reference, now, then = (round(share / highest * (HEIGHT - FOOT - 8), 1) for share in shares)
    said = [written(share, "share") for share in shares]
    return Bar(
        text,
        round(left + room * 0.1, 1),
        round(room * 0.8, 1),
        reference,
        now,
        then if has_then else None,
        (said[0], said[1], said[2] if has_then else "–"),
    )


def _few(bins: Sequence[Bin]) -> list[Bin]:
    by_name = {one.text: one for one in bins}
    ordered = numeric(by_name)
    named = [one for one in bins if one.text in WORDS]
    texts = [one for one in bins if one.text not in WORDS] if not ordered else []
    texts.sort(key=lambda one: (-max(one.reference or 0, one.now or 0), one.text))
    step = -(-len(ordered) // BINS)
    together = [ordered[k : k + step] for k in range(0, len(ordered), max(step, 1))]
    merged = [_sum(stretch(some), [by_name[name] for name in some]) for some in together]
    rare = texts[BINS:]
    rest = [_sum(f"{len(rare)} rarer categories", rare)] if rare else []
    return [*merged, *texts[:BINS], *rest, *(_sum(WORDS[one.text], [one]) for one in named)]


def _sum(text: str, some: Sequence[Bin]) -> Bin:
    def total(name: str) -> float | None:
        known = [value for one in some if (value := getattr(one, name)) is not None]
        return sum(known) if known else None

    return Bin(text, total("reference"), total("now"), total("then"))
