"""Which windows an address asks to see side by side: everything is in the address, so that a link shows the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hindsight import pipeline
from hindsight.errors import ConfigError

if TYPE_CHECKING:
    from hindsight.pipeline import Resources
    from hindsight.reports.compare import CompareView

_MIDDLE, _REACH = datetime(2000, 1, 1, tzinfo=UTC), timedelta(days=36_525)  # what a window may lie in


def compared(name: str, asked: Mapping[str, str], resources: Resources) -> CompareView | None:
    """Return what an address asks for, None where there is no such monitor; raise ConfigError for what is no moment."""
    from hindsight.pipeline.show.comparing import Asked

    names = (asked.get(key, "").replace("\r\n", "\n") for key in ("segment", "feature"))  # as forms send line breaks
    wanted = Asked(_moment(asked, "then"), _moment(asked, "now"), *names)
    return pipeline.compare_view(name, wanted, resources)


def _moment(asked: Mapping[str, str], key: str) -> datetime | None:
    text = asked.get(key, "").strip()
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        found = found if found.tzinfo else found.replace(tzinfo=UTC)
        if abs(found - _MIDDLE) > _REACH:
            raise ValueError
    except (ValueError, OverflowError) as exc:
        raise ConfigError(f"{key}: expected a moment such as 2026-09-01T00:00Z, got {text[:40]!r}") from exc
    return found.astimezone(UTC)
