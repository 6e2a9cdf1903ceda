"""The mail of a review: what happened by topic, the quiet in one line, and no name that becomes markup or a header."""

from __future__ import annotations

from dataclasses import replace

from hindsight.messages.review_mail import MOST, compose_review
from hindsight.verdicts.review_words import headline, said
from hindsight.verdicts.reviews import review
from tests.builders import a_monitor
from tests.reports.pages import EVIL, Page
from tests.verdicts.test_reviews import KNOWN, MONITOR, WEEK, Known

LOUD = review(MONITOR, KNOWN, WEEK)
QUIET = replace(review(a_monitor(), Known(), WEEK), monitor="calm")


def test_it_says_in_text_and_html_what_happened_and_names_the_quiet() -> None:
    mail = compose_review("risk-ml", WEEK, [said(LOUD), said(QUIET)], headline([LOUD, QUIET]), link="https://a/review")
    assert mail.subject == "[review] risk-ml, week 2026-W37: 4 alerts, 1 of 3 cases acted on, 1 P2 open"
    for text in (mail.text, " ".join(Page(mail.html).text.split())):
        for words in (
            "availability: burnt 3 times as fast as it may",
            "Nothing happened: calm",
            "Sent once for each week",
        ):
            assert words in text
    assert "  drift: amount in 4, region in 2 of 7 windows\n" in mail.text
    assert 'href="https://a/review"' in mail.html


def test_a_week_without_anything_is_said_in_one_line() -> None:
    mail = compose_review("risk-ml", WEEK, [said(QUIET)], headline([QUIET]))
    assert mail.subject == "[review] risk-ml, week 2026-W37: nothing happened (1 monitor)"
    assert mail.text.splitlines()[2] == "Nothing happened (1 monitor)."
    assert "In Airflow" not in mail.text


def test_what_is_too_much_is_counted() -> None:
    many = [said(replace(LOUD, monitor=f"m{n:03}")) for n in range(MOST + 30)]
    mail = compose_review("", WEEK, many, "much")
    assert "and 30 more monitors, on the page" in mail.text
    assert mail.subject.startswith("[review] monitors that nobody owns")


def test_nothing_becomes_markup_or_a_header() -> None:
    hostile = replace(LOUD, monitor=EVIL, labels=f"{EVIL}\r\nBcc: all", moved=((EVIL, 1),))
    mail = compose_review(f"{EVIL}\nBcc: x", WEEK, [said(hostile)], headline([hostile]), link="javascript:alert(1)")
    assert "\n" not in mail.subject
    assert "javascript" not in mail.html + mail.text
    assert "img" not in Page(mail.html).tags
