"""SQL Server: neither booleans nor comparable TEXT, texts compared by case and without the blanks at their end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import mssql

from hindsight.warehouse.dialects.generic import Column, Dialect, Type

_LONGEST = 4000  # characters that NVARCHAR(n) can hold


class Engine(Dialect):
    """SQL Server and Azure SQL; a moment is DATETIME2 of UTC, or DATETIMEOFFSET."""

    package = "pymssql"
    form = "mssql+pymssql://user:password@host:1433/database"
    of_epoch = "DATEADD(second, {seconds}, '1970-01-01')"
    of_text = "CAST({column} AS DATETIMEOFFSET)"

    def session(self, timeout: timedelta) -> list[str]:
        return ["SET LOCK_TIMEOUT 60000"]

    def now(self) -> Column:
        return sa.func.sysutcdatetime(type_=sa.DateTime())

    def holds_times(self, kind: Type) -> bool:
        return super().holds_times(kind) or isinstance(kind, mssql.DATETIMEOFFSET)

    def microseconds(self, column: Column) -> Column:
        unit: Column = sa.column(sa.sql.quoted_name("microsecond", False))
        return sa.func.datediff_big(unit, "1970-01-01", column, type_=sa.BigInteger())

    def moment(self, column: Column) -> Column:
        return self.microseconds(column)

    def bound(self, column: Column, at: datetime) -> Column:
        text = sa.literal(f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}", sa.String(30))
        naive = sa.cast(text, mssql.DATETIME2)
        if isinstance(column.type, mssql.DATETIMEOFFSET):
            return sa.func.todatetimeoffset(naive, "+00:00", type_=sa.DateTime(timezone=True))
        return naive

    def exact(self, column: Column) -> Column:
        """The bytes of UTF-16, in which neither case nor blanks at the end are passed over; CHAR(n) unpadded."""
        if not isinstance(column.type, sa.String):
            return column
        whole = sa.func.rtrim(column, type_=sa.String()) if isinstance(column.type, sa.CHAR | sa.NCHAR) else column
        return sa.cast(sa.cast(whole, sa.NVARCHAR(_LONGEST)), sa.VARBINARY(2 * _LONGEST))

    def text(self, column: Column) -> Column:
        return self.exact(column if isinstance(column.type, sa.String) else sa.cast(column, sa.NVARCHAR(_LONGEST)))

    def variance(self, number: Column) -> Column:
        return sa.func.varp(number, type_=sa.Double())

    def readable(self, column: Column, *, is_moment: bool = False) -> tuple[Column, pa.DataType]:
        if isinstance(column.type, mssql.DATETIMEOFFSET):
            return super().readable(column, is_moment=True)
        if isinstance(column.type, sa.CHAR | sa.NCHAR):
            return sa.func.rtrim(column, type_=sa.String()), pa.string()
        expression, kind = super().readable(column, is_moment=is_moment)
        plain = kind != pa.string() or isinstance(column.type, sa.String)
        return (expression if plain else sa.cast(column, sa.NVARCHAR(_LONGEST))), kind
