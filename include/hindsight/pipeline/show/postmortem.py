"""Postmortem: the timeline of one case as Markdown: what breached when, what was told and to whom, what people did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from hindsight.ledger.records import Mail, MailState
from hindsight.messages.wording import clean
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.pipeline.show.audit import Deed, deeds
from hindsight.pipeline.show.state import Story, stories
from hindsight.verdicts.explain import explain
from hindsight.verdicts.model import Status

MOST = 50  # breaches spelt out of one incident

Line = tuple[datetime, str]


def postmortem(monitor: Monitor, case: str, resources: Resources) -> str:
    """Return what is on record of a case, in order of time, with what is left for people to fill in."""
    told = of_case(monitor, case, resources)
    first, until = told[0].incident, ended(told)
    lines = timeline(monitor, case, told, resources)
    span = f"from {_moment(first.started)} {f'to {_moment(until)}' if until else 'and not over'}"
    worst = min(story.incident.severity for story in told)
    return "\n".join(
        [
            f"# {monitor.name}: {told[0].what}",
            "",
            f"Case {case}, {worst}, {span}. Owner: {monitor.owner or 'nobody'}.",
            "",
            "## What breached",
            "",
            *(line for story in told for line in _breaches(monitor, story, resources)),
            "",
            "## Timeline (UTC)",
            "",
            *(f"- {_moment(at)} {what}" for at, what in lines),
            "",
            *_TO_FILL_IN,
        ]
    )


def of_case(monitor: Monitor, case: str, resources: Resources) -> list[Story]:
    """Return the stories of a case's incidents, oldest first; none where there is no such case."""
    told = [story for story in stories(monitor, resources) if (story.incident.case or story.incident.id) == case]
    return sorted(told, key=lambda story: (story.incident.started, story.incident.id))


def ended(told: Sequence[Story]) -> datetime | None:
    """Return when a case was over, None while any of it lasts."""
    if any(story.incident.stands for story in told):
        return None
    return max(filter(None, (story.incident.news_of for story in told)), default=None)


def timeline(monitor: Monitor, case: str, told: Sequence[Story], resources: Resources) -> list[Line]:
    """Return what changed in a case, who was told and what people did about it, in order of time."""
    deeds = _deeds(monitor, case, told[0].incident.started, ended(told), resources)
    return sorted({*_changes(told, resources), *_mails(told), *deeds})


_TO_FILL_IN = (
    "## To be filled in",
    "",
    "- What it cost, and whom:",
    "- Why it happened:",
    "- Why it was not seen before:",
    "- What is changed so that it does not come again, by whom, until when:",
    "",
)


def _breaches(monitor: Monitor, story: Story, resources: Resources) -> Iterator[str]:
    incident = story.incident
    rule = next((rule for rule in monitor.rules if rule.id == incident.series.rule), None)
    yield f"- **{clean(story.what, 200)}** ({incident.series.rule}, {incident.id}): {len(incident.breaches)} windows"
    if rule is None:
        return
    known = resources.ledger.histories(monitor.name, [incident.series], incident.started).get(incident.series, [])
    found = [one for one in known if one.status is Status.BREACH and one.window.start in incident.breaches]
    for verdict in found[:MOST]:
        yield f"  - {_moment(verdict.window.start)}: {clean(explain(verdict, rule, monitor), 300)}"
    if len(found) > MOST:
        yield f"  - and {len(found) - MOST} more"


def _changes(told: Sequence[Story], resources: Resources) -> Iterator[Line]:
    for story in told:
        for event in resources.ledger.events(story.incident.id):
            why = f": {clean(event.reason, 200)}" if event.reason else ""
            yield event.at, f"{story.incident.series.rule} is {event.to_state}{why}"


def _mails(told: Iterable[Story]) -> Iterator[Line]:
    for mail in {mail.id: mail for story in told for mail in story.mails}.values():
        yield (
            mail.sent_at or mail.created_at,
            f"{_became(mail)} to {clean(mail.recipient, 80)}: {clean(mail.subject, 160)}",
        )


def _became(mail: Mail) -> str:
    return "told" if mail.state is MailState.SENT else f"message {mail.state}"


def _deeds(
    monitor: Monitor, case: str, since: datetime, until: datetime | None, resources: Resources
) -> Iterator[Line]:
    """Yield what people did about the monitor while it lasted; of acknowledgements only those of the case."""
    for deed in deeds([monitor], resources):
        if deed.at >= since and (until is None or deed.at <= until) and _is_about(deed, case):
            why = f": {clean(deed.why, 200)}" if deed.why else ""
            yield deed.at, f"{clean(deed.who, 60)} {clean(deed.what, 200)}{why}"


def _is_about(deed: Deed, case: str) -> bool:
    return case in deed.what or not deed.what.startswith(("acknowledged", "looked at"))


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
