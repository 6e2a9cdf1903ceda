"""The open command: where the page of a monitor, or of one of its cases, is."""

from __future__ import annotations

from typing import Annotated

import typer

from hindsight.commands.chosen import Name
from hindsight.commands.console import out, print_json
from hindsight.errors import ConfigError
from hindsight.monitors.loader import load_monitor
from hindsight.settings import read_settings


def address(
    monitor: Name,
    incident: Annotated[str | None, typer.Option("--incident", metavar="ID", help="the page of its case")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> int:
    """Print the address of a monitor's page, for a browser: open $(hindsight open credit_default)."""
    from hindsight.airflow.connections import open_resources, web_address
    from hindsight.commands.ack import chosen_incident

    settings = read_settings()
    watched = load_monitor(monitor, settings.monitors)
    base = web_address()
    if not base:
        raise ConfigError(
            "nobody says where Airflow's pages are - set AIRFLOW__API__BASE_URL, or base_url under [api] in airflow.cfg"
        )
    place = f"{base}/hindsight/monitors/{watched.name}"
    if incident is not None:
        found = chosen_incident(open_resources(settings).ledger.incidents(watched.name), incident, watched.name)
        place += f"/cases/{found.case or found.id}"
    if as_json:
        print_json({"monitor": watched.name, "address": place})
    else:
        out.print(place, markup=False)
    return 0
