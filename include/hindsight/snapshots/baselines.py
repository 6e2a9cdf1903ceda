"""Frozen references: the tables of a baseline become visible together, with its manifest, and never change."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache

import pyarrow as pa
from fsspec import AbstractFileSystem

from hindsight.errors import StoreError
from hindsight.snapshots.files import open_files
from hindsight.snapshots.parquet import DamagedError, about, decode, encode, without_version
from hindsight.snapshots.port import MissingError

_VERSION = 2  # 1 had a file for each table
PACK_BYTES = 4 * 2**20  # of the tables that share a pack; a larger one has its own
_MANIFEST = "manifest.json"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a baseline is: from rows known before `fitted_as_of`; `tables` says of each in which file it lies, `pin`
    holds small facts such as the model version."""

    id: str
    fitted_as_of: datetime
    tables: Mapping[str, str]
    pin: Mapping[str, str] = field(default_factory=dict)


class BaselineFiles:
    """Baselines below `<root>/baselines/<monitor>/<id>/`: their tables in packs, and a manifest written last.

    A pack is a zip archive of Parquet files: one request fetches many small tables from a store.
    """

    def __init__(self, root: str, fs: AbstractFileSystem | None = None) -> None:
        self._files = open_files(root, fs)
        self._pack = lru_cache(maxsize=1)(self._files.get)  # tables are asked for in the order they are packed in

    def write(
        self,
        monitor: str,
        id: str,
        tables: Mapping[str, pa.Table],
        *,
        fitted_as_of: datetime,
        pin: Mapping[str, str] | None = None,
    ) -> bool:
        """Keep a baseline under an id; return False where the same one is there already.

        A writer that was cut off may be repeated. Raises StoreError where the id holds other tables or facts.
        """
        folder = _folder(monitor, id)
        places = {_checked(name): "" for name in sorted(tables)}  # where each lies is known when it is encoded
        manifest = Manifest(id, fitted_as_of.astimezone(UTC), places, dict(pin or {}))
        if self._holds(folder, manifest, tables):
            return False
        for number, pack in enumerate(_packs(tables)):
            places |= dict.fromkeys(pack, f"tables-{number}.zip")
            if not self._files.put_new(f"{folder}/tables-{number}.zip", _zipped(pack)):
                for name in pack:
                    self._compare(folder, places, {name: tables[name]})
        created = self._files.put_new(f"{folder}/{_MANIFEST}", _dump(manifest))
        return created or not self._holds(folder, manifest, tables)

    def table(self, monitor: str, id: str, name: str) -> pa.Table:
        """Return one table of a baseline; raise StoreError where there is none or it cannot be read."""
        manifest = self.manifest(monitor, id)
        if name not in manifest.tables:
            raise StoreError(f"baseline {id} of {monitor} has no table {name!r}; it has {', '.join(manifest.tables)}")
        return self._read(_folder(monitor, id), manifest.tables[name], name)

    def ids(self, monitor: str) -> list[str]:
        """Return the ids of a monitor's baselines, oldest first by when they were fitted."""
        paths = (path.split("/") for path in self._files.listing(f"baselines/{_checked(monitor)}"))
        found = [self.manifest(monitor, id) for _, _, id, *rest in paths if rest == [_MANIFEST]]
        return [manifest.id for manifest in sorted(found, key=lambda manifest: (manifest.fitted_as_of, manifest.id))]

    def manifest(self, monitor: str, id: str) -> Manifest:
        """Return what a baseline is; raise StoreError where there is none or its manifest is damaged or newer."""
        return self._manifest(_folder(monitor, id))

    def _manifest(self, folder: str) -> Manifest:
        path = f"{folder}/{_MANIFEST}"
        return _load(self._files.get(path), self._files.uri(path))

    def _holds(self, folder: str, manifest: Manifest, tables: Mapping[str, pa.Table]) -> bool:
        """Whether this baseline is there; raise StoreError where another one is."""
        try:
            there = self._manifest(folder)
        except MissingError:
            return False
        if there.tables.keys() == manifest.tables.keys():
            self._compare(folder, there.tables, tables)
        if replace(there, tables=manifest.tables) != manifest or there.tables.keys() != manifest.tables.keys():
            uri = self._files.uri(f"{folder}/{_MANIFEST}")
            raise StoreError(f"{uri}: the id {manifest.id} is taken by another baseline; choose a new one")
        return True

    def _compare(self, folder: str, places: Mapping[str, str], tables: Mapping[str, pa.Table]) -> None:
        for name, table in tables.items():
            if not _same(self._read(folder, places[name], name), table):
                uri = self._files.uri(f"{folder}/{places[name]}")
                raise StoreError(f"{uri}: another table {name!r} lies here; choose a new id for this baseline")

    def _read(self, folder: str, place: str, name: str) -> pa.Table:
        path, uri = f"{folder}/{place}", self._files.uri(f"{folder}/{place}")
        if not place.endswith(".zip"):  # as tables lay before they were packed
            return without_version(decode(self._files.get(path), uri))
        return without_version(decode(_unzipped(self._pack(path), name, uri), f"{uri}/{name}"))


def _packs(tables: Mapping[str, pa.Table]) -> Iterator[dict[str, bytes]]:
    """Yield the tables that share a pack, in order of their names; no more than one pack is in memory."""
    pack: dict[str, bytes] = {}
    for name in sorted(tables):
        encoded = encode(tables[name], {})
        if pack and sum(map(len, pack.values())) + len(encoded) > PACK_BYTES:
            yield pack
            pack = {}
        pack[name] = encoded
    if pack:
        yield pack


def _zipped(contents: Mapping[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as pack:  # Parquet is compressed already
        for name, content in contents.items():
            pack.writestr(zipfile.ZipInfo(f"{name}.parquet"), content)
    return sink.getvalue()


def _unzipped(data: bytes, name: str, uri: str) -> bytes:
    """Return a member of a pack: never more bytes than the pack has, for it is stored as it is."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as pack:
            if pack.getinfo(f"{name}.parquet").compress_type != zipfile.ZIP_STORED:
                raise DamagedError(f"{uri}: its tables are not stored as they are, refused")
            return pack.read(f"{name}.parquet")
    except (zipfile.BadZipFile, KeyError, EOFError, NotImplementedError) as exc:
        raise DamagedError(f"{uri}: not a whole pack of tables: {exc}") from exc


def _same(there: pa.Table, table: pa.Table) -> bool:
    """Compare values and what is said of them; Parquet numbers nested fields, so their own metadata may differ."""
    return bool(there.equals(table)) and about(there.schema) == about(table.schema)


def _folder(monitor: str, id: str) -> str:
    return f"baselines/{_checked(monitor)}/{_checked(id)}"


def _checked(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise StoreError(
            f"{name!r}: a baseline, its monitor and its tables are named by letters, digits, '_', '.', '-'"
        )
    return name


def _dump(manifest: Manifest) -> bytes:
    facts = {
        "version": _VERSION,
        "id": manifest.id,
        "fitted_as_of": manifest.fitted_as_of.isoformat(),
        "tables": dict(manifest.tables),
        "pin": dict(manifest.pin),
    }
    return json.dumps(facts, indent=1, sort_keys=True, allow_nan=False).encode()


def _load(data: bytes, uri: str) -> Manifest:
    try:
        facts = json.loads(data)
        version, tables = facts["version"], facts["tables"]
        if version == 1:
            tables = {name: f"{name}.parquet" for name in tables}
        manifest = Manifest(facts["id"], datetime.fromisoformat(facts["fitted_as_of"]), dict(tables), facts["pin"])
    except (ValueError, KeyError, TypeError) as exc:
        raise DamagedError(f"{uri}: not a whole manifest: {exc}") from exc
    if version > _VERSION:
        raise StoreError(f"{uri}: written by a newer Hindsight (format {version}, this one reads {_VERSION}); upgrade")
    return manifest
