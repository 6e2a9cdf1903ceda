"""Times as a command line is given them: a moment, a span, or nights; each error names the option."""

from __future__ import annotations

from datetime import datetime, timedelta

from hindsight.errors import ConfigError
from hindsight.vocabulary.windows import parse_moment

DAY = timedelta(days=1)


def moment_of(text: str, option: str) -> datetime:
    """Return the moment an option names; raise ConfigError for text that is none."""
    try:
        return parse_moment(text)
    except ValueError as exc:
        raise ConfigError(f"{option}: expected a time such as 2026-09-01 or 2026-09-01T06:00, got {text!r}") from exc


def span_of(start: str, end: str) -> tuple[datetime, datetime]:
    """Return the moments of --start and --end; raise ConfigError unless the first is before the second."""
    first, last = moment_of(start, "--start"), moment_of(end, "--end")
    if first >= last:
        raise ConfigError(f"--start {start} must be before --end {end}")
    return first, last


def nights_of(as_of: str | None, start: str | None, end: str | None) -> list[datetime]:
    """Return the night asked for, or every 00:00 UTC T with start < T <= end."""
    if as_of and not (start or end):
        return [moment_of(as_of, "--as-of")]
    if as_of or not (start and end):
        raise ConfigError("say which nights: --as-of T, or --start T and --end T")
    first, last = span_of(start, end)
    night = first.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
    return [night + k * DAY for k in range((last - night) // DAY + 1)]
