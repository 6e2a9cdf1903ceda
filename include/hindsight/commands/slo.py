"""The slo command: what is left of each error budget and how fast it goes, or the same SLOs for other tools."""

from __future__ import annotations

from typing import Annotated

import typer

from hindsight.commands.chosen import Name
from hindsight.commands.console import out, print_json
from hindsight.monitors.loader import load_monitor
from hindsight.settings import read_settings


def slo(
    monitor: Name,
    openslo: Annotated[bool, typer.Option("--openslo", help="write them as OpenSLO v1 YAML instead")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> int:
    """Show the SLOs of a monitor: target, error budget left, burn rates, and since when an incident is open."""
    settings = read_settings()
    watched = load_monitor(monitor, settings.monitors)
    if openslo:
        from hindsight.monitors.openslo import openslo as documents

        typer.echo(documents(watched), out.file, nl=False)
        return 0
    from hindsight import terminal
    from hindsight.airflow.connections import open_resources
    from hindsight.pipeline.show.slos import slo_states

    states = slo_states(watched, open_resources(settings))
    if as_json:
        print_json([state.to_dict() for state in states])
    elif states:
        out.print(terminal.slos(states))
    else:
        out.print(f"{watched.name} declares no slos")
    return 0
