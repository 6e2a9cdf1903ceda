"""MariaDB, under the name SQLAlchemy has for it."""

from __future__ import annotations

from hindsight.warehouse.dialects.mysql import Engine

__all__ = ["Engine"]
