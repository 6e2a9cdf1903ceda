"""The baseline command: what windows are compared with; frozen anew, or today's level taken as usual."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from hindsight.commands.chosen import Name, warn_of_moving
from hindsight.commands.console import out, print_json, user
from hindsight.errors import ConfigError
from hindsight.monitors.loader import load_monitor
from hindsight.monitors.times import moment_of
from hindsight.settings import read_settings
from hindsight.verdicts.acceptance import Acceptance

if TYPE_CHECKING:
    from hindsight.monitors.model import Monitor
    from hindsight.pipeline import Resources


def baseline(
    monitor: Name,
    refit: Annotated[bool, typer.Option("--refit", help="freeze the reference as it is now")] = False,
    accept: Annotated[bool, typer.Option("--accept", help="take today's level as usual: drift and news of it")] = False,
    rule: Annotated[str, typer.Option("--rule", help="accept for drift, drift_share or news only")] = "",
    feature: Annotated[str, typer.Option("--feature", help="accept for this column only")] = "",
    segment: Annotated[str, typer.Option("--segment", help="accept for this segment only: region=EU")] = "",
    until: Annotated[str | None, typer.Option("--until", help="not for good: it is expected until then")] = None,
    comment: Annotated[str, typer.Option("--comment", help="why it is accepted")] = "",
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", help="what is in force then, or with --refit and --accept from then on; now without"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> int:
    """Show what windows are compared with; freeze it anew, or take what drifted as usual from now on."""
    from hindsight.airflow.connections import open_resources

    settings = read_settings()
    watched, resources = load_monitor(monitor, settings.monitors), open_resources(settings)
    moment = moment_of(as_of, "--as-of") if as_of else datetime.now(UTC)
    if accept:
        end = moment_of(until, "--until") if until else None
        given = Acceptance(moment, user(), comment.strip(), rule, segment, feature, end)
        return _accept(watched, resources, given, as_json=as_json)
    if rule or feature or segment or until or comment:
        raise ConfigError("--rule, --feature, --segment, --until and --comment say what to --accept: add that")
    return _show(watched, resources, moment, refit=refit, as_json=as_json)


def _accept(watched: Monitor, resources: Resources, given: Acceptance, *, as_json: bool) -> int:
    from hindsight.ledger.acceptances import add_acceptance
    from hindsight.pipeline.act.answers import refuse_acceptance

    refuse_acceptance(watched, given)
    add_acceptance(resources.ledger, watched.name, given)
    if as_json:
        print_json({"monitor": watched.name, "accepted": str(given)})
    else:
        out.print(f"{watched.name}: {given}", markup=False)
    return 0


def _show(watched: Monitor, resources: Resources, moment: datetime, *, refit: bool, as_json: bool) -> int:
    from hindsight import terminal
    from hindsight.pipeline.show import baseline_contents

    if watched.reference is None:
        raise ConfigError(f"{watched.name}: its file declares no reference, so nothing is frozen")
    if refit:
        result = baseline_contents.refit(watched, resources, as_of=moment)
        print_json(result.to_dict()) if as_json else out.print(terminal.refitted(result))
        return 0
    warn_of_moving([watched], resources)
    state = baseline_contents.frozen(watched, resources, as_of=moment)
    print_json(state.to_dict()) if as_json else out.print(terminal.baseline(state))
    return 0
