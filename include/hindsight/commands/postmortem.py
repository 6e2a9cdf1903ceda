"""The timeline of a case as Markdown: what `hindsight incidents --postmortem` prints."""

from __future__ import annotations

from hindsight.commands.ack import chosen_incident
from hindsight.commands.console import out
from hindsight.errors import ConfigError
from hindsight.monitors.loader import load_monitor
from hindsight.settings import read_settings


def timeline(name: str | None, id: str) -> int:
    """Print the timeline of the case of an incident; raise ConfigError where no monitor is named."""
    from hindsight.airflow.connections import open_resources
    from hindsight.pipeline.show.postmortem import postmortem

    if name is None:
        raise ConfigError("--postmortem: say which monitor, too")
    settings = read_settings()
    monitor, resources = load_monitor(name, settings.monitors), open_resources(settings)
    found = chosen_incident(resources.ledger.incidents(monitor.name), id, monitor.name)
    out.print(postmortem(monitor, found.case or found.id, resources), markup=False, soft_wrap=True)
    return 0
