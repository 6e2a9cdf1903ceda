"""Connections: Airflow's records of servers and secrets turned into what the rooms take; no secret enters a message.

The environment is asked first and without importing Airflow, so that the command line works where no Airflow runs.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import sqlalchemy as sa

from hindsight.errors import ConfigError, LedgerError
from hindsight.settings import Settings, read_settings

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

    from hindsight.messages.alertmanager import Alertmanager
    from hindsight.messages.smtp_mailer import Mailer
    from hindsight.pipeline.resources import Resources
    from hindsight.warehouse.connect import Source

LEDGER, SMTP, PII, DATA = "hindsight_ledger", "hindsight_smtp", "hindsight_pii", "hindsight_data"
METRICS = "hindsight_metrics"

_POSTGRES = {"postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2", "postgresql_psycopg"}
_FILES = {"sqlite", "duckdb"}
_LOGINS = {"s3fs": ("key", "secret"), "adlfs": ("account_name", "account_key")}  # what clients call them
_HOOK_ONLY = {"iam", "redshift", "redshift-serverless", "cursor", "aws_conn_id", "log_sql", "sqlalchemy_scheme"}


@dataclass(frozen=True, slots=True)
class Connection:
    """One Airflow connection, as plain fields; its password is in no repr."""

    id: str
    kind: str
    host: str = ""
    login: str = ""
    password: str = field(default="", repr=False)
    schema: str = ""
    port: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


def find(id: str) -> Connection | None:
    """Return the connection called `id`, or None where neither the environment nor Airflow knows it.

    AIRFLOW_CONN_<ID> holds a URI or JSON, as Airflow defines them. Airflow's own store is asked where an Airflow is:
    inside its processes, or with AIRFLOW_HOME set. Raises ConfigError naming the variable where its value is neither.
    """
    variable = f"AIRFLOW_CONN_{id.upper()}"
    if value := os.environ.get(variable):
        return _masked(_from_text(id, value, variable))
    return _from_airflow(id) if _airflow_is_here() else None


def require(id: str) -> Connection:
    """Return the connection called `id`; raise ConfigError that says how to make it."""
    if found := find(id):
        return found
    raise ConfigError(
        f"no connection {id!r} - add it in Airflow (Admin > Connections) or set AIRFLOW_CONN_{id.upper()}, "
        "for example postgresql://user:password@host:5432/database"
    )


def database_url(connection: Connection, settings: Settings) -> sa.URL:
    """Return the SQLAlchemy URL of a connection: PostgreSQL through psycopg, files by path, others by their type.

    A host that is a path is the folder of PostgreSQL's socket. A relative path of a file starts at `settings.root`.
    """
    if connection.kind in _FILES:
        path = "/".join(part for part in (connection.host, connection.schema) if part)
        if not path:
            raise ConfigError(
                f"connection {connection.id!r}: a {connection.kind} connection needs the path of its file as host"
            )
        return sa.URL.create(connection.kind, database=str(settings.root / path))
    options = {k: str(v) for k, v in connection.extra.items() if k not in _HOOK_ONLY and isinstance(v, str | int)}
    socket = connection.host.startswith("/")
    return sa.URL.create(
        "postgresql+psycopg" if connection.kind in _POSTGRES else connection.kind,
        username=connection.login or None,
        password=connection.password or None,
        host=None if socket else connection.host or None,
        port=connection.port,
        database=connection.schema or None,
        query=options | ({"host": connection.host} if socket else {}),
    )


def open_resources(settings: Settings | None = None) -> Resources:
    """Open everything the use cases work on, as the settings and the connections of this process say."""
    from hindsight.ledger.connect import open_engine
    from hindsight.ledger.ledger import Ledger
    from hindsight.pipeline.resources import Resources
    from hindsight.training.registry import Registry

    settings = settings or read_settings()
    ledger = Ledger(open_engine(ledger_url(settings)))
    ledger.create()
    registry = Registry(ledger.engine)
    registry.create()
    return Resources(
        settings=settings,
        warehouse_source=partial(warehouse_source, settings=settings),
        ledger=ledger,
        registry=registry,
        mailer=mailer(),
        pii_key=pii_key(),
        fs=data_filesystem(settings.data),
        channel=channel,
        alertmanager=alertmanager,
    )


def warehouse_source(id: str, settings: Settings) -> Source:
    """Return what opens the warehouse a monitor names: a URL, or where there is a provider for its type the hook.

    PostgreSQL, SQLite and DuckDB need no provider. Raises ConfigError where there is no such connection, and with the
    package to install where nothing here knows its type.
    """
    from hindsight.airflow.hooks import PROVIDERS, Hooked, hook_of
    from hindsight.warehouse.connect import require_known

    found = require(id)
    if found.kind in _POSTGRES or found.kind in _FILES:
        return database_url(found, settings)
    if hook := hook_of(found.kind):
        return Hooked(id, found.kind, hook, json.dumps(asdict(found), sort_keys=True, default=str))
    url = database_url(found, settings)
    require_known(url, id, PROVIDERS.get(found.kind, ""))
    return url


def open_warehouse(id: str, settings: Settings) -> sa.Engine:
    """Return an engine for the warehouse a monitor names, whose sessions can only read; errors as `warehouse_source`.

    Raises ConfigError where its driver is not installed, too.
    """
    from hindsight.warehouse.connect import open_engine

    return open_engine(warehouse_source(id, settings))


def ledger_url(settings: Settings) -> sa.URL:
    """Return the URL of the ledger: connection hindsight_ledger, else SQLite in the data folder.

    Raises ConfigError where snapshots lie in an object store, which cannot hold a SQLite file.
    """
    if found := find(LEDGER):
        return database_url(found, settings)
    if "://" in settings.data:
        raise ConfigError(
            f"HINDSIGHT_DATA is {settings.data.partition('://')[0]}://…, where no SQLite ledger can lie - "
            f"set connection {LEDGER} (AIRFLOW_CONN_{LEDGER.upper()}) to a PostgreSQL database"
        )
    return sa.URL.create("sqlite", database=str(Path(settings.data) / "ledger.db"))


def web_address() -> str:
    """Return where Airflow's pages are for people, without a slash at the end; "" where nobody says so."""
    if given := os.environ.get("AIRFLOW__API__BASE_URL"):
        return given.rstrip("/")
    if not _airflow_is_here():
        return ""
    from airflow.configuration import conf

    return str(conf.get("api", "base_url", fallback="") or "").rstrip("/")


def data_filesystem(root: str) -> AbstractFileSystem | None:
    """Return the client of a data root as connection hindsight_data describes it; None without one, or for a folder.

    Its extra are the client's options as fsspec takes them; login and password are the key and secret of S3, the name
    and key of an Azure account. Raises StoreError where the client cannot be made of them, and names no secret.
    """
    found = find(DATA) if "://" in root else None
    if found is None:
        return None
    from hindsight.snapshots.complaints import CLIENTS, secrets_of
    from hindsight.snapshots.files import open_filesystem

    names = _LOGINS.get(CLIENTS.get(root.partition("://")[0], ""), ())
    given = dict(zip(names, (found.login, found.password), strict=False))
    options = {name: value for name, value in given.items() if value} | dict(found.extra)
    _mask(*secrets_of(options))
    return open_filesystem(root, options)


def pii_key() -> bytes | None:
    """Return the key that hashes personal columns: the password of connection hindsight_pii, None without one."""
    found = find(PII)
    if found and not found.password:
        raise ConfigError(f"connection {PII!r} needs a password: it is the key personal columns are hashed with")
    return found.password.encode() if found else None


def mailer() -> Mailer | None:
    """Return what hands mail to the server of connection hindsight_smtp, None without one: mail then stays pending."""
    found = find(SMTP)
    if found is None:
        return None
    from hindsight.messages.smtp_mailer import SmtpMailer, settings_from

    return SmtpMailer(
        settings_from(
            host=found.host,
            port=found.port,
            login=found.login,
            password=found.password,
            extra=found.extra,
            connection=SMTP,
        )
    )


def channel(id: str) -> Mailer:
    """Return what hands messages to the channel of a connection of type apprise, whose password is Apprise's address.

    Raises ConfigError where there is no such connection, or it has no address.
    """
    from hindsight.messages.apprise_channel import AppriseChannel

    found = require_channel(id)
    url = found.password or str(found.extra.get("url", ""))
    _mask(url)
    if "://" not in url:
        raise ConfigError(f"connection {id!r}: its password is the address of a channel, such as slack://… or json://…")
    return AppriseChannel(id, url)


def alertmanager(id: str) -> Alertmanager:
    """Return the Alertmanager of a connection: its host, with https:// or without, its port, path as schema, login."""
    from hindsight.messages.alertmanager import Alertmanager

    found = require_channel(id)
    scheme, _, host = found.host.rpartition("://")
    if not host:
        raise ConfigError(f"connection {id!r}: an Alertmanager needs a host, such as https://alerts.example.com")
    scheme = scheme or str(found.extra.get("scheme", "http"))
    place = f"{scheme}://{host.rstrip('/')}" + (f":{found.port}" if found.port else "")
    path = f"/{found.schema.strip('/')}" if found.schema else ""
    return Alertmanager(id, place + path, found.login, found.password)


def require_channel(id: str) -> Connection:
    """Return the connection of a channel; raise ConfigError that says how to make it."""
    if found := find(id):
        return found
    raise ConfigError(
        f"no connection {id!r} for what is told there - add one of type apprise in Airflow (Admin > Connections), its "
        f"password an address such as slack://…, or set AIRFLOW_CONN_{id.upper()}; until then it waits"
    )


def _from_text(id: str, text: str, variable: str) -> Connection:
    try:
        return _from_json(id, text) if text.lstrip().startswith("{") else _from_uri(id, text)
    except (ValueError, TypeError, AttributeError):
        raise ConfigError(f"{variable} is neither a connection URI nor JSON with conn_type, host, login …") from None


def _from_json(id: str, text: str) -> Connection:
    fields = json.loads(text)
    extra = fields.get("extra") or {}
    return Connection(
        id=id,
        kind=_kind(fields.get("conn_type", "")),
        host=fields.get("host") or "",
        login=fields.get("login") or "",
        password=fields.get("password") or "",
        schema=fields.get("schema") or "",
        port=int(fields["port"]) if fields.get("port") else None,
        extra=json.loads(extra) if isinstance(extra, str) else dict(extra),
    )


def _from_uri(id: str, text: str) -> Connection:
    parts = urlsplit(text.strip())
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    host = query.pop("host", "") if "__extra__" not in query else ""
    return Connection(
        id=id,
        kind=_kind(parts.scheme),
        host=_host(parts.netloc) or host,
        login=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        schema=unquote(parts.path[1:]),
        port=parts.port,
        extra=json.loads(query["__extra__"]) if "__extra__" in query else query,
    )


def _host(netloc: str) -> str:
    """The host of an address, as it is written: a name, a quoted path, or an IPv6 address in brackets."""
    place = netloc.rpartition("@")[2]
    return place[1:].partition("]")[0] if place.startswith("[") else unquote(place.partition(":")[0])


def _kind(name: str) -> str:
    if not name:
        raise ValueError("a connection needs a type")
    return name.lower().replace("-", "_")


def _masked(connection: Connection) -> Connection:
    _mask(connection.password)
    return connection


def _mask(*secrets: str) -> None:
    if "airflow.sdk" in sys.modules:  # its task logs then star them out, as for connections it reads itself
        from airflow.sdk.log import mask_secret

        for secret in secrets:
            mask_secret(secret)


def _airflow_is_here() -> bool:
    return _in_task() or "AIRFLOW_HOME" in os.environ or "_AIRFLOW_PROCESS_CONTEXT" in os.environ


def _in_task() -> bool:
    return hasattr(sys.modules.get("airflow.sdk.execution_time.task_runner"), "SUPERVISOR_COMMS")


def _from_airflow(id: str) -> Connection | None:
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        found = _ask_supervisor(id) if _in_task() else _ask_store(id)
    except AirflowNotFoundException:
        return None
    return Connection(
        id=id,
        kind=_kind(found.conn_type or ""),
        host=found.host or "",
        login=found.login or "",
        password=found.password or "",
        schema=found.schema or "",
        port=found.port,
        extra=found.extra_dejson,
    )


def _ask_store(id: str) -> Any:
    from airflow.models.connection import Connection as StoredConnection

    return StoredConnection.get_connection_from_secrets(id)


def _ask_supervisor(id: str) -> Any:
    """Ask the way tasks must. Airflow says "not found" when its API server fails, too: then a ledger elsewhere would be
    taken for none at all and a second one begun, so an absence is confirmed."""
    from airflow.sdk import Connection as TaskConnection
    from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError, ErrorType
    from airflow.sdk.execution_time.comms import GetConnection
    from airflow.sdk.execution_time.task_runner import SUPERVISOR_COMMS

    try:
        return TaskConnection.get(id)
    except AirflowNotFoundException:
        try:
            SUPERVISOR_COMMS.send(GetConnection(conn_id=id))
        except AirflowRuntimeError as exc:
            if exc.error.error is not ErrorType.CONNECTION_NOT_FOUND:
                raise LedgerError(f"Airflow could not say whether connection {id!r} exists: {exc.error.error}") from exc
        raise
