"""A review in words: what a mail, a page and a terminal say of it, topic by topic, "" where there is nothing to say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hindsight.verdicts.error_budget import amount
from hindsight.verdicts.reviews import Burnt, Graded, Review, together
from hindsight.verdicts.silence import Silence
from hindsight.vocabulary.severity import Severity

MOST = 5  # columns, budgets, grades and silences spelt out
_OUTCOMES = {
    "done": "promoted",
    "kept": "kept the champion",
    "refused": "refused by a person",
    "unanswered": "waited for an answer in vain",
    "failed": "failed",
}
_MARKS = ("did as promised", "fell short of its promise", "did worse than the one before")


@dataclass(frozen=True, slots=True)
class Said:
    """A review in sentences; `quiet` is the one that stands for all others where nothing happened."""

    monitor: str
    owner: str
    quiet: str
    alerts: str
    incidents: str
    labels: str
    budgets: tuple[str, ...]
    retraining: tuple[str, ...]
    drift: str
    cost: tuple[str, ...]
    silences: tuple[str, ...]

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield what there is to say, each under its topic; of a quiet review nothing but that."""
        if self.quiet:
            yield "quiet", self.quiet
            return
        for topic in ("alerts", "incidents", "labels", "budgets", "retraining", "drift", "cost", "silences"):
            said = getattr(self, topic)
            yield from ((topic, one) for one in ((said,) if isinstance(said, str) else said) if one)


def said(review: Review) -> Said:
    """Put a review into words."""
    return Said(
        monitor=review.monitor,
        owner=review.owner,
        quiet=_quiet(review) if review.is_quiet else "",
        alerts=_alerts(review),
        incidents=_incidents(review),
        labels=review.labels,
        budgets=_few(list(map(_budget, review.budgets)), "budget"),
        retraining=_few([*_retraining(review), *map(_grade, review.grades)], "grade"),
        drift=_drift(review),
        cost=tuple(_cost(review)),
        silences=_few(list(map(_silence, review.silences)), "silence"),
    )


def headline(reviews: Sequence[Review]) -> str:
    """Say what several reviews come to in one line."""
    whole = together(reviews)
    if whole is None or all(one.is_quiet for one in reviews):
        return f"nothing happened ({counted(len(reviews), 'monitor')})"
    parts = [counted(sum(whole.alerts), "alert")]
    parts += [f"{whole.acted} of {counted(whole.told, 'case')} acted on"] if whole.told else []
    parts += [f"{severities(whole.open)} open"] if whole.open else []
    return ", ".join(parts)


def counted(n: int, what: str) -> str:
    """'1 alert', '1,204 alerts'."""
    return f"{n:,} {what}{'s' * (n != 1)}"


def severities(counts: Mapping[Severity, int]) -> str:
    """'1 P0, 2 P2'."""
    return ", ".join(f"{n:,} {severity}" for severity, n in sorted(counts.items()) if n)


def _quiet(review: Review) -> str:
    checked = f", {counted(review.windows, 'window')} checked" if review.windows else ", no window checked"
    return f"nothing happened{checked if review.state == 'active' else f', {review.state}'}"


def _alerts(review: Review) -> str:
    n = sum(review.alerts)
    if not n and not review.before:
        return ""
    busiest = f", at most {max(review.alerts):,} a day" if n > 1 else ""
    said = f"{counted(n, 'alert')} ({review.before:,} the {_span(review)} before){busiest}"
    if not review.told:
        return said
    meant = f", {review.expected:,} {'was' if review.expected == 1 else 'were'} expected" if review.expected else ""
    return f"{said}; of {counted(review.told, 'case')} told {review.acted:,} acted on{meant}"


def _span(review: Review) -> str:
    return "week" if len(review.alerts) == 7 else "month"


def _incidents(review: Review) -> str:
    began = f"{severities(review.began)} began" if review.began else ""
    ended = f"{review.ended:,} ended" if review.ended else ""
    still = f"{severities(review.open)} open at its end" if review.open else ""
    return ", ".join(filter(None, (began, ended, still)))


def _budget(one: Burnt) -> str:
    if one.burn is None:
        return f"{one.slo}: too few rows"
    left = "" if one.left is None else f", {100 * one.left:.3g} % left" if one.left > 0 else ", all of it spent"
    burnt = f"burnt {amount(one.burn)} times as fast as it may" if one.burn else "nothing burnt"
    return f"{one.slo}: {burnt}{left}"


def _retraining(review: Review) -> Iterator[str]:
    ended = ", ".join(f"{n:,} {_OUTCOMES.get(state, state)}" for state, n in sorted(review.outcomes.items()))
    if review.asked or ended:
        yield f"{review.asked:,} asked for" + (f"; {ended}" if ended else "")
    if review.rollbacks:
        yield f"{counted(review.rollbacks, 'rollback')} to an earlier version"


def _grade(one: Graded) -> str:
    how = "cannot be graded" if one.mark is None else _MARKS[one.mark]
    return f"{one.version} {how}" + (f": {one.note}" if one.note else "")


def _drift(review: Review) -> str:
    named = [f"{name or 'share of columns'} in {n:,}" for name, n in review.moved[:MOST]]
    more = len(review.moved) - len(named)
    of = f" of {review.windows:,} windows" if review.windows else " windows"
    also = f", and {counted(more, 'more column')}" if more else ""
    return f"{', '.join(named)}{of}{also}" if named else ""


def _cost(review: Review) -> Iterator[str]:
    if review.cost is not None:
        yield f"predictions cost {money(review.cost)}"
    yield from (f"{name.replace('_', ' ')} {money(value)}" for name, value in review.kpis)


def money(value: float) -> str:
    """Return an amount whose digits people count: '41.20', '1,204'."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.2f}"


def _silence(one: Silence) -> str:
    return f"{one.about} until {one.until:%Y-%m-%d %H:%M} UTC by {one.by}" + (f": {one.comment}" * bool(one.comment))


def _few(found: list[str], what: str) -> tuple[str, ...]:
    more = len(found) - MOST
    return (*found[:MOST], *([f"and {counted(more, f'more {what}')}"] if more > 0 else []))
