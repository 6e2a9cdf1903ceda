"""Snowflake: sessions in UTC with a limit, three types of timestamps, whole numbers declared as NUMBER(38, 0)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import sqlalchemy as sa

from hindsight.warehouse.dialects.generic import Column, Dialect, Type


class Engine(Dialect):
    """Snowflake, whose sessions cannot be made read only: that is the role's business."""

    package = "snowflake-sqlalchemy"
    form = "snowflake://user:password@account/database/schema?warehouse=…&role=…"
    streams = True
    of_epoch = "TO_TIMESTAMP_NTZ({seconds})"
    of_text = "TO_TIMESTAMP_TZ({column})"
    means: ClassVar[Mapping[str, Type]] = {
        "TIMESTAMP_NTZ": sa.DateTime(),
        **dict.fromkeys(("TIMESTAMP_LTZ", "TIMESTAMP_TZ"), sa.DateTime(timezone=True)),
    }

    def prepare(self, engine: sa.Engine, timeout: timedelta) -> None:
        """A session is born with its parameters: they need no right to alter one, and no statement."""
        super().prepare(engine, timeout)
        own = {"TIMEZONE": "UTC", "STATEMENT_TIMEOUT_IN_SECONDS": max(1, round(timeout.total_seconds()))}

        @sa.event.listens_for(engine, "do_connect")
        def _born_with(_: object, __: object, ___: object, options: dict[str, Any]) -> None:
            options["session_parameters"] = {**options.get("session_parameters", {}), **own}

    def state(self, cause: BaseException) -> str:
        return "57014" if getattr(cause, "errno", None) in (604, 630) else super().state(cause)

    def meant(self, kind: Type) -> Type:
        """NUMBER(38, 0) is how Snowflake declares INTEGER: ids in it keep every digit."""
        if isinstance(kind, sa.Numeric) and not isinstance(kind, sa.Float) and kind.scale == 0:
            return sa.BigInteger()
        return super().meant(kind)

    def microseconds(self, column: Column) -> Column:
        return sa.cast(sa.extract("epoch_microsecond", column), sa.BigInteger())

    def moment(self, column: Column) -> Column:
        return self.microseconds(column)

    def bound(self, column: Column, at: datetime) -> Column:
        text = f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
        if getattr(column.type, "timezone", False):
            from snowflake.sqlalchemy import TIMESTAMP_TZ

            return sa.cast(sa.literal(f"{text}+00:00", sa.String()), TIMESTAMP_TZ())
        return sa.cast(sa.literal(text, sa.String()), sa.DateTime())

    def exact(self, column: Column) -> Column:
        """Its bytes: a column, a schema or the account may have any collation."""
        if not isinstance(column.type, sa.String):
            return column
        return sa.func.to_binary(column, "UTF-8", type_=sa.LargeBinary())

    def is_nan(self, number: Column) -> sa.ColumnElement[bool]:
        """NaN equals NaN here."""
        return number == sa.cast(sa.literal("NaN", sa.String()), sa.Double())
