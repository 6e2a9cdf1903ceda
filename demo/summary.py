"""Summary: what was planted against what the ledger, the mailbox and Airflow say; nothing in it is known beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from demo.champions import Shadow
from demo.plan import Plan, Planted
from hindsight.ledger import tables
from hindsight.ledger.ledger import Ledger
from hindsight.ledger.records import Progress
from hindsight.verdicts.model import Incident

FALSE_ALARMS_ALLOWED = 2


@dataclass(frozen=True, slots=True)
class Found:
    """A planted incident, the incidents that found it, oldest first, and the cases that what it set off is told as."""

    planted: Planted
    incidents: tuple[Incident, ...]
    cases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything the demo tells at its end."""

    found: tuple[Found, ...]
    false_alarms: tuple[Incident, ...]
    windows: Mapping[str, int]
    retrainings: tuple[Progress, ...]
    noticed: Mapping[str, datetime] = field(default_factory=dict)
    failed_runs: tuple[str, ...] = ()
    mails: tuple[str, ...] = ()
    undelivered: int = 0
    shadows: tuple[Shadow, ...] = field(default=())

    @property
    def worst(self) -> Incident | None:
        """The incident to look at first: the gravest that is open, else the gravest there was; of equals the newest."""
        every = [*self.false_alarms, *(incident for one in self.found for incident in one.incidents)]
        return min(every, key=lambda i: (not i.stands, i.severity, -i.started.timestamp(), i.id), default=None)

    @property
    def problems(self) -> list[str]:
        """Why the demo did not go as it should; empty when it did."""
        missed = [f"missed: {_name(one.planted)}" for one in self.found if not one.incidents]
        loud = [f"false alarm of severity P0: {_title(i)}" for i in self.false_alarms if i.severity == "P0"]
        many = len(self.false_alarms) > FALSE_ALARMS_ALLOWED
        return [
            *missed,
            *loud,
            *([f"{len(self.false_alarms)} false alarms, {FALSE_ALARMS_ALLOWED} are allowed"] if many else []),
            *(f"DAG run failed: {run}" for run in self.failed_runs),
            *([f"{self.undelivered} mails were not delivered"] if self.undelivered else []),
        ]


def match(
    plan: Plan, incidents: Sequence[Incident], sizes: Mapping[str, timedelta]
) -> tuple[tuple[Found, ...], tuple[Incident, ...]]:
    """Return what was found of the plan, and the incidents nothing planted explains.

    `sizes` are the monitors' windows: an incident may lie one window beside what set it off.
    """
    found = tuple(_found(p, incidents, sizes) for p in plan.planted)
    unexplained = [i for i in incidents if not any(_explains(p, i, sizes[i.monitor]) for p in plan.planted)]
    return found, tuple(unexplained)


def _found(planted: Planted, incidents: Sequence[Incident], sizes: Mapping[str, timedelta]) -> Found:
    finding = tuple(i for i in incidents if _finds(i, planted, sizes[i.monitor]))
    caused = (i.case for i in incidents if _explains(planted, i, sizes[i.monitor]))
    return Found(planted, finding, tuple(dict.fromkeys(caused)))


def _finds(incident: Incident, planted: Planted, size: timedelta) -> bool:
    right = incident.series.rule in planted.rules and planted.feature in ("", incident.series.feature)
    whole = incident.series.rule in ("quality", "drift", "null_rate") or not planted.feature
    state = planted.state in (None, incident.state)
    return (
        incident.monitor == planted.monitor
        and (right if whole else incident.series.rule in planted.rules)
        and state
        and _overlaps(incident, planted, size, beside=0)
    )


def _explains(planted: Planted, incident: Incident, size: timedelta) -> bool:
    return (
        incident.monitor == planted.monitor
        and planted.explains(incident.series.rule)
        and _overlaps(incident, planted, size, beside=1)
    )


def _overlaps(incident: Incident, planted: Planted, size: timedelta, *, beside: int) -> bool:
    starts = incident.breaches or (incident.started,)
    return any(s < planted.end + beside * size and planted.start - beside * size < s + size for s in starts)


def windows_checked(ledger: Ledger) -> dict[str, int]:
    """Return how many windows of each monitor have verdicts."""
    verdicts = tables.verdicts
    count = sa.func.count(sa.distinct(verdicts.c.window_start))
    with ledger.reading() as connection:
        rows = connection.execute(sa.select(verdicts.c.monitor, count).group_by(verdicts.c.monitor))
        return {row[0]: row[1] for row in rows}


def failed(runs: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the names of DAG runs that failed."""
    return tuple(f"{run['dag_id']} {run['dag_run_id']}" for run in runs if run["state"] == "failed")


def show(summary: Summary, console: Console, *, snapshots: Path, mailbox: Path, url: str, password: str) -> None:
    """Print all of it."""
    _show_found(summary, console)
    cases = {case for one in summary.found for case in one.cases}
    console.print(f"{len(summary.found)} causes were planted; what they set off is {len(cases)} cases")
    for incident in summary.false_alarms:
        console.print(f"[yellow]false alarm[/] {_title(incident)}")
    checked = ", ".join(f"{n} of {monitor}" for monitor, n in sorted(summary.windows.items()))
    console.print(f"\nWindows checked: {checked}")
    console.print(f"Mails delivered: {len(summary.mails)}; read them in {mailbox / 'index.html'}")
    for subject in summary.mails:
        console.print(f"  {subject}", markup=False)
    for progress in summary.retrainings:
        console.print(f"Retraining {progress.request.run_id}: {progress.state} {progress.note}", markup=False)
    for shadow in summary.shadows:
        console.print(_shadow(shadow), markup=False)
    console.print(f"Accuracy reports of the nights: {snapshots.parent / 'reports'}", markup=False)
    console.print(f"Snapshots: pandas.read_parquet({str(snapshots)!r})", markup=False)
    for problem in summary.problems:
        console.print(problem, style="red", markup=False)
    if summary.worst:
        page = f"{url}/hindsight/monitors/{summary.worst.monitor}/cases/{summary.worst.case or summary.worst.id}"
        console.print(f"\nThe worst of it: {_title(summary.worst)}", markup=False)
        console.print(page, style="bold", markup=False, soft_wrap=True)
    console.print(f"\n[bold]{url}[/]  sign in as [bold]admin[/] with password [bold]{password}[/]")


def _show_found(summary: Summary, console: Console) -> None:
    table = Table(title="What was planted, and what was found", title_justify="left")
    for column in ("monitor", "when", "what", "found by", "noticed", "state", "cases"):
        table.add_column(column)
    for one in summary.found:
        table.add_row(
            one.planted.monitor,
            _when(one.planted.start),
            one.planted.expectation,
            ", ".join(sorted({_series(i) for i in one.incidents})) or "[red]missed[/]",
            _when(min(summary.noticed[i.id] for i in one.incidents)) if one.incidents else "",
            ", ".join(sorted({str(i.state) for i in one.incidents})),
            str(len(one.cases)),
        )
    console.print(table)


def _shadow(shadow: Shadow) -> str:
    so_far = (
        f"; on the {shadow.labelled} labels that came early {shadow.shadow_right:.3f}, production "
        f"{shadow.production_right:.3f}"
        if shadow.shadow_right is not None and shadow.production_right is not None
        else "; no labels yet"
    )
    return (
        f"Shadow: {shadow.monitor} {shadow.version} scored {shadow.n} requests into {shadow.table}, "
        f"agrees with production on {shadow.agreement:.3f}{so_far}"
    )


def _name(planted: Planted) -> str:
    return f"{planted.monitor} {_when(planted.start)} {planted.expectation}"


def _title(incident: Incident) -> str:
    return f"{incident.monitor} {_series(incident)} {incident.severity} {_when(incident.started)}, {incident.state}"


def _series(incident: Incident) -> str:
    return " ".join(part for part in (incident.series.rule, incident.series.feature) if part)


def _when(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
