"""Resources: everything a use case reads from or writes to, opened once and handed down."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache, lru_cache, wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import sqlalchemy as sa
from fsspec import AbstractFileSystem

from hindsight.errors import ConfigError
from hindsight.ledger.ledger import Ledger
from hindsight.monitors.model import Monitor
from hindsight.settings import Settings
from hindsight.snapshots.baselines import BaselineFiles
from hindsight.snapshots.files import open_files
from hindsight.snapshots.names import folder_of
from hindsight.snapshots.port import Files
from hindsight.snapshots.seen import TOP as LABELS
from hindsight.snapshots.seen import SeenLabels
from hindsight.snapshots.store import SnapshotStore
from hindsight.training.registry import Registry
from hindsight.warehouse.connect import Source, open_engine

if TYPE_CHECKING:  # what only looks does not wait for what sends
    from hindsight.messages.alertmanager import Alertmanager
    from hindsight.messages.smtp_mailer import Mailer

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def no_channel(connection: str) -> Any:
    """Raise ConfigError: no channel is known here."""
    raise ConfigError(f"no channel {connection!r} is known here: what is to be told there waits")


@dataclass(frozen=True, slots=True)
class Resources:
    """What the use cases of one monitor work on; `mailer` is None where no SMTP connection is declared."""

    settings: Settings
    warehouse_source: Callable[[str], Source]
    ledger: Ledger
    registry: Registry
    mailer: Mailer | None = None
    pii_key: bytes | None = None
    fs: AbstractFileSystem | None = None  # of the data root, where a connection made it
    channel: Callable[[str], Mailer] = no_channel  # what hands messages to the channel of a connection
    alertmanager: Callable[[str], Alertmanager] = no_channel  # what alerts are posted to

    @property
    def files(self) -> Files:
        """All files below the data root."""
        return open_files(self.settings.data, self.fs)

    @property
    def store(self) -> SnapshotStore:
        """The snapshots of all monitors."""
        return _store(self.settings.data, self.fs)

    @property
    def baselines(self) -> BaselineFiles:
        """The frozen references of all monitors."""
        return _baselines(self.settings.data, self.fs)

    @property
    def seen(self) -> SeenLabels:
        """The labels remembered of sources that keep no times of arrival."""
        return SeenLabels(self.settings.data, self.fs)

    def remembering(self, monitor: str) -> AbstractContextManager[None]:
        """Until the end, ask a store that answers by the request only once for what it has of a monitor."""
        baselines = (f"baselines/{name}" for name in (monitor, f"{monitor}.kpis"))
        return self.files.remembering(folder_of(monitor), *baselines, f"{LABELS}/monitor={monitor}")

    def forget(self) -> None:
        """Forget which snapshots folded files hold: for those who measure what looking it up costs."""
        _store.cache_clear()

    def warehouse(self, connection: str) -> sa.Engine:
        """The engine behind a monitor's connection id, the same one every time it is asked for."""
        return _engine(self.warehouse_source(connection))


def remembering(use_case: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let a use case of one monitor, which is given with its resources by position, ask the store only once."""

    @wraps(use_case)
    def once(*args: Arguments.args, **named: Arguments.kwargs) -> Result:
        resources = next(arg for arg in args if isinstance(arg, Resources))
        monitor = next(arg.name for arg in args if isinstance(arg, Monitor))
        with resources.remembering(monitor):
            return use_case(*args, **named)

    return once


_engine = cache(open_engine)
_baselines = lru_cache(maxsize=8)(BaselineFiles)
_store = lru_cache(maxsize=8)(SnapshotStore)  # it keeps the lists of folded files, which never change, at hand
