"""Gather what the page of a case shows: its incidents, what happened when, and what may be answered."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from hindsight.errors import ConfigError, TrainingError
from hindsight.messages.wording import whose
from hindsight.monitors.loader import load_monitor
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources, remembering
from hindsight.pipeline.show.findings import findings
from hindsight.pipeline.show.pages import incident_row
from hindsight.pipeline.show.postmortem import of_case, timeline
from hindsight.reports.case import Act
from hindsight.reports.pages import Answers, CaseView
from hindsight.snapshots.damage import leaving_out
from hindsight.verdicts.acceptance import acceptable
from hindsight.verdicts.model import Incident, Series
from hindsight.verdicts.silence import muted_by

SHOWN = 8  # series spelt out on a button; of more they are counted


def case_view(
    name: str, case: str, resources: Resources, *, now: datetime, token: str = "", may: Collection[str] = ()
) -> CaseView | None:
    """Return everything about a case of a monitor; None where there is none.

    With a `token` it may be answered while it is open; `may` says which of retrain and rollback whoever asks may do.
    Snapshots that cannot be read are named, and the rest is shown.
    """
    try:
        monitor = load_monitor(name, resources.settings.monitors)
    except ConfigError:
        return None
    with leaving_out() as damaged:
        view = _view(monitor, case, resources, now, token, may)
    return view and replace(view, damaged=tuple(damaged))


@remembering
def _view(
    monitor: Monitor, case: str, resources: Resources, now: datetime, token: str, may: Collection[str]
) -> CaseView | None:
    known = resources.ledger.incidents(monitor.name)
    ids, asked = {one.id: one.case for one in known}, case
    case = ids.get(case) or case  # a mail may know it by the id it had before it was found to be one with another
    if not (told := of_case(monitor, case, resources)):
        return None
    rows = [replace(incident_row(s.incident, monitor), done=(s.done,), advice=s.advice) for s in told]
    standing = [story.incident for story in told if story.incident.stands]
    muted = [_muted(one, standing) for one in muted_by(standing, monitor.rules)]
    acts = tuple(_acts(monitor, resources, may))
    answers = Answers(token, _few(muted), _named(acceptable(monitor.rules, standing)), acts)
    return CaseView(
        monitor.name,
        case,
        told[0].what,
        min(story.incident.severity for story in told),
        now,
        tuple(rows),
        tuple(timeline(monitor, case, told, resources)),
        answers if token and standing else None,
        findings(monitor, told, known, resources),
        token,
        asked=asked,
    )


def _acts(monitor: Monitor, resources: Resources, may: Collection[str]) -> Iterator[Act]:
    """Yield what may be done about the model from the page, where there is anything to do."""
    if monitor.retrain and "retrain" in may:
        asked = "A better model waits for approval" if monitor.retrain.approval else "A better model is taken at once"
        text = f"Trains on what is known now, and compares with the champion on later labels. {asked}."
        yield Act("retrain", "Start retraining", text)
    if "rollback" in may:
        try:
            back, left = resources.registry.earlier(monitor.name), resources.registry.champion(monitor.name)
        except TrainingError:
            return  # nothing to go back to
        leaves = left.version if left else ""
        text = f"{back.version} becomes the champion again in the place of {leaves or 'none'}; its reference is frozen."
        yield Act("rollback", "Roll back", text, (("to", back.version), ("instead_of", leaves)))


def _named(series: list[Series]) -> tuple[str, ...]:
    return _few([f"{one.rule}{whose(one)}" for one in series])


def _muted(series: Series, standing: Sequence[Incident]) -> str:
    """Say what is muted: of a rule about columns that names none it is every column, those of other cases too."""
    of_columns = any(one.series.rule == series.rule and one.series.feature for one in standing)
    return f"{series.rule}{' of every column' * (of_columns and not series.feature)}{whose(series)}"


def _few(names: Sequence[str]) -> tuple[str, ...]:
    more = len(names) - SHOWN
    return (*names[:SHOWN], *([f"{more} more"] if more > 0 else ()))
