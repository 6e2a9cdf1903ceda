"""Restore a backup into an empty store and an empty ledger, wherever they are: all is verified before any is written.

Files first, the ledger last and in one transaction: what breaks off leaves an empty ledger, and files that the next
attempt refuses to write over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial

import pyarrow as pa
import sqlalchemy as sa

from hindsight.errors import LedgerError, StoreError
from hindsight.ledger import tables
from hindsight.ledger.connect import lock
from hindsight.ledger.earlier import Rows, upgraded
from hindsight.ledger.portable import count_on, holding_rows, insert_part
from hindsight.pipeline.act.copies import (
    DATA,
    LEDGER,
    LISTED,
    NAMED,
    OTHERS,
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

    Rows of an earlier version of the ledger are upgraded on the way. Raises StoreError for a backup that is not whole
    or of a newer version, and where the store is not empty, LedgerError where the ledger is not; nothing is written
    then.
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
        with _rows_of(source, manifest) as rows:
            for _ in readers.map(partial(_write, source, resources.files), files):
                pass
            _fill(rows, resources)
    return manifest


@contextmanager
def _rows_of(source: str, manifest: Manifest) -> Iterator[Rows]:
    """Yield what gives the rows of a table as this Hindsight has them, whichever version they were copied from."""

    def copied(name: str) -> Iterator[pa.Table]:
        for part in manifest.parts.get(name, ()):
            yield decode(verified(source, part), f"{source}/{part.path}").replace_schema_metadata()

    if manifest.ledger == tables.HEAD:
        yield lambda table: copied(table.name)
        return
    with ExitStack() as until:
        with _in_words(source, manifest):
            parts = {name: copied(name) for name in manifest.parts}
            rows = until.enter_context(upgraded(manifest.ledger, parts, OTHERS))
        yield rows


@contextmanager
def _in_words(source: str, manifest: Manifest) -> Iterator[None]:
    try:
        yield
    except (ValueError, sa.exc.IntegrityError) as exc:
        raise StoreError(f"{source}: its rows are not those of a ledger {manifest.ledger}: {exc}") from exc


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


def _fill(rows: Rows, resources: Resources) -> None:
    with resources.ledger.writing() as connection:
        lock(connection, "schema")
        _refuse_rows(connection)
        for table in LEDGER:
            for part in rows(table):
                insert_part(connection, table, part)
            count_on(connection, table)
