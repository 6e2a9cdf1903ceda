"""The audit command: all that was judged, told and done about a monitor, by whom, when and why."""

from __future__ import annotations

from typing import Annotated

import typer

from hindsight.commands.chosen import MaybeName, chosen
from hindsight.commands.console import out, print_json
from hindsight.monitors.times import moment_of
from hindsight.settings import read_settings


def audit(
    monitor: MaybeName = None,
    since: Annotated[str | None, typer.Option("--since", help="ISO time: what was done from then on")] = None,
    people: Annotated[bool, typer.Option("--people", help="only what people did")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> int:
    """List what changed: verdicts, messages, promotions, and what people did, with who, when and why; oldest first."""
    from hindsight import terminal
    from hindsight.airflow.connections import open_resources
    from hindsight.pipeline.show.audit import deeds, record

    resources = open_resources(read_settings())
    first = moment_of(since, "--since") if since else None
    everything = (deeds if people else record)(chosen(monitor, resources.settings), resources)
    found = [deed for deed in everything if not first or deed.at >= first]
    if as_json:
        print_json([deed.to_dict() for deed in found])
    else:
        out.print(terminal.audit(found) if found else "nothing is on record yet")
    return 0
