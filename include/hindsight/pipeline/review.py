"""A review told: to everyone who hears of an owner's monitors one message a week or a month, and never two of the same.

It is of those monitors only that the receiver is told about anyway, by the routes of a word about each as a whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from urllib.parse import urlencode

from hindsight.messages.review_mail import compose_review
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.pipeline.show.reviews import in_order, reviews
from hindsight.verdicts.review_words import headline, said
from hindsight.verdicts.reviews import Review
from hindsight.vocabulary.letters import Letter, Message
from hindsight.vocabulary.periods import Period
from hindsight.vocabulary.severity import Severity

OURS = "hindsight"  # whom the outbox has such a message from: it is about no single monitor


def send_reviews(
    monitors: Iterable[Monitor], period: Period, resources: Resources, *, at: datetime, link: str = ""
) -> int:
    """Promise the review of a period to everyone it is for; return how many messages are new.

    `link` is where the page of reviews is. What was promised of a period before is promised already, whatever is known
    of it since.
    """
    active = [one for one in monitors if one.state == "active"]
    found = {one.monitor: one for one in reviews(active, period, resources)}
    letters = [
        _letter(owner, receiver, period, message)
        for owner, ways in _ways(active).items()
        for names, receivers in ways.items()
        for message in [_message(owner, [found[name] for name in names], period, link)]
        for receiver in receivers
    ]
    with resources.ledger.locked(OURS) as tx:
        return tx.queue(letters, at)


def _ways(monitors: Iterable[Monitor]) -> Mapping[str, Mapping[tuple[str, ...], Sequence[str]]]:
    """Return by owner, and by the monitors they hear of, who gets which review."""
    heard: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in sorted(monitors, key=lambda one: one.name):
        for receiver in one.receivers(Severity.P2):
            heard[one.owner, receiver].append(one.name)
    found: dict[str, dict[tuple[str, ...], list[str]]] = defaultdict(lambda: defaultdict(list))
    for (owner, receiver), names in heard.items():
        found[owner][tuple(names)].append(receiver)
    return found


def _message(owner: str, found: Sequence[Review], period: Period, link: str) -> Message:
    asked = urlencode({period.kind: period.name, "owner": owner})
    page = f"{link}?{asked}" if link else ""
    return compose_review(owner, period, [said(one) for one in in_order(found)], headline(found), link=page)


def _letter(owner: str, receiver: str, period: Period, message: Message) -> Letter:
    return Letter(OURS, f"review {period.name}", receiver, message, about=f"review of {owner}")
