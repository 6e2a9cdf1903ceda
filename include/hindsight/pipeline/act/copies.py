"""What a backup is: rows of the ledger and files of the store as they lay, and a manifest that is written last.

manifest.json            what there is, how much of it, and of which version; without it there is no backup
files.parquet            every file of the store: path, bytes, sha256
ledger/<table>/<n>.parquet  the rows of a table, in parts
data/<path>              the files of the store under their own names
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256

import pyarrow as pa

from hindsight.errors import StoreError
from hindsight.ledger import tables
from hindsight.ledger.upgrade import known_steps
from hindsight.snapshots.files import open_files
from hindsight.snapshots.parquet import decode, encode
from hindsight.snapshots.port import MissingError
from hindsight.training import registry
from hindsight.training.artifacts import located, read_archive

FORMAT = 1
MANIFEST, LISTING, DATA = "manifest.json", "files.parquet", "data"
MODELS = "models"
LISTED, NAMED = ("snapshots", "baselines", "labels"), ("reports", MODELS)  # folders; the ledger names files of the last
OTHERS = (registry.TABLE,)  # made where they are missing, by no step of the ledger
LEDGER = (*tables.metadata.sorted_tables, *OTHERS)
READERS = 8
_LIST = pa.schema([("path", pa.string()), ("bytes", pa.int64()), ("sha256", pa.string())])


@dataclass(frozen=True, slots=True)
class Copied:
    """A file as it was copied."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a backup holds: `parts` are the files with the rows of each table, `missing` files named in vain."""

    format: int
    hindsight: str
    ledger: str
    made_at: str
    rows: Mapping[str, int]
    parts: Mapping[str, Sequence[Copied]]
    listing: Copied
    files: int
    bytes: int
    missing: Sequence[str] = ()


def read_whole(root: str, path: str) -> bytes:
    """Return a file below a root; a model may be larger than all else. Raises MissingError where there is none."""
    if f"/{MODELS}/" not in f"/{path}":
        return open_files(root).get(path)
    try:
        return read_archive(located(root, path))
    except StoreError as exc:
        if isinstance(exc.__cause__, FileNotFoundError):
            raise MissingError(str(exc)) from exc
        raise


def copied(path: str, data: bytes) -> Copied:
    """Return what there is to say of a file with this content."""
    return Copied(path, len(data), sha256(data).hexdigest())


def verified(root: str, said: Copied, *, below: str = "") -> bytes:
    """Return a file of a backup; raise StoreError where it is missing, cut short or changed."""
    place = f"{below}/{said.path}" if below else said.path
    try:
        data = read_whole(root, place)
    except MissingError as exc:
        raise StoreError(f"{_uri(root, place)}: is missing from the backup: {_USELESS}") from exc
    if copied(said.path, data) != said:
        raise StoreError(f"{_uri(root, place)}: is not the file that was backed up (its SHA-256 differs): {_USELESS}")
    return data


def dump(manifest: Manifest) -> bytes:
    """Return a manifest as JSON."""
    return json.dumps(asdict(manifest), indent=1, sort_keys=True).encode()


def load(root: str) -> Manifest:
    """Return the manifest of a backup; raise StoreError where there is no whole one, or one of another version."""
    uri = _uri(root, MANIFEST)
    try:
        facts = json.loads(open_files(root).get(MANIFEST))
        _refuse_other(facts["format"], facts["ledger"], facts["hindsight"], uri)
        parts = {name: [Copied(**part) for part in some] for name, some in facts.pop("parts").items()}
        return Manifest(**facts | {"listing": Copied(**facts["listing"]), "parts": parts})
    except MissingError as exc:
        raise StoreError(f"{uri}: no such file: there is no backup here, or one that never ended") from exc
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise StoreError(f"{uri}: not the manifest of a backup: {exc}") from exc


def _refuse_other(form: object, ledger: object, hindsight: object, uri: str) -> None:
    if form != FORMAT or (ledger != tables.HEAD and ledger not in known_steps()):
        raise StoreError(
            f"{uri}: made by Hindsight {hindsight} (format {form}, ledger {ledger}); this one reads format {FORMAT}, "
            f"ledgers up to {tables.HEAD} - restore it with the version that made it, or a newer one"
        )


def dump_listing(files: Iterable[Copied]) -> bytes:
    """Return the list of a backup's files as Parquet."""
    return encode(pa.Table.from_pylist([asdict(one) for one in files], schema=_LIST), {})


def load_listing(root: str, manifest: Manifest) -> list[Copied]:
    """Return the list of a backup's files."""
    table = decode(verified(root, manifest.listing), _uri(root, LISTING))
    return [Copied(**row) for row in table.to_pylist()]


_USELESS = "the backup is not whole and nothing was restored - use another"


def _uri(root: str, path: str) -> str:
    return open_files(root).uri(path)
