"""Moments in SQL: half-open spans that are exact to the microsecond however a database stores its times.

A time without a zone is UTC. SQLite has no time type: its ISO texts (with a space or T, with or without fraction and
offset) are read by a function that `open_engine` teaches every SQLite connection.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_MICROSECOND = timedelta(microseconds=1)


def utc_microseconds(text: object) -> int | None:
    """Microseconds since 1970 of an ISO 8601 text; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return microseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970 of an aware moment."""
    return (moment - EPOCH) // _MICROSECOND


def is_time(column: sa.ColumnElement[object], dialect: str) -> bool:
    """Whether a column of this declared type can hold moments; on SQLite a text can."""
    kinds = (sa.DateTime, sa.Date)
    return isinstance(column.type, (*kinds, sa.String, sa.types.NullType) if dialect == "sqlite" else kinds)


def moment(column: sa.ColumnElement[object], dialect: str) -> sa.ColumnElement[object]:
    """The column as something that becomes an Arrow timestamp[us, UTC]."""
    if dialect == "sqlite":
        return sa.func.utc_microseconds(sa.type_coerce(column, sa.Text()), type_=sa.BigInteger())
    return sa.cast(column, sa.DateTime()) if _is_date(column) else column


def span(
    column: sa.ColumnElement[object], dialect: str, *, start: datetime | None = None, end: datetime | None = None
) -> sa.ColumnElement[bool]:
    """start <= column < end; None leaves that side open. A null is in no span."""
    if dialect == "sqlite":
        return sa.and_(*_iso_bounds(column, start, end))
    return sa.and_(
        sa.true(),
        *([column >= _literal(column, start)] if start else []),
        *([column < _literal(column, end)] if end else []),
    )


def _is_date(column: sa.ColumnElement[object]) -> bool:
    return isinstance(column.type, sa.Date)


def _literal(column: sa.ColumnElement[object], bound: datetime) -> sa.ColumnElement[datetime]:
    if getattr(column.type, "timezone", False):
        return sa.literal(bound, sa.DateTime(timezone=True))
    naive = sa.literal(bound.astimezone(UTC).replace(tzinfo=None), sa.DateTime())
    return sa.cast(naive, sa.DateTime()) if _is_date(column) else naive


def _iso_bounds(
    column: sa.ColumnElement[object], start: datetime | None, end: datetime | None
) -> list[sa.ColumnElement[bool]]:
    """Exact bounds, and bounds on the text itself that an index can serve: an offset moves it a day at most."""
    text = sa.type_coerce(column, sa.Text())
    exact = moment(column, "sqlite")
    bounds: list[sa.ColumnElement[bool]] = [exact.is_not(None)] if start is end is None else []
    if start is not None:
        bounds.append(text >= _day(start - _DAY).isoformat())
    if end is not None:
        bounds.append(text < _day(end + 2 * _DAY).isoformat())
    if start is not None and end is not None:
        bounds.append(exact.between(microseconds(start), microseconds(end) - 1))  # one call of the function, not two
    elif start is not None:
        bounds.append(exact >= microseconds(start))
    elif end is not None:
        bounds.append(exact < microseconds(end))
    return bounds


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()
