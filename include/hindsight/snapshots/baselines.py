"""Frozen references: the tables of a baseline become visible together, with its manifest, and never change."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pyarrow as pa
from fsspec import AbstractFileSystem

from hindsight.errors import StoreError
from hindsight.snapshots.files import open_files
from hindsight.snapshots.parquet import DamagedError, about, decode, encode, without_version

_VERSION = 1
_MANIFEST = "manifest.json"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a baseline is: from rows known before `fitted_as_of`; `pin` holds small facts such as the model version."""

    id: str
    fitted_as_of: datetime
    tables: tuple[str, ...]
    pin: Mapping[str, str] = field(default_factory=dict)


class BaselineFiles:
    """Baselines below `<root>/baselines/<monitor>/<id>/`: one Parquet file a table, and a manifest written last."""

    def __init__(self, root: str, fs: AbstractFileSystem | None = None) -> None:
        self._files = open_files(root, fs)

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
        for name, table in tables.items():
            self._keep(f"{_folder(monitor, id)}/{_checked(name)}.parquet", table)
        manifest = Manifest(id, fitted_as_of.astimezone(UTC), tuple(sorted(tables)), dict(pin or {}))
        path = f"{_folder(monitor, id)}/{_MANIFEST}"
        created = self._files.put_new(path, _dump(manifest))
        if not created and self.manifest(monitor, id) != manifest:
            raise StoreError(f"{self._files.uri(path)}: the id {id} is taken by another baseline; choose a new one")
        return created

    def table(self, monitor: str, id: str, name: str) -> pa.Table:
        """Return one table of a baseline; raise StoreError where there is none or it cannot be read."""
        manifest = self.manifest(monitor, id)
        if name not in manifest.tables:
            raise StoreError(f"baseline {id} of {monitor} has no table {name!r}; it has {', '.join(manifest.tables)}")
        return self._read(f"{_folder(monitor, id)}/{name}.parquet")

    def ids(self, monitor: str) -> list[str]:
        """Return the ids of a monitor's baselines, oldest first by when they were fitted."""
        paths = (path.split("/") for path in self._files.listing(f"baselines/{_checked(monitor)}"))
        found = [self.manifest(monitor, id) for _, _, id, *rest in paths if rest == [_MANIFEST]]
        return [manifest.id for manifest in sorted(found, key=lambda manifest: (manifest.fitted_as_of, manifest.id))]

    def manifest(self, monitor: str, id: str) -> Manifest:
        """Return what a baseline is; raise StoreError where there is none or its manifest is damaged or newer."""
        path = f"{_folder(monitor, id)}/{_MANIFEST}"
        return _load(self._files.get(path), self._files.uri(path))

    def _keep(self, path: str, table: pa.Table) -> None:
        if not self._files.put_new(path, encode(table, {})) and not _same(self._read(path), table):
            raise StoreError(f"{self._files.uri(path)}: another table lies here; choose a new id for this baseline")

    def _read(self, path: str) -> pa.Table:
        return without_version(decode(self._files.get(path), self._files.uri(path)))


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
        "tables": list(manifest.tables),
        "pin": dict(manifest.pin),
    }
    return json.dumps(facts, indent=1, sort_keys=True, allow_nan=False).encode()


def _load(data: bytes, uri: str) -> Manifest:
    try:
        facts = json.loads(data)
        version, tables = facts["version"], tuple(facts["tables"])
        manifest = Manifest(facts["id"], datetime.fromisoformat(facts["fitted_as_of"]), tables, facts["pin"])
    except (ValueError, KeyError, TypeError) as exc:
        raise DamagedError(f"{uri}: not a whole manifest: {exc}") from exc
    if version > _VERSION:
        raise StoreError(f"{uri}: written by a newer Hindsight (format {version}, this one reads {_VERSION}); upgrade")
    return manifest
