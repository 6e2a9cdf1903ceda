"""Complaints: what is wrong with a store, in words: what it lacks, what was expected of it, and what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.utils import get_protocol

CLIENTS = {"s3": "s3fs", "s3a": "s3fs", "abfs": "adlfs", "abfss": "adlfs", "az": "adlfs", "gs": "gcsfs", "gcs": "gcsfs"}
CONTAINERS = {"s3fs": "bucket", "adlfs": "container", "gcsfs": "bucket"}
NO_STORES = {"http", "https", "webdav", "dir", "hdfs", "webhdfs", "ftp", "sftp", "ssh"}  # read at best, or replaced
_LONGEST = 300  # characters of what a client says
_ELSEWHERE = (
    "keep HINDSIGHT_DATA in a folder, or on a store that can: S3 (s3://), Azure Blob Storage (abfs://) or Google Cloud "
    "Storage (gs://), see docs/stores.md"
)
_CREDENTIALS = "give its credentials in the environment or as connection hindsight_data, see docs/stores.md"
_REFUSED = re.compile(
    r"credentials|access ?denied|forbidden|unauthori[sz]ed|not authori[sz]ed|authenticat", re.IGNORECASE
)
_SHORTEST = 3  # shorter texts would blot out ordinary words
_USERINFO = re.compile(r"://[^/@]*:[^/@]*@")
_SECRET = re.compile(r"key|secret|token|password|credential|connection_string", re.IGNORECASE)


def unopened(root: str, cause: Exception, options: Mapping[str, Any]) -> str:
    """Say that there is no way to a root: its client is missing, or it is no store to begin with."""
    protocol = get_protocol(root)
    client = CLIENTS.get(protocol)
    if protocol in NO_STORES:  # whatever else is wrong with it
        return f"{shown(root)}: {protocol}:// cannot create a file only where there is none; {_ELSEWHERE}"
    if client is None:
        do = _ELSEWHERE
    elif isinstance(cause, ImportError):
        do = f"install its client, pip install {client}"
    else:
        do = _CREDENTIALS
    return f"{shown(root)}: cannot be opened: {said(cause, options)}; {do}"


def is_no_store(fs: AbstractFileSystem) -> bool:
    """Say whether files of this kind can be read at best: a web server answers a create by replacing, if at all."""
    return bool({*_protocols(fs)} & NO_STORES)


def client_of(fs: AbstractFileSystem) -> str:
    """Return the client that a store on the list is reached by, "" for any other."""
    return next((CLIENTS[protocol] for protocol in _protocols(fs) if protocol in CLIENTS), "")


def incapable(uri: str, fs: AbstractFileSystem) -> str:
    """Say that the client of a store knows no way to create a file only where there is none."""
    return f"{shown(uri)}: {type(fs).__name__} cannot create a file only where there is none; {_ELSEWHERE}"


def replacing(uri: str, fs: AbstractFileSystem) -> str:
    """Say that a store replaces files although asked not to, and what of it is to be asked for."""
    asked = {
        "s3fs": "use a server that honours If-None-Match, as AWS S3 does",
        "gcsfs": "use a server that honours ifGenerationMatch, as Google Cloud Storage does",
        "adlfs": "use a server that honours If-None-Match on Put Blob, as Azure does",
    }
    return (
        f"{shown(uri)}: the store replaces files although asked to create them, so two runs could overwrite each "
        f"other's numbers; {asked.get(client_of(fs), _ELSEWHERE)}"
    )


def no_container(uri: str, name: str, fs: AbstractFileSystem) -> str:
    """Say that the bucket or container of a root does not exist; none is created here."""
    what = CONTAINERS[client_of(fs)]
    return (
        f"{shown(uri)}: there is no {what} {name!r}; create it, for Hindsight creates none, or correct HINDSIGHT_DATA"
    )


def said(cause: BaseException, options: Mapping[str, Any]) -> str:
    """Return what a client's error says, in one line, without the secrets among the options the client was given."""
    text = " ".join(str(cause).split()) or type(cause).__name__
    for secret in secrets_of(options):
        text = text.replace(secret, "***")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def advised(cause: BaseException, options: Mapping[str, Any]) -> str:
    """Return what a client's error says and, where the store does not know who is asking, what to do."""
    text = said(cause, options)
    return f"{text}; {_CREDENTIALS}" if _REFUSED.search(text) else text


def shown(uri: str) -> str:
    """Return an address without the name and password that may stand in it."""
    return _USERINFO.sub("://***@", uri)


def secrets_of(options: object, name: str = "") -> list[str]:
    """Return the texts that stand under names of secrets in a client's options, however deep."""
    if isinstance(options, Mapping):
        return [text for key, value in options.items() for text in secrets_of(value, f"{name} {key}")]
    is_secret = isinstance(options, str) and len(options) > _SHORTEST and _SECRET.search(name)
    return [str(options)] if is_secret else []


def _protocols(fs: AbstractFileSystem) -> tuple[str, ...]:
    return (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)
