"""The alerts command: how much people are told, and whether they make anything of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from hindsight.commands.chosen import MaybeName, chosen
from hindsight.commands.console import out, print_json
from hindsight.messages.wording import clean
from hindsight.settings import read_settings

if TYPE_CHECKING:
    from hindsight.pipeline.show.alert_load import Answered, Load


def alerts(
    monitor: MaybeName = None,
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="how far back")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> int:
    """Count the messages a day of each receiver and, by rule, the cases that were acted on: noise has nobody to act."""
    from hindsight.airflow.connections import open_resources
    from hindsight.pipeline.show.alert_load import answers, loads

    resources, now = open_resources(read_settings()), datetime.now(UTC)
    watched = chosen(monitor, resources.settings)
    sent = loads(watched, resources, now=now, days=days)
    made = [one for each in watched for one in answers(each, resources, now=now, days=days)]
    if as_json:
        print_json({"days": days, "load": [one.to_dict() for one in sent], "rules": [one.to_dict() for one in made]})
    elif not (sent or made):
        out.print(f"nobody was told anything in {days} days")
    else:
        out.print(_sent(sent), "", _made(made), sep="\n")
    return 0


def _sent(found: Iterable[Load]) -> Table:
    table = _table("receiver", "messages", "a day", "worst day")
    for one in found:
        table.add_row(Text(clean(one.receiver, 60), "bold"), f"{one.messages:,}", f"{one.a_day:.2f}", f"{one.worst:,}")
    return table


def _made(found: Iterable[Answered]) -> Table:
    table = _table("rule", "cases told", "acted on", "precision", "expected", "monitor")
    for one in found:
        counts = (f"{one.told:,}", f"{one.acted:,}", f"{one.precision:.0%}", f"{one.expected:,}")
        table.add_row(Text(one.rule, "bold"), *counts, one.monitor)
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in columns:
        is_text = name in ("receiver", "rule", "monitor")
        table.add_column(name, justify="left" if is_text else "right", overflow="fold")
    return table
