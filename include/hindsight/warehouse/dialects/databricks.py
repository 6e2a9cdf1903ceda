"""Databricks: Spark SQL over a warehouse of its own, with a limit for statements."""

from __future__ import annotations

from datetime import timedelta

from hindsight.warehouse.dialects.spark import Spark


class Engine(Spark):
    """Databricks SQL by its own driver."""

    package = "databricks-sqlalchemy"
    form = "databricks://token:…@host?http_path=…&catalog=…&schema=…"

    def session(self, timeout: timedelta) -> list[str]:
        return [*super().session(timeout), f"SET STATEMENT_TIMEOUT = {max(1, round(timeout.total_seconds()))}"]
