"""Back up ledger and store as one moment, while everything goes on.

Why what is copied belongs together: every writer puts its file into the store before it writes the row that speaks of
it, and files never change. So the ledger is read first, in one transaction that sees one moment, and the store is
listed after it: what the ledger of that moment speaks of lies there by then. What came later is copied too where it is
named by no row (a snapshot, a remembered label); a restored Hindsight finds it as a run finds the file of one that died
before judging: the same numbers give the same file, and they are judged then. Reports and models are copied by name, as
the ledger has them.

Only two things take a file away. Folding does when all that is in it lies in a larger file: so the store is listed
again after it was copied, until no file was missing and no fold has come meanwhile; a listing during which nothing was
folded lacks nothing. Retention does: what expired while the copy ran is not in it, or still is, and expires again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime

import sqlalchemy as sa

from hindsight import __version__
from hindsight.errors import StoreError
from hindsight.ledger import tables
from hindsight.ledger.portable import read_parts
from hindsight.pipeline.act.copies import (
    DATA,
    FORMAT,
    LEDGER,
    LISTED,
    LISTING,
    MANIFEST,
    NAMED,
    READERS,
    Copied,
    Manifest,
    copied,
    dump,
    dump_listing,
    read_whole,
)
from hindsight.pipeline.resources import Resources
from hindsight.snapshots.files import open_files
from hindsight.snapshots.names import FoldName, parse_path
from hindsight.snapshots.parquet import encode
from hindsight.snapshots.port import Files, MissingError

_ATTEMPTS = 20
Parts = Mapping[str, Sequence[tuple[Copied, int]]]


def backup(destination: str, resources: Resources, *, now: datetime) -> Manifest:
    """Copy ledger and store to an empty folder or address; return what was copied.

    Raises StoreError where the destination is not empty, lies inside the store, or cannot be written. What breaks off
    leaves no manifest, and is no backup.
    """
    target = open_files(destination)
    _refuse(target, resources.files)
    parts, named = _copy_ledger(resources, target)
    files, missing = _copy_files(resources, target, named)
    listing = _put(target, LISTING, dump_listing(files))
    manifest = Manifest(
        format=FORMAT,
        hindsight=__version__,
        ledger=tables.HEAD,
        made_at=now.isoformat(),
        rows={name: sum(rows for _, rows in some) for name, some in parts.items()},
        parts={name: [part for part, _ in some] for name, some in parts.items()},
        listing=listing,
        files=len(files),
        bytes=sum(one.bytes for one in files),
        missing=missing,
    )
    _put(target, MANIFEST, dump(manifest))
    return manifest


def _refuse(target: Files, store: Files) -> None:
    if there := target.listing():
        raise StoreError(f"{target.uri('')}: is not empty ({there[0]} …): a backup needs a folder of its own")
    place = target.uri("")
    if any(place.startswith(store.uri(f"{top}/")) for top in (*LISTED, *NAMED)):
        raise StoreError(f"{place}: lies inside the store that is backed up; choose another place")


def _copy_ledger(resources: Resources, target: Files) -> tuple[Parts, set[str]]:
    """Copy every table as of one moment; return the parts of each, and the files that rows of that moment name."""
    parts: dict[str, list[tuple[Copied, int]]] = defaultdict(list)
    named: set[str] = set()
    with resources.ledger.at_one_moment() as connection:
        for table in LEDGER:
            for number, rows in enumerate(read_parts(connection, table)):
                data = encode(rows, {})
                parts[table.name].append((_put(target, f"ledger/{table.name}/{number}.parquet", data), len(rows)))
            named |= _names(connection, table)
    return parts, named


def _names(connection: sa.Connection, table: sa.Table) -> set[str]:
    """Return the paths below the data root that the rows of a table name; a whole address is another's file."""
    columns = [table.c[name] for name in ("uri", "artifact") if name in table.c]
    found = {path for column in columns for path in connection.execute(sa.select(column)).scalars()}
    return {path for path in found if path.startswith(tuple(f"{top}/" for top in NAMED))}


def _copy_files(resources: Resources, target: Files, named: set[str]) -> tuple[list[Copied], list[str]]:
    """Copy the files of the store; return them, and those that rows name and the store has not."""
    done: dict[str, Copied] = {}
    there = _listed(resources.files)
    for _ in range(_ATTEMPTS):
        wanted = {path for path in there if path in named or not path.startswith(tuple(NAMED))}
        whole = _copy(resources.settings.data, target, wanted - done.keys(), done)
        after = _listed(resources.files)
        if whole and _folds(after) <= _folds(there):
            _drop(target, done.keys() - wanted)
            return [done[path] for path in sorted(wanted)], sorted(named - there)
        there = after
    raise StoreError("the store was folded all the time while it was copied; try again", transient=True)


def _copy(root: str, target: Files, paths: Iterable[str], done: dict[str, Copied]) -> bool:
    """Copy files, eight at once, and note them; False where one was gone."""

    def one(path: str) -> tuple[str, Copied | None]:
        with suppress(MissingError):
            return path, _put(target, f"{DATA}/{path}", read_whole(root, path), as_path=path)
        return path, None

    with ThreadPoolExecutor(READERS) as readers:
        found = dict(readers.map(one, sorted(paths)))
    done |= {path: said for path, said in found.items() if said is not None}
    return None not in found.values()


def _put(target: Files, path: str, data: bytes, *, as_path: str | None = None) -> Copied:
    if not target.put_new(path, data):
        raise StoreError(f"{target.uri(path)}: somebody else writes here; choose a folder of its own")
    return copied(as_path or path, data)


def _drop(target: Files, paths: Iterable[str]) -> None:
    """Delete from the copy what was folded after it was copied: its rows are there a second time."""
    for path in paths:
        target.remove(f"{DATA}/{path}")


def _listed(store: Files) -> set[str]:
    return {path for top in (*LISTED, *NAMED) for path in store.listing(top)}


def _folds(paths: Iterable[str]) -> set[str]:
    return {path for path in paths if isinstance(parse_path(path), FoldName)}
