"""The models and rollback commands: what the registry holds of a monitor's model, and the way back."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hindsight.commands.chosen import Name
from hindsight.commands.console import out, print_json, user
from hindsight.errors import ConfigError
from hindsight.monitors.loader import load_monitor
from hindsight.settings import read_settings

if TYPE_CHECKING:
    from hindsight.ledger.records import Progress
    from hindsight.training.grade import Grade
    from hindsight.training.registry import ModelVersion


def models(
    monitor: Name, as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False
) -> int:
    """List the versions of a monitor's model: stage, training rows, comparison, its first weeks, approval, digest."""
    from hindsight import terminal
    from hindsight.airflow.connections import open_resources
    from hindsight.pipeline.judge.trials import grades_of

    settings = read_settings()
    watched, resources = load_monitor(monitor, settings.monitors), open_resources(settings)
    requests = {one.request.key: one for one in resources.ledger.requests(watched.name)}
    found = resources.registry.versions(watched.name)
    grades = grades_of(watched, found, datetime.now(UTC), resources)
    if as_json:
        print_json([_plain(one, requests.get(one.request_key or ""), grades.get(one.version)) for one in found])
    elif found:
        out.print(terminal.models([(one, requests.get(one.request_key or "")) for one in found], grades))
    else:
        out.print(f"no version of {watched.name} is registered: retraining makes the first one")
    return 0


def _plain(version: ModelVersion, request: Progress | None, grade: Grade | None) -> dict[str, Any]:
    return {
        "version": version.version,
        "stage": str(version.stage),
        "trained_from": version.trained_from,
        "trained_to": version.trained_to,
        "rows": version.n_rows,
        "metrics": dict(version.metrics),
        "promoted_at": version.promoted_at,
        "grade": asdict(grade) | {"mark": grade.mark.name.lower()} if grade else None,
        "rolled_back_at": version.rolled_back_at,
        "asked_by": request.request.asked_by if request else "",
        "decided_by": request.decided_by if request else "",
        "incidents": list(version.incidents),
        "artifact": version.artifact,
        "sha256": version.sha256,
    }


def rollback(
    monitor: Name,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="kept on record and mailed")],
    to: Annotated[
        str | None, typer.Option("--to", metavar="VERSION", help="not the last good champion but this")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> int:
    """Put an earlier champion back in production; the reference is frozen anew, and people are told."""
    from hindsight.airflow.connections import open_resources
    from hindsight.pipeline.act.rollback import roll_back

    if not why.strip():
        raise ConfigError("--why says nothing: others will ask why the model went back")
    settings = read_settings()
    watched, resources = load_monitor(monitor, settings.monitors), open_resources(settings)
    done = roll_back(watched, resources, at=datetime.now(UTC), by=user(), why=why.strip(), to=to)
    if as_json:
        print_json({"monitor": watched.name, "left": done.left, "restored": done.restored, "at": done.at})
    else:
        out.print(f"{watched.name}: {done.restored} is the champion again, in the place of {done.left}", markup=False)
        out.print("Tell what serves the model: it finds the file with hindsight models", style="dim")
    return 0
