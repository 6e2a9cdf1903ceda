"""The retrain command: a person asks for a retraining; the relay starts it, and it goes the way of every request."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hindsight.commands.chosen import Name
from hindsight.commands.console import err, out, print_json, user
from hindsight.errors import ConfigError
from hindsight.monitors.loader import load_monitor
from hindsight.monitors.model import Monitor
from hindsight.monitors.times import moment_of
from hindsight.settings import read_settings
from hindsight.verdicts.retraining import key_of
from hindsight.vocabulary.windows import format_duration

if TYPE_CHECKING:
    from hindsight.verdicts.model import RetrainRequest


def retrain(
    monitor: Name,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="read by whoever approves, kept with the request")],
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="train on what was known then; on what is known now without")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> int:
    """Ask for a retraining; the relay starts it, with the same comparison and approval as one the rules ask for."""
    from hindsight import pipeline
    from hindsight.airflow.connections import open_resources

    settings, now = read_settings(), datetime.now(UTC)
    watched = load_monitor(monitor, settings.monitors)
    moment = moment_of(as_of, "--as-of") if as_of else now
    _require_sense(watched, why, moment, now)
    key = key_of(watched.name, "asked", user(), now.isoformat())
    request = pipeline.ask(watched, key, open_resources(settings), as_of=moment, by=user(), why=why, at=now, alone=True)
    if as_json:
        print_json(_plain(request))
        return 0
    if (noted := request.why.removeprefix(why.strip())) != "":
        err.print(f"warning: asked for{noted.removeprefix(',')}", style="yellow", markup=False)
    out.print(_next(watched, request), soft_wrap=True, markup=False)
    return 0


def _require_sense(monitor: Monitor, why: str, as_of: datetime, now: datetime) -> None:
    if not why.strip():
        raise ConfigError("--why says nothing: those who approve read why you ask for a retraining")
    if as_of > now:
        raise ConfigError(f"--as-of {as_of:%Y-%m-%d %H:%M} UTC lies in the future: labels may still arrive before it")
    if monitor.state == "archived":
        raise ConfigError(f"{monitor.name} is archived and has no DAGs - set state: active in its file to retrain it")


def _next(monitor: Monitor, request: RetrainRequest) -> str:
    """Say in a few lines what was asked for and what happens next."""
    patience = format_duration(monitor.retrain.cooldown) if monitor.retrain else ""
    approval = f"waits up to {patience} in Airflow for a person to approve it; without an answer the champion stays"
    better = approval if request.approval else "becomes the champion without asking anybody"
    told = f"mailed to {', '.join(monitor.alerts.email)}" if monitor.alerts.email else f"in the log of {request.dag}"
    return "\n".join(
        (
            f"{monitor.name}: retraining {request.key} is asked for by {request.asked_by}, on what was known at "
            f"{request.as_of:%Y-%m-%d %H:%M} UTC.",
            f"hindsight__relay starts its run {request.run_id} within two minutes, where Airflow's scheduler runs.",
            f"It trains and compares with the champion on later labelled rows. A better model {better}.",
            f"What comes of it is {told}.",
        )
    )


def _plain(request: RetrainRequest) -> dict[str, Any]:
    return {
        "request": request.key,
        "monitor": request.monitor,
        "dag": request.dag,
        "run_id": request.run_id,
        "as_of": request.as_of,
        "asked_by": request.asked_by,
        "why": request.why,
        "approval": request.approval,
    }
