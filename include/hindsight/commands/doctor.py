"""The doctor command: the state of every part, for a person or for what watches over Hindsight itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from hindsight.commands.console import out, print_json
from hindsight.errors import LedgerError
from hindsight.monitors.loader import load_folder, require_folder
from hindsight.settings import read_settings


def doctor(
    connection: Annotated[
        str, typer.Option("--connection", help="try this warehouse alone, and the logs that monitors read by it")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> int:
    """Look at every part: files, ledger, store, warehouses, mail, DAGs; exit with 1 where one is not well."""
    from hindsight import terminal
    from hindsight.airflow.connections import open_resources
    from hindsight.pipeline.show.doctor import Part, examine

    settings = read_settings()
    loaded = load_folder(require_folder(settings.monitors))
    try:
        parts = examine(loaded, open_resources(settings), now=datetime.now(UTC), only=connection)
    except LedgerError as exc:  # without it nothing else can be looked at
        parts = [Part("ledger", well=False, said=str(exc))]
    if as_json:
        print_json([part.to_dict() for part in parts])
    else:
        out.print(terminal.doctor(parts))
    return 0 if all(part.well for part in parts) else 1
