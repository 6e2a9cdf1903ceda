"""Restore a backup into an empty store and an empty ledger, wherever they are: all is verified before any is written.

Files first, the ledger last and in one transaction: what breaks off leaves an empty ledger, and files that the next
attempt refuses to write over.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import sqlalchemy as sa

from hindsight.errors import LedgerError, StoreError
from hindsight.ledger.connect import lock
from hindsight.ledger.portable import count_on, holding_rows, insert_part
from hindsight.pipeline.act.copies import (
    DATA,
    LEDGER,
    LISTED,
    NAMED,
    READERS,
    Copied,
    Manifest,
    load,
    load_listing,
    verified,
)
from hindsight.pipeline.resources import Resources
from hindsight.snapshots.parquet import decode
from hindsight.snapshots.port import Files


def restore(source: str, resources: Resources) -> Manifest:
    """Write what a backup holds into the store and the ledger of `resources`; return what it held.

    Raises StoreError for a backup that is not whole or of another version, and where the store is not empty,
    LedgerError where the ledger is not; nothing is written then.
    """
    manifest = load(source)
    files = load_listing(source, manifest)
    _refuse_used(resources, files)
    parts = [part for some in manifest.parts.values() for part in some]
    with ThreadPoolExecutor(READERS) as readers:
        for _ in readers.map(partial(_weigh, source), parts):
            pass
        for _ in readers.map(partial(_weigh, source, below=DATA), files):
            pass
        for _ in readers.map(partial(_write, source, resources.files), files):
            pass
    _fill(source, manifest, resources)
    return manifest


def _refuse_used(resources: Resources, files: Sequence[Copied]) -> None:
    if strange := [one.path for one in files if one.path.partition("/")[0] not in (*LISTED, *NAMED)]:
        raise StoreError(f"{strange[0]}: no file of a store; this backup was not made by Hindsight")
    if there := [path for top in (*LISTED, *NAMED) for path in resources.files.listing(top)]:
        raise StoreError(
            f"{resources.files.uri('')}: is not empty ({there[0]} …): nothing is restored over what is there - "
            "set HINDSIGHT_DATA to an empty folder, or delete what an attempt that broke off has left"
        )
    with resources.ledger.reading() as connection:
        _refuse_rows(connection)


def _refuse_rows(connection: sa.Connection) -> None:
    if used := holding_rows(connection, LEDGER):
        raise LedgerError(
            f"the ledger is not empty ({', '.join(used)}): nothing is restored over what is there - point connection "
            "hindsight_ledger at an empty database",
            transient=False,
        )


def _weigh(source: str, said: Copied, *, below: str = "") -> None:
    verified(source, said, below=below)


def _write(source: str, target: Files, said: Copied) -> None:
    if not target.put_new(said.path, verified(source, said, below=DATA)):
        raise StoreError(f"{target.uri(said.path)}: was written by somebody else; stop it, and empty the folder")


def _fill(source: str, manifest: Manifest, resources: Resources) -> None:
    with resources.ledger.writing() as connection:
        lock(connection, "schema")
        _refuse_rows(connection)
        for table in LEDGER:
            for part in manifest.parts.get(table.name, ()):
                rows = decode(verified(source, part), f"{source}/{part.path}")
                insert_part(connection, table, rows)
            count_on(connection, table)
