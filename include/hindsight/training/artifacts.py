"""Artifacts: models kept as skops archives, named by their content and loaded only when nothing in them is unknown.

A skops archive holds arrays and a schema of type names, never pickled code. The SHA-256 in the registry is compared
before a byte is parsed, and every type must be known to skops as harmless, be one of `TRUSTED`, or named by the caller.
"""

from __future__ import annotations

import hashlib
import importlib
import posixpath
import warnings
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from zipfile import BadZipFile

from hindsight.errors import StoreError, TrainingError

TRUSTED = (
    "functools.partial",  # what it wraps is a type of its own in the archive and audited as such
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
    "sklearn.utils.validation.check_array",
)


@dataclass(frozen=True, slots=True)
class Artifact:
    """A stored model: where it lies and the SHA-256 (hex) of its bytes."""

    uri: str
    sha256: str


def save_model(model: Any, folder: str, *, trusted: Iterable[str] = ()) -> Artifact:
    """Store a fitted estimator under `folder` (a path or fsspec URI) as `<sha256>.skops`.

    Raises TrainingError when the estimator holds types that could not be loaded again, StoreError when the store
    cannot be written.
    """
    try:
        data = _skops().dumps(model, compression=zipfile.ZIP_DEFLATED)
    except (TypeError, ValueError, AttributeError, NotImplementedError) as exc:
        raise TrainingError(f"a {_type_name(model)} cannot be stored without pickle: {exc}") from exc
    _refuse_unknown(data, trusted, what=f"the trained {_type_name(model)}")
    digest = hashlib.sha256(data).hexdigest()
    uri = posixpath.join(folder, f"{digest}.skops")
    _write(uri, data)
    return Artifact(uri, digest)


def load_model(artifact: Artifact, *, trusted: Iterable[str] = ()) -> Any:
    """Return the estimator kept at `artifact`; `trusted` are type names of the user's own, added to `TRUSTED`.

    Raises StoreError when the file is missing or is not the one recorded, TrainingError naming every unknown type.
    """
    data = _read(artifact.uri)
    found = hashlib.sha256(data).hexdigest()
    if found != artifact.sha256:
        raise StoreError(
            f"{artifact.uri}: expected SHA-256 {artifact.sha256}, found {found}: the file was changed or cut short "
            "after it was registered; roll back to another version or train again"
        )
    known = _refuse_unknown(data, trusted, what=artifact.uri)
    return _skops().loads(data, trusted=known)


def _skops() -> Any:
    """Import skops, which then asks every module loaded for its names; what some of them say to that is not ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("skops.io")


def _refuse_unknown(data: bytes, trusted: Iterable[str], *, what: str) -> list[str]:
    try:
        named = _skops().get_untrusted_types(data=data)
    except (BadZipFile, KeyError, ValueError, TypeError) as exc:
        raise TrainingError(f"{what} is not a skops archive: {exc}") from exc
    unknown = sorted(set(named) - {*TRUSTED, *trusted})
    if unknown:
        raise TrainingError(
            f"{what} holds types that are not trusted: {', '.join(unknown)}; build it from scikit-learn and numpy "
            "parts, or name them as trusted where the model is loaded"
        )
    return list(named)


def _type_name(model: object) -> str:
    return f"{type(model).__module__}.{type(model).__qualname__}"


def _write(uri: str, data: bytes) -> None:
    import fsspec.core

    try:
        fs, path = fsspec.core.url_to_fs(uri)
        fs.makedirs(posixpath.dirname(path), exist_ok=True)
        with fs.transaction, fs.open(path, "wb") as file:
            file.write(data)
    except OSError as exc:
        raise StoreError(f"{uri}: the model could not be written: {exc}") from exc


def _read(uri: str) -> bytes:
    import fsspec.core

    try:
        fs, path = fsspec.core.url_to_fs(uri)
        data: bytes = fs.cat_file(path)
    except OSError as exc:
        raise StoreError(f"{uri}: the model could not be read: {exc}") from exc
    return data
