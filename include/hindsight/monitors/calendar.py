"""The clock people live by: the time zone of days and hours, holidays, and how often people may be told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field

from hindsight.monitors.strict import Duration, Strict

_COUNTRY = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,6})?")
_BUDGET = re.compile(r"(\d+) pages? and (\d+) notices? per (\S+)")
MONTH = timedelta(days=30)


def zone_of(value: str) -> str:
    """Return the name of a time zone; raise ValueError for a name that is none."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise ValueError(f"expected a time zone such as Europe/Berlin, got {value!r}") from exc
    return value


Timezone = Annotated[str, AfterValidator(zone_of)]


class Calendar(Strict):
    """Days unlike others: `holidays` is a country such as US or, of one part of it, DE-BY, or a file of dates."""

    holidays: str

    @property
    def country(self) -> tuple[str, str | None] | None:
        """The country and the part of it, None where a file holds the dates."""
        if not _COUNTRY.fullmatch(self.holidays):
            return None
        country, _, part = self.holidays.partition("-")
        return country, part or None


class AlertBudget(Strict):
    """How many pages and notices the people of a model are to be told in any span of `period`, by chance, at most."""

    pages: int = Field(ge=0)
    notices: int = Field(ge=0)
    period: Duration


def _alert_budget(value: object) -> object:
    if not isinstance(value, str):
        return value
    if (match := _BUDGET.fullmatch(value.strip())) is None:
        raise ValueError(f"expected a budget such as '1 page and 2 notices per 30d', got {value!r}")
    return {"pages": int(match[1]), "notices": int(match[2]), "period": match[3]}


_Written = AlertBudget | Annotated[str, Field(pattern=r"^\d+ pages? and \d+ notices? per [1-9]\d{0,4}[mhd]$")]
AnyAlertBudget = Annotated[AlertBudget, BeforeValidator(_alert_budget, json_schema_input_type=_Written)]
USUAL = AlertBudget(pages=1, notices=2, period=MONTH)


def holidays_of(calendar: Calendar | None, years: Iterable[int], root: Path) -> frozenset[date]:
    """Return the holidays of some years; relative files lie below `root`.

    Raises ValueError for an unknown country, and for a file that is missing or holds a line that is no date.
    """
    if calendar is None:
        return frozenset()
    if (country := calendar.country) is not None:
        return _of_country(*country, years)
    return frozenset(_of_file(root / Path(calendar.holidays).expanduser()))


def _of_country(country: str, part: str | None, years: Iterable[int]) -> frozenset[date]:
    import holidays  # only monitors with a calendar pay for it

    try:
        return frozenset(holidays.country_holidays(country, subdiv=part, years=years))
    except NotImplementedError as exc:
        name = f"{country}-{part}" if part else country
        raise ValueError(f"no holidays are known of {name!r}; name a country such as US or DE-BY, or a file") from exc


def _of_file(path: Path) -> Iterator[date]:
    """Yield the dates of a file, one a line; what follows a # is for people."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as exc:
        raise ValueError(f"{path}: cannot be read: {exc.strerror}; expected a country or a file of dates") from exc
    for number, line in enumerate(lines, start=1):
        if text := line.partition("#")[0].strip():
            try:
                yield date.fromisoformat(text)
            except ValueError as exc:
                raise ValueError(f"{path}:{number}: expected a date such as 2026-12-25, found {text!r}") from exc
