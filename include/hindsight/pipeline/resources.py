"""Resources: everything a use case reads from or writes to, opened once and handed down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache

import sqlalchemy as sa

from hindsight.ledger.ledger import Ledger
from hindsight.messages.smtp_mailer import Mailer
from hindsight.settings import Settings
from hindsight.snapshots.baselines import BaselineFiles
from hindsight.snapshots.files import open_files
from hindsight.snapshots.port import Files
from hindsight.snapshots.seen import SeenLabels
from hindsight.snapshots.store import SnapshotStore
from hindsight.training.registry import Registry
from hindsight.warehouse.connect import open_engine


@dataclass(frozen=True, slots=True)
class Resources:
    """What the use cases of one monitor work on; `mailer` is None where no SMTP connection is declared."""

    settings: Settings
    warehouse_url: Callable[[str], sa.URL]
    ledger: Ledger
    registry: Registry
    mailer: Mailer | None = None
    pii_key: bytes | None = None

    @property
    def files(self) -> Files:
        """What lies below the data root."""
        return open_files(self.settings.data)

    @property
    def store(self) -> SnapshotStore:
        """The snapshots of all monitors."""
        return _store(self.settings.data)

    @property
    def baselines(self) -> BaselineFiles:
        """The frozen references of all monitors."""
        return BaselineFiles(self.settings.data)

    @property
    def seen(self) -> SeenLabels:
        """The labels remembered of sources that keep no times of arrival."""
        return SeenLabels(self.settings.data)

    def warehouse(self, connection: str) -> sa.Engine:
        """The engine behind a monitor's connection id, the same one every time it is asked for."""
        return _engine(self.warehouse_url(connection))


_engine = cache(open_engine)
_store = lru_cache(maxsize=8)(SnapshotStore)  # it keeps the lists of folded files, which never change, at hand
