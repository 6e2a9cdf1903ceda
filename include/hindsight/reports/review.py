"""The page of a week or a month: what it came to for all monitors or for one, as a pure function to HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hindsight.reports.pages import render
from hindsight.verdicts.review_words import Said, money
from hindsight.verdicts.reviews import Review
from hindsight.vocabulary.periods import DAY, Period, last_whole, parse_period, period_at

WIDTH, HEIGHT = 140, 28  # of a drawing of alerts a day
GAP = 0.25  # of a day's place
MOST = 200  # monitors spelt out
MOST_QUIET = 100  # named; the rest is counted


@dataclass(frozen=True, slots=True)
class ReviewAsked:
    """What an address asks of the page: the period, whose monitors, or which one; `unread` is what it says besides."""

    period: Period
    owner: str = ""
    name: str = ""
    unread: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str], now: datetime, name: str = "") -> ReviewAsked:
        """Return what a query string asks: a `week` or `month`, the newest whole week without; of one `owner`."""
        given = query.get("week") or query.get("month")
        owner, newest = query.get("owner", "").strip(), last_whole("week", now)
        try:
            return cls(parse_period(given) if given else newest, owner, name)
        except ValueError as exc:
            return cls(newest, owner, name, f"{exc}: this is the newest whole week")


@dataclass(frozen=True, slots=True)
class ReviewView:
    """What the page shows: reviews with their words, the worst first, and the same of all together, None of none.

    `name` is the one monitor it is about, "" for all; `owner` whose monitors are left, and `owners` all there are.
    `unread` is what of the address could not be read.
    """

    period: Period
    as_of: datetime
    reviews: Sequence[tuple[Review, Said]]
    whole: Review | None
    headline: str
    name: str = ""
    owner: str = ""
    owners: Sequence[str] = ()
    unread: str = ""


def review_page(view: ReviewView) -> str:
    """Return the page: what it came to, each monitor with something to say, and the quiet ones in one line."""
    other = period_at("month" if view.period.kind == "week" else "week", view.period.end - DAY)
    newer = period_at(view.period.kind, view.period.end)
    loud = [one for one in view.reviews if not one[1].quiet]
    return render(
        "review.html.j2",
        view=view,
        loud=[(one, words, bars(one.alerts)) for one, words in loud[:MOST]],
        more=len(loud[MOST:]),
        quiet=[words.monitor for _, words in view.reviews if words.quiet],
        most_quiet=MOST_QUIET,
        burnt=sum(bool(one.burn and one.burn > 1) for one in view.whole.budgets) if view.whole else 0,
        newer=newer if newer.end <= view.as_of else None,
        other=other if other.end <= view.as_of else last_whole(other.kind, view.as_of),
        money=money,
        days=[view.period.start + day * DAY for day in range(view.period.days)],
    )


def bars(counts: Sequence[int]) -> str:
    """Return the path of a bar for each count on a canvas of WIDTH by HEIGHT; of none there is a line on the ground."""
    most, step = max(max(counts), 1), WIDTH / len(counts)
    wide = round(step * (1 - GAP), 1)
    tall = (
        (place, max(round(count / most * (HEIGHT - 2)), 1 if not count else 2)) for place, count in enumerate(counts)
    )
    return "".join(f"M{place * step:.1f} {HEIGHT}h{wide:g}v-{height}h-{wide:g}z" for place, height in tall)
