"""BigQuery: TIMESTAMP is a moment and DATETIME none, texts are compared by their bytes, no session to speak of."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

from hindsight.warehouse.dialects.generic import Column, Dialect


class Engine(Dialect):
    """BigQuery, in which a statement is a job of its own: what it may do and how long is the project's business."""

    package = "sqlalchemy-bigquery"
    form = "bigquery://project/dataset"
    streams = True
    of_epoch = "TIMESTAMP_MICROS(CAST({seconds} * 1000000 AS INT64))"
    of_text = "TIMESTAMP({column})"

    def microseconds(self, column: Column) -> Column:
        return sa.func.unix_micros(sa.cast(column, sa.TIMESTAMP()), type_=sa.BigInteger())

    def moment(self, column: Column) -> Column:
        return self.microseconds(column)

    def remainder(self, number: Column, divisor: int) -> Column:
        """BigQuery has no sign for it."""
        return sa.func.mod(number, divisor, type_=sa.BigInteger())

    def bound(self, column: Column, at: datetime) -> Column:
        """A moment for TIMESTAMP, a date and time of UTC for DATETIME and DATE."""
        naive = sa.literal(at.astimezone(UTC).replace(tzinfo=None), sa.DateTime())
        if isinstance(column.type, sa.TIMESTAMP):
            return sa.cast(naive, sa.TIMESTAMP())  # a DATETIME becomes one in UTC
        return sa.cast(naive, sa.DateTime()) if isinstance(column.type, sa.Date) else naive

    def exact(self, column: Column) -> Column:
        """A column may have the collation und:ci; bytes have none."""
        return sa.cast(column, sa.LargeBinary()) if isinstance(column.type, sa.String) else column
