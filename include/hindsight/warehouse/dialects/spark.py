"""Spark: what Spark SQL does otherwise, whether Databricks or a Thrift server speaks it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import sqlalchemy as sa

from hindsight.warehouse.dialects.generic import Column, Dialect


class Spark(Dialect):
    """Moments are of the session's zone, which is UTC here, and travel as microseconds."""

    streams = True
    of_epoch = "timestamp_micros(CAST({seconds} * 1000000 AS BIGINT))"
    of_text = "CAST({column} AS TIMESTAMP)"

    def session(self, timeout: timedelta) -> list[str]:
        return ["SET TIME ZONE 'UTC'"]

    def microseconds(self, column: Column) -> Column:
        return sa.func.unix_micros(_instant(column), type_=sa.BigInteger())

    def moment(self, column: Column) -> Column:
        return self.microseconds(column)

    def bound(self, column: Column, at: datetime) -> Column:
        """As text that is cast: of a session in UTC."""
        return _instant(sa.literal(f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}", sa.Text()))

    def exact(self, column: Column) -> Column:
        """Strings may have a collation since Spark 4; bytes have none."""
        if not isinstance(column.type, sa.String):
            return column
        whole = sa.func.rtrim(column, type_=sa.Text()) if isinstance(column.type, sa.CHAR) else column
        return sa.cast(whole, sa.LargeBinary())

    def is_nan(self, number: Column) -> sa.ColumnElement[bool]:
        """NaN equals NaN here."""
        return sa.func.isnan(number, type_=sa.Boolean())

    def readable(self, column: Column, *, is_moment: bool = False) -> tuple[Column, pa.DataType]:
        if isinstance(column.type, sa.Date) and not is_moment:
            return sa.func.unix_date(column, type_=sa.BigInteger()), pa.date32()
        return super().readable(column, is_moment=is_moment)


def _instant(column: Column) -> Column:
    return sa.cast(column, sa.TIMESTAMP())
