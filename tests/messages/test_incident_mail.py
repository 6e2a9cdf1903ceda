from __future__ import annotations

import time
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.messages import incident_mail, wording
from hindsight.messages.chart import Point, draw
from hindsight.messages.incident_mail import Context, Told, compose, facts
from hindsight.monitors.rules import Rule
from hindsight.verdicts.model import Incident, Series, State
from hindsight.vocabulary.severity import Severity
from tests.builders import DAY, HOUR, a_monitor, at

START = at("2026-11-12")
MONITOR = a_monitor(name="credit_default", owner="risk-ml")
RULES = {rule.id: rule for rule in MONITOR.rules}


def an_incident(rule: str = "accuracy_drop", **rest) -> Incident:
    series = {key: rest.pop(key) for key in ("feature", "segment", "model_version") if key in rest}
    given = {
        "id": f"{rule}-1",
        "severity": RULES[rule].severity if rule in RULES else Severity.P2,
        "state": State.OPEN,
        "started": START,
        "ended": None,
        "breaches": (START, START + DAY),
        "value": 0.71,
        "threshold": 0.765,
    } | rest
    return Incident(monitor="credit_default", series=Series(rule, **series), **given)


def told(rule: str = "accuracy_drop", points=(), **rest) -> Told:
    return Told(an_incident(rule, **rest), RULES[rule], points)


def some_points(*values: float | None) -> tuple[Point, ...]:
    return tuple(
        Point(START + day * DAY, value, value is not None and value < 0.765) for day, value in enumerate(values)
    )


class Tags(HTMLParser):
    """What a mail client would see: the tags, their attributes and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href", "background")]
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_data(self, data) -> None:
        self.text += data


def test_the_subject_says_how_bad_and_since_when() -> None:
    message = compose(MONITOR, [told()])
    assert message.subject == "[P0] credit_default: accuracy 0.71, 21 % below reference (since 2026-11-12)"
    assert message.severity is Severity.P0


def test_failed_expectations_are_counted() -> None:
    for value, words in ((1.0, "1 expectation failed of age"), (3.0, "3 expectations failed of age")):
        message = compose(MONITOR, [told("quality", feature="age", value=value, threshold=1.0)])
        assert message.subject == f"[P2] credit_default: {words} (since 2026-11-12)"


def test_the_most_severe_open_incident_leads_and_the_others_are_counted() -> None:
    several = [
        told("accuracy_drop", state=State.RESOLVED, ended=START + 3 * DAY),
        told("drift", feature="amount", value=1.0, threshold=1.0),
        told("latency_p95", value=412.3, threshold=300.0),
    ]
    message = compose(MONITOR, several)
    assert message.subject == "[P1] credit_default: latency p95 412 ms, over 300 ms, and 2 more (since 2026-11-12)"
    open_at, resolved_at = message.text.index("amount drifted"), message.text.index("Resolved")
    assert open_at < resolved_at < message.text.index("accuracy drop is over (was, from 2026-11-12 to")


def test_an_end_and_a_withdrawal_say_so() -> None:
    ended = told("latency_p95", state=State.RESOLVED, ended=START + DAY)
    assert compose(MONITOR, [ended]).subject == (
        "[resolved] credit_default: latency p95 is over (2026-11-12 to 2026-11-13)"
    )
    undone = told(state=State.WITHDRAWN, reason="late labels brought it to 0.88")
    assert compose(MONITOR, [undone]).subject == (
        "[withdrawn] credit_default: accuracy drop: late labels brought it to 0.88"
    )


def test_news_says_what_is_new_and_what_lasted_has_become_the_level() -> None:
    note = "mean 52.1, 40.3 expected (6.1 standard deviations of its own past)"
    new = replace(told("news", feature="amount", segment="region=EU"), note=note)
    assert f"[P2] credit_default: amount in region=EU: {note} (since" in compose(MONITOR, [new]).subject
    over = told("news", feature="amount", state=State.RESOLVED, ended=START + 20 * DAY)
    assert compose(MONITOR, [over]).subject == (
        "[resolved] credit_default: news of amount is no news any more: it has lasted and is what is usual now"
        " (2026-11-12 to 2026-12-02)"
    )
    short = told("news", feature="amount", state=State.RESOLVED, ended=START + 3 * DAY)
    assert "news of amount is over" in compose(MONITOR, [short]).subject


def test_a_mail_about_what_drifted_says_whether_it_hurts() -> None:
    harm = "It hurts: estimated accuracy 0.7 (0.68 to 0.72), 0.9 on the reference."
    message = compose(MONITOR, [told("drift", feature="amount")], Context(harm=harm))
    assert f"Does it hurt: {harm}" in message.text
    assert harm in Tags(message.html).text


def test_the_end_of_a_p0_says_what_was_for_those_who_hear_of_it_first() -> None:
    over = compose(MONITOR, [told(state=State.RESOLVED, ended=START + DAY)])
    said = "accuracy drop is over (was, from 2026-11-12 to 2026-11-13: accuracy 0.71, 21 % below reference)"
    assert over.subject == f"[resolved] credit_default: {said}"
    assert f"P0  {said}" in over.text


@pytest.mark.parametrize(
    ("rule", "fields", "said"),
    [
        ("no_data", {"value": 0.0, "threshold": 1.0}, "no predictions logged"),
        ("no_data", {"value": None, "threshold": 1.0, "model_version": "7"}, "no predictions logged, version 7"),
        ("health_critical", {"value": 2.0, "threshold": 2.0}, "health critical"),
        ("drift", {"value": 1.0, "feature": "amount", "segment": "region=EU"}, "amount drifted in region=EU"),
        ("null_rate", {"value": 0.0731, "threshold": 0.05, "feature": "age"}, "null rate of age 7.31 %, over 5 %"),
        ("volume", {"value": 0.25, "threshold": 0.5}, "volume ratio 0.25, under 0.5"),
        ("drift_share", {"value": None, "threshold": 0.3}, "drift share no value"),
    ],
)
def test_a_headline_says_what_is_wrong_in_words(rule, fields, said) -> None:
    assert wording.headline(RULES[rule], an_incident(rule, **fields)) == said


def test_an_error_that_rose_is_told_against_its_reference() -> None:
    rule = Rule.model_validate({"id": "worse", "metric": "performance.mae", "rises_by": "15%"})
    assert wording.headline(rule, an_incident("worse", value=2.6, threshold=2.3)) == "mae 2.6, 30 % above reference"


def test_short_windows_are_dated_to_the_minute() -> None:
    assert wording.moment(START + HOUR, HOUR) == "2026-11-12 01:00 UTC"


@given(st.floats(allow_nan=False, allow_infinity=False) | st.none(), st.sampled_from(["a.b_rate", "a.b_ms", "a.b"]))
def test_every_number_can_be_said(value, metric) -> None:
    said = wording.number(metric, value)
    assert said
    assert "nan" not in said


@given(st.text(), st.integers(1, 50))
def test_cleaned_text_is_one_short_visible_line(text, limit) -> None:
    cleaned = wording.clean(text, limit)
    assert len(cleaned) <= limit
    assert cleaned == wording.clean(cleaned, limit)
    assert not set(cleaned) & set("\r\n\t\0\u202e\u200b\u2028")


def test_the_body_tells_all_there_is_to_know() -> None:
    context = Context(
        "null rate of income 31 %", "Retraining waits for approval.", "https://airflow.example.com/dags/x"
    )
    message = compose(MONITOR, [told(points=some_points(0.9, 0.9, 0.7))], context)
    for part in (message.text, Tags(message.html).text):
        for said in ("accuracy 0.71", "since 2026-11-12", "limit 0.765", "reference 0.9", "null rate of income 31 %"):
            assert said in part
        for said in ("Fix the pipeline", "waits for approval", "risk-ml", "same"):
            assert said in part
    assert Tags(message.html).links == [
        "cid:chart",
        "https://wiki.example.com/credit",
        "https://airflow.example.com/dags/x?from=2026-10-29T00%3A00Z&to=2026-11-14T00%3A00Z",
        "https://airflow.example.com/dags/x/cases/accuracy_drop-1",
    ]


def test_the_link_opens_the_windows_and_the_part_of_the_monitor_that_the_mail_is_about() -> None:
    one = told("null_rate", feature="amount", segment="region=A & B")
    (link, _) = Tags(compose(MONITOR, [one], Context(link="https://a.example.com/m")).html).links[-2:]
    asked = parse_qs(urlsplit(link).query)
    assert (asked["feature"], asked["segment"]) == (["amount"], ["region=A & B"])
    assert asked["from"] < [f"{START:%Y-%m-%d}"] < asked["to"]


@pytest.mark.parametrize(
    ("rule", "first_words"),
    [
        ("accuracy_drop", "The model"),
        ("latency_p95", "The service"),
        ("drift_share", "The data"),
        ("null_rate", "The data"),
    ],
)
def test_the_first_step_follows_from_the_kind_of_rule(rule, first_words) -> None:
    assert wording.advice(RULES[rule], "", "credit").startswith(first_words)
    assert wording.advice(RULES[rule], "nulls", "credit").startswith("The data")


def test_a_hostile_name_is_text_and_nothing_else() -> None:
    evil = "{{7*7}}{% raw %}<script>alert(1)</script><img src=x onerror=alert(1)>\r\nBcc: eve@example.com\u202e"
    evil += 10_000 * "x"
    plain = Tags(compose(MONITOR, [told("drift", feature="a", segment="b"), told("null_rate", feature="c")]).html).tags
    hostile = [told("drift", feature=evil, segment=evil), told("null_rate", feature=evil)]
    message = compose(MONITOR, hostile, Context())
    assert Tags(message.html).tags == plain
    assert "{{7*7}}" in Tags(message.html).text
    assert len(message.subject) <= 160
    assert len(message.html) < 20_000
    assert not set(message.subject) & set("\r\n\u202e")


def test_a_link_that_is_no_web_address_is_left_out() -> None:
    message = compose(MONITOR, [told()], Context(link="javascript:alert(1)"))
    assert "javascript" not in message.html + message.text


def test_five_hundred_incidents_make_one_mail_of_bounded_size() -> None:
    many = [told("drift", id=f"i{number}", feature=f"f{number}", value=1.0) for number in range(500)]
    message = compose(MONITOR, many)
    assert "and 480 more" in message.text
    assert "and 480 more" in message.html
    assert len(message.html) < 30_000
    assert len(facts(many)) == 500


def test_a_template_that_raises_costs_the_html_only(monkeypatch, caplog) -> None:
    def broken(name):
        raise RuntimeError(f"template gone: {name}")

    monkeypatch.setattr(incident_mail, "_template", broken)
    message = compose(MONITOR, [told()])
    assert message.html == ""
    assert "accuracy 0.71" in message.text
    assert "template gone" in caplog.text


def test_a_chart_that_raises_costs_the_chart_only(monkeypatch, caplog) -> None:
    def broken(*args, **kwargs):
        raise ValueError("no canvas")

    monkeypatch.setattr(incident_mail, "draw", broken)
    message = compose(MONITOR, [told()])
    assert message.png is None
    assert "cid:chart" not in message.html
    assert "no canvas" in caplog.text


def test_nothing_to_tell_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing to tell"):
        compose(MONITOR, [])


def test_the_same_news_makes_the_same_message() -> None:
    points = some_points(0.9, None, 0.7)
    assert compose(MONITOR, [told(points=points)]) == compose(MONITOR, [told(points=points)])


def test_points_whose_labels_still_come_are_said_to_be_hollow() -> None:
    points = some_points(0.9, 0.7, 0.8)
    waits = (*points[:-1], Point(points[-1].start, 0.7, provisional=True))
    texts = [Tags(compose(MONITOR, [told(points=some)]).html).text for some in (points, waits)]
    assert ["Hollow: labels are still coming" in text for text in texts] == [False, True]
    assert draw(waits, limit=None) != draw(points, limit=None)


def test_a_chart_needs_two_windows_with_a_value() -> None:
    assert draw(some_points(0.9), limit=None) is None
    assert draw(some_points(None, 0.9, None), limit=0.8) is None
    assert draw((), limit=0.8) is None


@pytest.mark.parametrize("values", [(0.9, 0.9), (0.0, 0.0, 0.0), (0.9, None, 0.7, None), (1e12, -1e12), (5.0,) * 400])
def test_a_chart_of_any_values_is_a_png(values) -> None:
    png = draw(some_points(*values), limit=values[0], limit_text="limit")
    assert png.startswith(b"\x89PNG")
    assert len(png) < 120_000


def test_a_second_chart_takes_no_time_worth_speaking_of() -> None:
    points = some_points(*(0.9,) * 30)
    draw(points, limit=0.8)
    begun = time.process_time()
    draw(points, limit=0.8)
    assert time.process_time() - begun < 0.5


def test_severity_of_an_end_is_that_of_the_incident() -> None:
    ended = replace(an_incident(), state=State.RESOLVED)
    assert compose(MONITOR, [Told(ended, RULES["accuracy_drop"])]).severity is Severity.P0
