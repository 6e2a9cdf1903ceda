"""The upgrade command: tables and files of an earlier Hindsight are made new, and what is closed is folded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from hindsight.commands.chosen import MaybeName, chosen
from hindsight.commands.console import counted, err, out, print_json
from hindsight.settings import read_settings


def upgrade(
    monitor: MaybeName = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> int:
    """Bring the ledger's tables and all snapshot files to this version, and fold what is closed; may be repeated."""
    from hindsight.airflow.connections import open_resources
    from hindsight.pipeline.act.folding import fold_snapshots, renew_snapshots

    settings = read_settings()
    resources = open_resources(settings)  # opening the ledger upgrades its tables
    now, names = datetime.now(UTC), [one.name for one in chosen(monitor, settings)]
    steps: dict[str, Callable[[str], dict[str, Any]]] = {
        "renewed": lambda name: renew_snapshots(name, resources, now=now),
        "folded": lambda name: fold_snapshots(name, resources, now=now),
    }
    found = {}
    for name in names:
        found[name] = {step: take(name) for step, take in steps.items()}
        if not as_json:
            _tell(name, found[name])
    if as_json:
        print_json(found)
    return 1 if any(taken["faults"] for steps in found.values() for taken in steps.values()) else 0


def _tell(name: str, steps: dict[str, dict[str, Any]]) -> None:
    removed = sum(taken["folded"] for taken in steps.values())
    out.print(f"{name}: {counted(removed, 'file')} folded" if removed else f"{name}: nothing to fold", markup=False)
    for fault in dict.fromkeys(fault for taken in steps.values() for fault in taken["faults"]):
        err.print(f"  left as it is: {fault}", style="yellow", markup=False)
