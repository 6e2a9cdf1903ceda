"""Registry: every version of every model with its training data, numbers and lineage; at most one champion each.

A partial unique index makes a second champion impossible; promotion locks the model's versions first, so that of two
racing promotions the later one wins whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from hindsight.errors import LedgerError, SupersededError, TrainingError


class Stage(StrEnum):
    """Where a version stands: proposed, in production, or kept to look back on and roll back to."""

    CANDIDATE = "candidate"
    CHAMPION = "champion"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version of one monitor's model; [trained_from, trained_to) is the time of the rows it was trained on.

    `incidents` and `request_key` say why it was trained, `created_at` when that was asked for: of two versions the one
    asked for later is the newer. `rolled_back_at` says that it was champion and found wanting.
    """

    monitor: str
    version: str
    trained_from: datetime
    trained_to: datetime
    n_rows: int
    metrics: Mapping[str, Any]
    artifact: str
    sha256: str
    created_at: datetime
    incidents: tuple[str, ...] = ()
    request_key: str | None = None
    stage: Stage = Stage.CANDIDATE
    promoted_at: datetime | None = None
    rolled_back_at: datetime | None = None


class _Moment(sa.TypeDecorator[datetime]):
    """Aware UTC on every database: SQLite forgets the zone, PostgreSQL answers in the session's."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


_MINUTE = "%Y-%m-%d %H:%M UTC"
_SCHEMA_LOCK = 7_301_902_644  # any number of our own: two first starts must not both create the table
_metadata = sa.MetaData()
_versions = sa.Table(
    "model_versions",
    _metadata,
    sa.Column("monitor", sa.String(63), primary_key=True),
    sa.Column("version", sa.String(100), primary_key=True),
    sa.Column("stage", sa.String(20), nullable=False),
    sa.Column("trained_from", _Moment, nullable=False),
    sa.Column("trained_to", _Moment, nullable=False),
    sa.Column("n_rows", sa.BigInteger, nullable=False),
    sa.Column("metrics", sa.JSON, nullable=False),
    sa.Column("artifact", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("incidents", sa.JSON, nullable=False),
    sa.Column("request_key", sa.String(64)),
    sa.Column("created_at", _Moment, nullable=False),
    sa.Column("promoted_at", _Moment),
    sa.Column("rolled_back_at", _Moment),
)
sa.Index(
    "model_versions_one_champion",
    _versions.c.monitor,
    unique=True,
    postgresql_where=_versions.c.stage == Stage.CHAMPION.value,
    sqlite_where=_versions.c.stage == Stage.CHAMPION.value,
)

TABLE = _versions  # for backups


class Registry:
    """The model versions kept in the ledger's database."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def create(self) -> None:
        """Make the table where it is missing; any number of processes may do so at once."""
        with _reachable():
            with self._reading() as connection:
                if sa.inspect(connection).has_table(_versions.name):
                    return
            with self._engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_SCHEMA_LOCK)))
                _metadata.create_all(connection)

    def register(self, version: ModelVersion) -> ModelVersion:
        """Record a candidate; a version of that name already there is returned unchanged, so a retry adds nothing.

        Raises TrainingError when its metrics hold something JSON has no word for, such as NaN.
        """
        _check_metrics(version)
        with _reachable():
            try:
                with self._engine.begin() as connection:
                    connection.execute(sa.insert(_versions).values(**_row(replace(version, stage=Stage.CANDIDATE))))
            except IntegrityError:
                return self.version(version.monitor, version.version)
        return replace(version, stage=Stage.CANDIDATE)

    def version(self, monitor: str, version: str) -> ModelVersion:
        """Return one version; TrainingError when there is none of that name."""
        with _reachable(), self._reading() as connection:
            return _one(connection, monitor, version)

    def made_for(self, monitor: str, request_key: str) -> ModelVersion | None:
        """Return the version that was registered for a request, None before there is one."""
        wanted = (_versions.c.monitor == monitor) & (_versions.c.request_key == request_key)
        with _reachable(), self._reading() as connection:
            row = connection.execute(sa.select(_versions).where(wanted)).first()
        return None if row is None else _version(row)

    def versions(self, monitor: str) -> list[ModelVersion]:
        """Return every version of a monitor's model, oldest first."""
        query = sa.select(_versions).where(_versions.c.monitor == monitor)
        with _reachable(), self._reading() as connection:
            rows = connection.execute(query.order_by(_versions.c.created_at, _versions.c.version))
            return [_version(row) for row in rows]

    def champion(self, monitor: str) -> ModelVersion | None:
        """Return the version in production, None before the first promotion."""
        with _reachable(), self._reading() as connection:
            return champion_of(connection, monitor)

    def promote(self, monitor: str, version: str, *, at: datetime) -> ModelVersion:
        """Make `version` the champion and archive the one before it, in one transaction; a repeat changes nothing.

        Raises SupersededError, and leaves the champion, where this would go back: `version` was champion before, or is
        older than the champion. To go back on purpose there is `put_back`.
        """
        with _reachable(), self._engine.begin() as connection:
            _lock(connection, monitor)
            wanted, champion = _one(connection, monitor, version), champion_of(connection, monitor)
            if wanted.stage is Stage.CHAMPION:
                return wanted
            _refuse_the_past(wanted, champion)
            _retire(connection, monitor)
            return _crown(connection, wanted, at)

    def earlier(self, monitor: str, to: str | None = None) -> ModelVersion:
        """Return the version a rollback would put back: `to`, or the newest earlier champion not itself rolled back.

        Raises TrainingError as `put_back` does.
        """
        with _reachable(), self._reading() as connection:
            return _oncechampion_of(connection, monitor, to) if to else _last_good(connection, monitor)

    def remove(self, version: ModelVersion, delete: Callable[[], None]) -> bool:
        """Take a version out of the register, and its file by `delete`; False, and neither, where it is the champion.

        The version is held until its file is gone: nobody promotes it meanwhile.
        """
        one = (_versions.c.monitor == version.monitor) & (_versions.c.version == version.version)
        with _reachable(), self._engine.begin() as connection:
            _lock(connection, version.monitor)
            gone = connection.execute(sa.delete(_versions).where(one, _versions.c.stage != Stage.CHAMPION.value))
            if gone.rowcount:
                delete()
        return bool(gone.rowcount)

    def _reading(self) -> sa.Connection:
        """A connection that waits for no writer, where the ledger's SQLite tells readers and writers apart."""
        return self._engine.connect().execution_options(reading=True)


def put_back(connection: sa.Connection, monitor: str, *, at: datetime, to: str | None = None) -> ModelVersion:
    """Put a version back in production: `to`, or the newest earlier champion that was not itself rolled back.

    It happens in a transaction of the ledger, with what else belongs to it. Raises TrainingError when there is none,
    and where `to` never was champion or is it now.
    """
    _lock(connection, monitor)
    wanted = _oncechampion_of(connection, monitor, to) if to else _last_good(connection, monitor)
    _retire(connection, monitor, rolled_back_at=at)
    return _crown(connection, wanted, at)


@contextmanager
def _reachable() -> Iterator[None]:
    """Turn a database that cannot be reached or used into a LedgerError."""
    try:
        yield
    except DBAPIError as exc:
        raise LedgerError(f"the model registry (table model_versions of the ledger): {exc.orig}") from exc


def _lock(connection: sa.Connection, monitor: str) -> None:
    """Hold every version of the monitor until the transaction ends; a write first, for SQLite has no FOR UPDATE."""
    connection.execute(sa.update(_versions).where(_versions.c.monitor == monitor).values(monitor=monitor))


def _refuse_the_past(wanted: ModelVersion, champion: ModelVersion | None) -> None:
    """Raise SupersededError where making `wanted` the champion would put an older or a retired model in its place."""
    if champion is None:
        return
    end = f"{champion.version} is the champion and stays - ask for a new retraining"
    if gone := wanted.rolled_back_at:
        raise SupersededError(f"{wanted.version} was rolled back on {gone:{_MINUTE}}; {end}")
    if once := wanted.promoted_at:
        raise SupersededError(f"{wanted.version} was made champion on {once:{_MINUTE}} and had its time; {end}")
    if champion.created_at > (asked := wanted.created_at):
        later = f"{champion.created_at:{_MINUTE}}"
        raise SupersededError(f"{wanted.version} was asked for on {asked:{_MINUTE}}, the champion on {later}; {end}")


def _retire(connection: sa.Connection, monitor: str, **values: Any) -> None:
    champion = (_versions.c.monitor == monitor) & (_versions.c.stage == Stage.CHAMPION.value)
    connection.execute(sa.update(_versions).where(champion).values(stage=Stage.ARCHIVED.value, **values))


def _crown(connection: sa.Connection, version: ModelVersion, at: datetime) -> ModelVersion:
    one = (_versions.c.monitor == version.monitor) & (_versions.c.version == version.version)
    connection.execute(
        sa.update(_versions).where(one).values(stage=Stage.CHAMPION.value, promoted_at=at, rolled_back_at=None)
    )
    return replace(version, stage=Stage.CHAMPION, promoted_at=at, rolled_back_at=None)


def champion_of(connection: sa.Connection, monitor: str) -> ModelVersion | None:
    """Return the version in production as a transaction of the ledger sees it."""
    champion = (_versions.c.monitor == monitor) & (_versions.c.stage == Stage.CHAMPION.value)
    row = connection.execute(sa.select(_versions).where(champion)).one_or_none()
    return None if row is None else _version(row)


def _one(connection: sa.Connection, monitor: str, version: str) -> ModelVersion:
    one = (_versions.c.monitor == monitor) & (_versions.c.version == version)
    row = connection.execute(sa.select(_versions).where(one)).one_or_none()
    if row is None:
        raise TrainingError(f"{monitor}: the registry holds no version {version!r}")
    return _version(row)


def _last_good(connection: sa.Connection, monitor: str) -> ModelVersion:
    """Return the newest earlier champion that was not itself rolled back."""
    earlier = (
        sa.select(_versions)
        .where(_versions.c.monitor == monitor, _versions.c.stage == Stage.ARCHIVED.value)
        .where(_versions.c.promoted_at.is_not(None), _versions.c.rolled_back_at.is_(None))
        .order_by(_versions.c.promoted_at.desc(), _versions.c.version.desc())
    )
    row = connection.execute(earlier.limit(1)).one_or_none()
    if row is None:
        raise TrainingError(f"{monitor}: there is no earlier champion to roll back to")
    return _version(row)


def _oncechampion_of(connection: sa.Connection, monitor: str, version: str) -> ModelVersion:
    """Return a version that was champion and is not now."""
    found = _one(connection, monitor, version)
    if found.stage is Stage.CHAMPION:
        raise TrainingError(f"{monitor}: {version} is the champion already")
    if found.promoted_at is None:
        raise TrainingError(f"{monitor}: {version} never was in production - a retraining promotes it, not a rollback")
    return found


def _version(row: sa.Row[Any]) -> ModelVersion:
    fields = dict(row._mapping)
    return ModelVersion(**fields | {"stage": Stage(fields["stage"]), "incidents": tuple(fields["incidents"])})


def _row(version: ModelVersion) -> dict[str, Any]:
    fields = {column.name: getattr(version, column.name) for column in _versions.columns}
    return fields | {
        "stage": version.stage.value,
        "metrics": dict(version.metrics),
        "incidents": list(version.incidents),
    }


def _check_metrics(version: ModelVersion) -> None:
    try:
        json.dumps(dict(version.metrics), allow_nan=False)
    except (ValueError, TypeError) as exc:
        raise TrainingError(f"{version.monitor} {version.version}: metrics cannot be kept as JSON: {exc}") from exc
