"""The audit command: who did what about a monitor, when and why."""

from __future__ import annotations

from typing import Annotated

import typer

from hindsight.commands.chosen import chosen
from hindsight.commands.console import out, print_json
from hindsight.monitors.times import moment_of
from hindsight.settings import read_settings


def audit(
    monitor: Annotated[
        str | None, typer.Argument(metavar="[MONITOR]", help="name or file of one monitor; all without")
    ] = None,
    since: Annotated[str | None, typer.Option("--since", help="ISO time: what was done from then on")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> int:
    """List what people accepted, asked for and decided, oldest first."""
    from hindsight import terminal
    from hindsight.airflow.connections import open_resources
    from hindsight.pipeline.show.audit import deeds

    resources = open_resources(read_settings())
    first = moment_of(since, "--since") if since else None
    found = [deed for deed in deeds(chosen(monitor, resources.settings), resources) if not first or deed.at >= first]
    if as_json:
        print_json([deed.to_dict() for deed in found])
    else:
        out.print(terminal.audit(found) if found else "nobody did anything yet")
    return 0
