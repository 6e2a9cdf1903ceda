"""Retention: how long each kind of history is kept, as the monitor file says, and the moment before which it goes."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from hindsight.monitors.strict import Strict

DAY, YEAR = timedelta(days=1), timedelta(days=365)
FOREVER = timedelta.max
_KEPT = r"^([1-9]\d{0,4}[dy]|forever)$"


def _kept(value: object) -> object:
    if not isinstance(value, str):
        return value
    if re.fullmatch(_KEPT, value) is None:
        raise ValueError(f"expected how long, such as 90d, 3y or forever, got {value!r}")
    return FOREVER if value == "forever" else int(value[:-1]) * (YEAR if value[-1] == "y" else DAY)


Kept = Annotated[timedelta, BeforeValidator(_kept, json_schema_input_type=Annotated[str, Field(pattern=_KEPT)])]


class Retention(Strict):
    """How long history is kept: 90d, 3y (a year is 365 days) or forever.

    Verdicts and remembered labels are kept as long as the snapshots of the same windows where the file does not say
    longer: without them a window could be judged anew and nobody could say from what.
    """

    snapshots: Kept = FOREVER  # nobody's history goes, and no replay of old years is cut, unless the file says so
    verdicts: Kept | None = None
    labels: Kept | None = None
    reports: Kept = 180 * DAY
    models: Kept = YEAR
    messages: Kept = 90 * DAY

    @model_validator(mode="after")
    def whole_windows(self) -> Self:
        """Refuse to keep the snapshots of a window without its verdicts or its labels."""
        for name, kept in (("verdicts", self.verdicts), ("labels", self.labels)):
            if kept is not None and kept < self.snapshots:
                raise ValueError(
                    f"{name} are needed as long as the snapshots of their windows, {said(self.snapshots)}: "
                    f"leave {name} out, or shorten snapshots too"
                )
        return self


def before(kept: timedelta, now: datetime) -> datetime | None:
    """Return the moment before which what is kept so long has expired; None where nothing ever has.

    >>> before(FOREVER, datetime(2026, 9, 1))
    """
    return now - kept if kept < now - datetime.min.replace(tzinfo=now.tzinfo) else None


def said(kept: timedelta) -> str:
    """Return how long as a file has it: 90d, 3y, forever."""
    if kept == FOREVER:
        return "forever"
    return f"{kept // YEAR}y" if kept % YEAR == timedelta(0) else f"{kept // DAY}d"
