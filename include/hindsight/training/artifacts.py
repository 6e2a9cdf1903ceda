"""Artifacts: models kept as skops archives, named by their content and loaded only when nothing in them is unknown.

A skops archive holds arrays and a schema of type names, never pickled code. The SHA-256 in the registry is compared
before a byte is parsed, and every type must be known to skops as harmless, be known to `hindsight.training.trust`, or
be named by the caller: the monitor file's `trusted`.
"""

from __future__ import annotations

import hashlib
import importlib
import posixpath
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from zipfile import BadZipFile

from hindsight.errors import StoreError, TrainingError
from hindsight.training.trust import is_known

DAMAGED = (AttributeError, BadZipFile, ImportError, LookupError, RecursionError, TypeError, ValueError, zlib.error)


@dataclass(frozen=True, slots=True)
class Artifact:
    """A stored model: where it lies and the SHA-256 (hex) of its bytes."""

    uri: str
    sha256: str


class Shelf(Protocol):
    """Files that are created whole and never replaced, where models are put."""

    def uri(self, path: str) -> str:
        """Return the whole address of a file."""
        ...

    def put_new(self, path: str, data: bytes) -> bool:
        """Create a file; return False, and change nothing, where one is there."""
        ...

    def get(self, path: str) -> bytes:
        """Return the content of a file."""
        ...


def located(root: str, place: str) -> str:
    """Return the address of a model that the register names by its place below the data root, which may move.

    What is named by a whole address (a path from `/` on, or a URI) lies where it says.

    >>> located("s3://bucket/data", "models/credit/k/0a.skops")
    's3://bucket/data/models/credit/k/0a.skops'
    """
    return place if "://" in place else posixpath.join(root, place)


def save_model(model: Any, shelf: Shelf, folder: str, *, trusted: Iterable[str] = ()) -> Artifact:
    """Store a fitted estimator in a folder of the shelf as `<sha256>.skops`.

    `trusted` are full names of types (or functions) of the user's own. Raises TrainingError when the estimator holds
    types that could not be loaded again, StoreError when the store cannot be written, or holds something else there.
    """
    data = archive(model, trusted=trusted)
    digest = hashlib.sha256(data).hexdigest()
    path = f"{folder}/{digest}.skops"
    if not shelf.put_new(path, data) and shelf.get(path) != data:
        raise StoreError(f"{shelf.uri(path)}: not the model its name says; delete it and train again")
    return Artifact(shelf.uri(path), digest)


def archive(model: Any, *, trusted: Iterable[str] = ()) -> bytes:
    """Return a fitted estimator as the bytes of an archive; TrainingError where it could not be loaded again."""
    try:
        data: bytes = _skops().dumps(model, compression=zipfile.ZIP_DEFLATED)
    except (TypeError, ValueError, AttributeError, NotImplementedError, RecursionError) as exc:
        raise TrainingError(f"a {_type_name(model)} cannot be kept without pickle: {exc}") from exc
    _refuse_unknown(data, trusted, what=f"the trained {_type_name(model)}")
    return data


def load_model(
    artifact: Artifact, *, trusted: Iterable[str] = (), storage_options: Mapping[str, Any] | None = None
) -> Any:
    """Return the estimator kept at `artifact`; `trusted` are type names of the user's own.

    `storage_options` are those of the store's fsspec client, where the environment does not say them.

    Raises StoreError when the file is missing or is not the one recorded, TrainingError naming every unknown type, and
    where the model was made by another scikit-learn than the one installed, which may read it differently.
    """
    data = read_archive(artifact.uri, storage_options)
    found = hashlib.sha256(data).hexdigest()
    if found != artifact.sha256:
        raise StoreError(
            f"{artifact.uri}: expected SHA-256 {artifact.sha256}, found {found}: the file was changed or cut short "
            "after it was registered; roll back to another version or train again"
        )
    known = _refuse_unknown(data, trusted, what=artifact.uri)
    return _rebuilt(data, known, what=artifact.uri)


def _rebuilt(data: bytes, known: list[str], *, what: str) -> Any:
    from sklearn.exceptions import InconsistentVersionWarning

    with warnings.catch_warnings():
        warnings.simplefilter("error", InconsistentVersionWarning)
        try:
            return _skops().loads(data, trusted=known)
        except InconsistentVersionWarning as exc:
            raise TrainingError(
                f"{what} was made with scikit-learn {exc.original_sklearn_version}, installed is "
                f"{exc.current_sklearn_version}: types are known of the installed one only; install that or train again"
            ) from exc
        except DAMAGED as exc:
            raise TrainingError(f"{what} cannot be rebuilt: {type(exc).__name__}: {exc}") from exc


def _skops() -> Any:
    """Import skops, which then asks every module loaded for its names; what some of them say to that is not ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("skops.io")


def _refuse_unknown(data: bytes, trusted: Iterable[str], *, what: str) -> list[str]:
    try:
        named: list[str] = _skops().get_untrusted_types(data=data)
    except DAMAGED as exc:
        raise TrainingError(f"{what} is not a skops archive: {exc}") from exc
    own = set(trusted)
    if unknown := [name for name in named if name not in own and not is_known(name)]:
        raise TrainingError(f"{what} holds types that are not trusted: {', '.join(unknown)}; {_way_out(unknown)}")
    return named


def _way_out(unknown: Iterable[str]) -> str:
    """What to do about types that are not trusted."""
    nameless = [name for name in unknown if "<" in name or name.startswith("__main__.")]
    if nameless:
        return f"{', '.join(nameless)} cannot be found again: make it a function or class of a module on PYTHONPATH"
    return (
        "build it from scikit-learn and numpy parts, or, where they are your own and rebuilding them runs nothing you "
        f"would not run, write in the monitor file trusted: [{', '.join(unknown)}]"
    )


def _type_name(model: object) -> str:
    return f"{type(model).__module__}.{type(model).__qualname__}"


def read_archive(uri: str, options: Mapping[str, Any] | None = None) -> bytes:
    """Return the bytes of a kept model, however large; raise StoreError where they cannot be read."""
    import fsspec.core

    try:
        fs, path = fsspec.core.url_to_fs(uri, **(options or {}))
        data: bytes = fs.cat_file(path)
    except Exception as exc:  # the boundary to a store's client, whose errors have no common base
        raise StoreError(f"{uri}: the model could not be read: {exc}") from exc
    return data
