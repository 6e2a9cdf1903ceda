"""Redshift: PostgreSQL's protocol without its COPY, so that rows come by the driver; collations of its own."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from hindsight.warehouse.dialects.generic import Column, Dialect


class Engine(Dialect):
    """Redshift by redshift_connector, which holds an answer in memory: a large one is refused."""

    package = "sqlalchemy-redshift redshift-connector"
    form = "redshift+redshift_connector://user:password@host:5439/database"
    of_epoch = "TIMESTAMP 'epoch' + {seconds} * INTERVAL '1 second'"
    of_text = "CAST({column} AS TIMESTAMPTZ)"

    def session(self, timeout: timedelta) -> list[str]:
        return ["SET timezone TO 'UTC'", f"SET statement_timeout TO {timeout / timedelta(milliseconds=1):.0f}"]

    def microseconds(self, column: Column) -> Column:
        unit: Column = sa.column(sa.sql.quoted_name("microsecond", False))
        return sa.func.datediff(
            unit, sa.cast(sa.literal("1970-01-01", sa.String()), sa.DateTime()), column, type_=sa.BigInteger()
        )

    def moment(self, column: Column) -> Column:
        return self.microseconds(column)

    def exact(self, column: Column) -> Column:
        """With a sign at the end, before which blanks count: Redshift passes over those at the end of any text.

        (docs.aws.amazon.com/redshift/latest/dg/r_Examples_with_character_types.html.) A database or a column may be
        case insensitive, and CHAR(n) is padded.
        """
        if not isinstance(column.type, sa.String):
            return column
        whole = sa.func.rtrim(column, type_=sa.Text()) if isinstance(column.type, sa.CHAR) else column
        return sa.func.collate(whole + ".", "case_sensitive", type_=sa.Text())

    def is_nan(self, number: Column) -> sa.ColumnElement[bool]:
        """NaN equals NaN here."""
        return number == sa.cast(sa.literal("NaN", sa.String()), sa.Double())
