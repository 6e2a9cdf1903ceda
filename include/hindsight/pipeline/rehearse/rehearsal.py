"""Rehearsal: what a monitor's rules, as its file stands, would have told of a stretch of stored windows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hindsight.errors import ConfigError
from hindsight.monitors.calendar import MONTH, AlertBudget
from hindsight.monitors.model import Monitor
from hindsight.pipeline.judge.judgement import Judgement
from hindsight.pipeline.judge.knowledge import known
from hindsight.pipeline.judge.verdicts import NIGHT_KINDS, RUN_KINDS
from hindsight.pipeline.rehearse.limits import Costs, costs
from hindsight.pipeline.rehearse.limits import plain as plain_costs
from hindsight.pipeline.rehearse.replay import Step, apart, replayed, silent, steps
from hindsight.pipeline.rehearse.tellings import (
    Case,
    Counted,
    Telling,
    a_month,
    by_rule,
    cases,
    counted,
    over,
    plain,
    tellings,
)
from hindsight.pipeline.resources import Resources
from hindsight.verdicts.model import RetrainRequest, Series, Status
from hindsight.vocabulary.windows import format_moment

Watching = Callable[[Sequence[Step]], Iterable[Step]]
KINDS = tuple(dict.fromkeys((*RUN_KINDS, *NIGHT_KINDS)))


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What would have been told of the windows that start in [start, end).

    `windows` of the `expected` ones in it are stored; `tellings` are in order of time, `cases` in that in which they
    were first told. `limits` says of each rule what five limits would have opened, `retrainings` how many of them would
    have been asked for.
    """

    monitor: str
    start: datetime
    end: datetime
    windows: int
    expected: int
    nights: int
    covered: timedelta
    budget: AlertBudget
    tellings: tuple[Telling, ...]
    cases: tuple[Case, ...]
    limits: tuple[Costs, ...]
    retrainings: int

    @property
    def pages(self) -> list[Telling]:
        """What was told at P0 or P1."""
        return [one for one in self.tellings if one.is_page]

    @property
    def notices(self) -> list[Telling]:
        """What was told at P2."""
        return [one for one in self.tellings if not one.is_page]

    @property
    def by_rule(self) -> dict[str, Counted]:
        """Pages and notices by the rules they name; one that names two counts for both."""
        return by_rule(self.tellings)

    @property
    def over_budget(self) -> list[str]:
        """Which of pages and notices are more than `alerts.budget` allows, in words; empty where it is kept."""
        return over(counted(self.tellings), self.covered, self.budget)

    def a_month(self, count: int) -> float:
        """Return a count of the stretch as one of thirty days."""
        return a_month(count, self.covered)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        per_rule = {
            rule: {"pages_per_month": self.a_month(n.pages), "notices_per_month": self.a_month(n.notices)}
            for rule, n in self.by_rule.items()
        }
        return {
            "monitor": self.monitor,
            "start": self.start,
            "end": self.end,
            "windows": self.windows,
            "expected": self.expected,
            "nights": self.nights,
            "months": self.covered / MONTH,
            "pages": len(self.pages),
            "notices": len(self.notices),
            "pages_per_month": self.a_month(len(self.pages)),
            "notices_per_month": self.a_month(len(self.notices)),
            "budget": self.budget.model_dump(mode="json"),
            "over_budget": self.over_budget,
            "rules": per_rule,
            "tellings": [plain(one) for one in self.tellings],
            "cases": [plain(one) for one in self.cases],
            "limits": [plain_costs(one) for one in self.limits],
            "retrainings": self.retrainings,
        }


def rehearse(
    monitor: Monitor, resources: Resources, *, start: datetime, end: datetime, watching: Watching = iter
) -> Rehearsal:
    """Judge the stored windows that start in [start, end), and the nights then, anew; nothing is kept, nobody told.

    `watching` may show how far it has come. Raises ConfigError where no such window is stored.
    """
    with resources.remembering(monitor.name):
        todo = steps(monitor, resources, start, end)
        if not todo:
            raise ConfigError(_nothing(monitor, start, end))
        with apart(resources) as beside:
            done = _Done(monitor)
            for step, judgement in replayed(silent(monitor), list(watching(todo)), resources, beside):
                done.take(step, judgement)
            return done.rehearsal(todo, resources, beside, start=start, end=end)


class _Done:
    """What is kept of each judgement: what was told, which series breached, and the retrainings asked for."""

    def __init__(self, monitor: Monitor) -> None:
        self.monitor = monitor
        self.told: list[Telling] = []
        self.breached: set[Series] = set()
        self.retrainings: set[str] = set()

    def take(self, step: Step, judgement: Judgement) -> None:
        self.told += tellings(self.monitor, judgement.told, step.at)
        self.breached |= {one.series for one in judgement.verdicts if one.status is Status.BREACH}
        if isinstance(judgement.retraining, RetrainRequest):
            self.retrainings.add(judgement.retraining.key)

    def rehearsal(
        self, todo: Sequence[Step], own: Resources, beside: Resources, *, start: datetime, end: datetime
    ) -> Rehearsal:
        monitor = self.monitor
        runs = [step for step in todo if not step.is_night]
        return Rehearsal(
            monitor=monitor.name,
            start=start,
            end=end,
            windows=len(runs),
            expected=len(list(monitor.grid.starting_in(start, end))),
            nights=len(todo) - len(runs),
            covered=len(runs) * monitor.window,
            budget=monitor.alerts.budget,
            tellings=tuple(self.told),
            cases=tuple(cases(self.told, beside.ledger.incidents(monitor.name))),
            limits=tuple(self._limits(todo, own, beside)),
            retrainings=len(self.retrainings),
        )

    def _limits(self, todo: Sequence[Step], own: Resources, beside: Resources) -> Iterable[Costs]:
        starts = {window.start for step in todo for window in step.windows}
        facts = known(self.monitor, own, as_of=todo[-1].at, windows=starts, kinds=KINDS)
        return costs(self.monitor, facts, KINDS, beside.ledger.histories(self.monitor.name, self.breached))


def _nothing(monitor: Monitor, start: datetime, end: datetime) -> str:
    span = f"--start {format_moment(start)} --end {format_moment(end)}"
    then = f" and hindsight labels {monitor.name} {span}" if monitor.source.labels else ""
    return (
        f"{monitor.name}: no window that starts between {format_moment(start)} and {format_moment(end)} is stored as "
        f"its file has windows now, so there is nothing to rehearse - measure them with "
        f"hindsight run {monitor.name} {span}{then}"
    )
