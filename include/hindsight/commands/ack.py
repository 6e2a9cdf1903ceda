"""The ack command: somebody looks after a case, so that nobody needs reminding."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from hindsight.commands.chosen import Name
from hindsight.commands.console import out, print_json, user
from hindsight.errors import ConfigError
from hindsight.monitors.loader import load_monitor
from hindsight.settings import read_settings
from hindsight.verdicts.model import Incident

SHORTEST = 4  # letters of an id that are enough


def ack(
    monitor: Name,
    incident: Annotated[
        str, typer.Argument(metavar="INCIDENT", help="its id, or how that begins: hindsight incidents")
    ],
    comment: Annotated[str, typer.Option("--comment", help="what is being done")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> int:
    """Say that somebody looks after an incident and all of its case: its reminders stop, its end is told."""
    from hindsight.airflow.connections import open_resources
    from hindsight.ledger.acknowledgements import Acknowledgement, acknowledge

    settings = read_settings()
    watched, resources = load_monitor(monitor, settings.monitors), open_resources(settings)
    found = chosen_incident(resources.ledger.incidents(watched.name, open_only=True), incident, watched.name)
    given = Acknowledgement(found.case or found.id, datetime.now(UTC), user(), comment.strip())
    acknowledge(resources.ledger, watched.name, given)
    if as_json:
        print_json({"monitor": watched.name, "case": given.case, "at": given.at, "by": given.by})
    else:
        out.print(f"{watched.name}: {found.series.rule} ({given.case}) {given}", markup=False)
    return 0


def chosen_incident(standing: list[Incident], id: str, monitor: str) -> Incident:
    """Return the incident of this id, or whose id or case begins so; raise ConfigError for none, and for several."""
    if len(id) < SHORTEST:
        raise ConfigError(f"expected at least {SHORTEST} letters of an incident's id, got {id!r}")
    found = [one for one in standing if one.id.startswith(id) or one.case.startswith(id)]
    if len({one.case for one in found}) > 1:
        raise ConfigError(f"{id!r} begins several ids: {', '.join(one.id for one in found)}")
    if not found:
        raise ConfigError(f"no such incident of {monitor} has the id {id!r}: hindsight incidents {monitor}")
    return found[0]
