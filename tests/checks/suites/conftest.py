"""Here too `database_url` is every database, MariaDB where it is installed."""

from __future__ import annotations

from tests.warehouse.conftest import database_url

__all__ = ["database_url"]
