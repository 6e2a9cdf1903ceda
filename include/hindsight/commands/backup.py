"""The backup and restore commands: ledger and store as one moment, copied away and brought back anywhere."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from hindsight.commands.console import counted, err, out, print_json
from hindsight.settings import read_settings

if TYPE_CHECKING:
    from hindsight.pipeline.act.copies import Manifest

Json = Annotated[bool, typer.Option("--json", help="print JSON for machines")]

_SAID = ("made_at", "hindsight", "ledger", "rows", "files", "bytes", "missing")


def backup(
    destination: Annotated[str, typer.Argument(metavar="DEST", help="an empty folder or address, s3://… too")],
    as_json: Json = False,
) -> int:
    """Copy ledger and store, as they are at one moment, to an empty folder or address; nothing need be stopped."""
    from hindsight.airflow.connections import open_resources
    from hindsight.pipeline.act import backup

    made = backup.backup(destination, open_resources(read_settings()), now=datetime.now(UTC))
    _say(made, f"backed up to {destination}", as_json=as_json)
    for path in made.missing:
        err.print(f"warning: {path} is named in the ledger and not in the store", style="yellow", markup=False)
    return 0


def restore(
    source: Annotated[str, typer.Argument(metavar="SRC", help="where the backup lies")], as_json: Json = False
) -> int:
    """Bring a backup back into an empty HINDSIGHT_DATA and an empty ledger, be they of another kind or elsewhere."""
    from hindsight.airflow.connections import open_resources
    from hindsight.pipeline.act import restore

    settings = read_settings()
    held = restore.restore(source, open_resources(settings))
    _say(held, f"of {held.made_at[:16].replace('T', ' ')} UTC restored into {settings.data}", as_json=as_json)
    return 0


def _say(manifest: Manifest, what: str, *, as_json: bool) -> None:
    if as_json:
        plain = asdict(manifest)
        print_json({name: plain[name] for name in _SAID})
        return
    rows = counted(sum(manifest.rows.values()), "row")
    files = f"{counted(manifest.files, 'file')} ({manifest.bytes / 2**20:,.1f} MB)"
    out.print(f"{rows} of the ledger and {files} {what}", soft_wrap=True, markup=False)
