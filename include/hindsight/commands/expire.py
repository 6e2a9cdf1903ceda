"""The expire command: what retention says has expired, listed first and deleted when asked to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hindsight.commands.chosen import MaybeName, chosen
from hindsight.commands.console import counted, err, out, print_json
from hindsight.settings import read_settings

if TYPE_CHECKING:
    from hindsight.pipeline import Resources
    from hindsight.pipeline.act.expiry import Expiry

WORDS = {
    "snapshots": "snapshot file",
    "verdicts": "verdict",
    "labels": "file of remembered label",
    "reports": "report",
    "models": "model",
    "messages": "mail text",
}


def expire(
    monitor: MaybeName = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="list what has expired, and delete nothing")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> int:
    """Delete what has expired by `retention`, as maintenance does every hour; --dry-run lists it first."""
    from hindsight.airflow.connections import open_resources
    from hindsight.pipeline.act import retention

    settings, now = read_settings(), datetime.now(UTC)
    resources, watched = open_resources(settings), chosen(monitor, settings)
    if dry_run:
        _list([retention.expiry(one, resources, now=now) for one in watched], as_json=as_json)
        return 0
    return _report({one.name: retention.expire(one, resources, now=now) for one in watched}, resources, as_json=as_json)


def _list(found: list[tuple[Expiry, dict[str, int]]], *, as_json: bool) -> None:
    if as_json:
        print_json([_plain(expiry) | {"counts": counts} for expiry, counts in found])
        return
    for expiry, counts in found:
        out.print(f"{expiry.monitor}: {_said(counts)}{_until(expiry)}", soft_wrap=True, markup=False)
        for place in _places(expiry):
            out.print(f"  {place}", soft_wrap=True, markup=False)


def _report(gone: dict[str, dict[str, Any]], resources: Resources, *, as_json: bool) -> int:
    """Say what went; exit with 1 where something could not be deleted."""
    if as_json:
        print_json([{"monitor": name, "horizon": resources.ledger.horizon(name)} | one for name, one in gone.items()])
    for name, one in () if as_json else gone.items():
        out.print(f"{name}: {_said(one)} deleted", markup=False)
    faults = [fault for one in gone.values() for fault in one.get("faults", ())]
    for fault in faults:
        err.print(f"could not be deleted: {fault}", style="red", markup=False)
    return 1 if faults else 0


def _said(counts: dict[str, Any]) -> str:
    return ", ".join(counted(counts[kind], word) for kind, word in WORDS.items() if counts.get(kind)) or "nothing"


def _until(expiry: Expiry) -> str:
    if expiry.horizon is None:
        return ""
    return f"; run, labels and show --as-of would refuse what is before {expiry.horizon:%Y-%m-%d %H:%M} UTC"


def _places(expiry: Expiry) -> list[str]:
    """The places of all files that would go."""
    models = [version.artifact for version in expiry.models]
    return [*expiry.files, *expiry.labels, *(report.uri for report in expiry.reports), *models]


def _plain(expiry: Expiry) -> dict[str, Any]:
    return {"monitor": expiry.monitor, "horizon": expiry.horizon, "files": _places(expiry)}
