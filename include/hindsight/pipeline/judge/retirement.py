"""Close the incidents of monitors that are watched no more: nobody judges them again, so they would stay open."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from hindsight.messages.wording import whose
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.verdicts.incidents import retire
from hindsight.verdicts.model import STANDING, Incident, State
from hindsight.vocabulary.letters import Message, letters
from hindsight.vocabulary.severity import Severity


def close_retired(
    monitors: Collection[Monitor], resources: Resources, *, at: datetime, all_there: bool
) -> dict[str, int]:
    """Close the open incidents of archived monitors, and of removed ones where `monitors` are all there are.

    Those who were told that one is open are told once that it is closed. Returns how many were closed, by monitor.
    """
    archived = {monitor.name for monitor in monitors if monitor.state == "archived"}
    named = {name for monitor in monitors for name in (monitor.name, *monitor.renamed_from)}
    closed: dict[str, int] = {}
    for name in sorted({incident.monitor for incident in resources.ledger.incidents(open_only=True)}):
        if name in archived or (all_there and name not in named):
            closed[name] = _close(name, "archived" if name in archived else "removed", resources, at)
    return closed


def _close(name: str, how: str, resources: Resources, at: datetime) -> int:
    told = _told(name, resources)
    with resources.ledger.locked(name) as tx:
        closed = [retire(incident, f"the monitor was {how}") for incident in tx.incidents(states=STANDING)]
        for recipient in dict.fromkeys(who for recipients in told.values() for who in recipients):
            news = [incident for incident in closed if recipient in told.get(incident.id, ())]
            facts = [(incident.id, incident.state) for incident in news]
            message = _message(name, how, news)
            tx.queue(letters(message, monitor=name, cause=f"monitor {how}", recipients=[recipient], facts=facts), at)
        tx.save_incidents([replace(incident, told=State.WITHDRAWN) for incident in closed], at)
    return len(closed)


def _told(name: str, resources: Resources) -> dict[str, set[str]]:
    """Who was promised a mail about each incident that was told as open: of a removed file nothing else is known."""
    ledger = resources.ledger
    spoken = [incident for incident in ledger.incidents(name, open_only=True) if incident.told is State.OPEN]
    return {i.id: {mail.recipient for mail in ledger.outbox(name, incident=i.id)} for i in spoken}


def _message(name: str, how: str, closed: Sequence[Incident]) -> Message:
    lines = [f"- {i.severity} {i.series.rule}{whose(i.series)}, since {i.started:%Y-%m-%d %H:%M} UTC" for i in closed]
    text = f"Monitor {name} was {how} while these incidents were open. Nobody judges them any more:\n"
    worst = min((incident.severity for incident in closed), default=Severity.P2)
    return Message(f"[closed] {name}: monitor {how}", "\n".join([text, *lines, ""]), severity=max(worst, Severity.P1))
