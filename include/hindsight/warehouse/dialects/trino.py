"""Trino: moments are typed and never compared with texts, sessions take their zone and their limit by SET."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from hindsight.warehouse.dialects.generic import Column, Dialect


class Engine(Dialect):
    """Trino, whose sessions cannot be made read only: that is the business of its access control."""

    package = "trino[sqlalchemy]"
    form = "trino://user@host:8080/catalog/schema"
    streams = True
    of_epoch = "from_unixtime({seconds})"
    of_text = "from_iso8601_timestamp({column})"

    def session(self, timeout: timedelta) -> list[str]:
        return ["SET TIME ZONE 'UTC'", f"SET SESSION query_max_run_time = '{timeout.total_seconds():.0f}s'"]

    def microseconds(self, column: Column) -> Column:
        """Exact: a double's 53 bits hold microseconds since 1970 until the year 2255."""
        return sa.cast(sa.func.round(sa.func.to_unixtime(column, type_=sa.Double()) * 1_000_000), sa.BigInteger())

    def moment(self, column: Column) -> Column:
        return self.microseconds(sa.cast(column, sa.DateTime()) if isinstance(column.type, sa.Date) else column)

    def bound(self, column: Column, at: datetime) -> Column:
        naive = sa.literal(f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}", sa.Text())
        if getattr(column.type, "timezone", False):
            return sa.func.with_timezone(_stamp(naive), "UTC", type_=sa.DateTime(timezone=True))
        return _stamp(naive)

    def exact(self, column: Column) -> Column:
        """CHAR(n) is compared with its padding; texts have no collations."""
        if isinstance(column.type, sa.CHAR):
            return sa.func.rtrim(sa.cast(column, sa.VARCHAR()), type_=sa.Text())
        return column


def _stamp(text: Column) -> Column:
    from trino.sqlalchemy.datatype import TIMESTAMP

    return sa.cast(text, TIMESTAMP(precision=6))
