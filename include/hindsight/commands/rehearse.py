"""The rehearse command: what the rules would have told of stored windows, without writing or telling anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hindsight.commands.chosen import Name
from hindsight.commands.console import Item, counted, out, print_json, steps
from hindsight.monitors.calendar import MONTH
from hindsight.monitors.loader import load_monitor
from hindsight.monitors.times import span_of
from hindsight.settings import read_settings

if TYPE_CHECKING:
    from hindsight.pipeline.rehearse.limits import Costs
    from hindsight.pipeline.rehearse.rehearsal import Rehearsal


def rehearse(
    monitor: Name,
    start: Annotated[str, typer.Option("--start", help="ISO time, UTC unless it says otherwise")],
    end: Annotated[str, typer.Option("--end", help="ISO time; stored windows that start before it are taken")],
    fail_over_budget: Annotated[
        bool, typer.Option("--fail-over-budget", help="exit 2 when more is told than alerts.budget allows")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> int:
    """Judge stored windows by the file as it stands, write and tell nothing, and say what people would have heard."""
    from hindsight.airflow.connections import open_resources
    from hindsight.pipeline.rehearse.rehearsal import rehearse as rehearsed

    settings = read_settings()
    first, last = span_of(start, end)
    watched = load_monitor(monitor, settings.monitors)

    def watching(todo: Sequence[Item]) -> Iterable[Item]:
        return steps(todo, f"{watched.name}: windows and nights", quiet=as_json)

    found = rehearsed(watched, open_resources(settings), start=first, end=last, watching=watching)
    if as_json:
        print_json(found.to_dict())
    else:
        out.print(_shown(found))
    return 2 if fail_over_budget and found.over_budget else 0


def _shown(found: Rehearsal) -> RenderableType:
    parts: list[RenderableType] = [_head(found), "", _totals(found)]
    if found.by_rule:
        parts += ["", _rules(found)]
    if told := [one for one in found.limits if any(cost.incidents for cost in one.costs)]:
        why = "Incidents each limit would have opened, by that rule alone (nothing mutes it, cases are not joined):"
        parts += ["", Text(why), _limits(told)]
    parts += [Text(f"over the budget: {said}", "yellow") for said in found.over_budget]
    return Group(*parts)


def _head(found: Rehearsal) -> Text:
    nights = f", {counted(found.nights, 'night')} of labels" if found.nights else ""
    asked = f", {counted(found.retrainings, 'retraining')} asked for" if found.retrainings else ""
    said = (
        f"{found.monitor}: {found.windows:,} of {counted(found.expected, 'window')} from {found.start:%Y-%m-%d} to "
        f"{found.end:%Y-%m-%d} are stored, {found.covered / MONTH:.1f} model-months{nights}{asked}"
    )
    return Text(said)


def _totals(found: Rehearsal) -> Table:
    table = _table("", "told", "a month", "agreed to a month")
    spans = MONTH / found.budget.period
    for what, told, agreed in (
        ("pages (P0, P1)", found.pages, found.budget.pages),
        ("notices (P2)", found.notices, found.budget.notices),
    ):
        table.add_row(what, f"{len(told):,}", f"{found.a_month(len(told)):.1f}", f"{agreed * spans:.1f}")
    return table


def _rules(found: Rehearsal) -> Table:
    table = _table("rule", "pages a month", "notices a month")
    for rule, count in found.by_rule.items():
        table.add_row(rule, f"{found.a_month(count.pages):.1f}", f"{found.a_month(count.notices):.1f}")
    return table


def _limits(some: Iterable[Costs]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for one in some:
        cells = [Text(f"{c.limit}: {c.incidents:,}", "bold" if c.present else "dim") for c in one.costs]
        table.add_row(Text(one.rule), *cells)
    return table


def _table(first: str, *numbers: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column(first)
    for name in numbers:
        table.add_column(name, justify="right")
    return table
