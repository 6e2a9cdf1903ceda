"""Moments as numbers: microseconds since 1970, which every database and Arrow agree on."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import pyarrow as pa

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIMESTAMP = pa.timestamp("us", tz="UTC")
_DATED = re.compile(r"\d{4}-\d\d-\d\d(?!\d)")
_NAIVE_EPOCH = EPOCH.replace(tzinfo=None)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970 of an aware moment."""
    return (moment - EPOCH) // _MICROSECOND


@lru_cache(maxsize=2**14)
def utc_microseconds(text: object) -> int | None:
    """Microseconds since 1970 of an ISO 8601 text that begins with year, month and day; None for anything else.

    Only such texts are in the order of time, by which an index finds them. A time without a zone is UTC. SQLite asks
    for every row it looks at, in each statement anew: of a window that was read before they are at hand, and what
    stands here costs a scan of a million rows its second.
    """
    if not isinstance(text, str) or not _DATED.match(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment - (EPOCH if moment.tzinfo else _NAIVE_EPOCH)) // _MICROSECOND


def aware(value: object) -> datetime | None:
    """The moment that a database answered, as a time or in microseconds, in UTC."""
    if value is None:
        return None
    found: datetime = pa.scalar(value, TIMESTAMP).as_py()
    return found.astimezone(UTC)
