"""The review command: what a week or a month came to, of all monitors, those of an owner, or one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from hindsight.commands.chosen import MaybeName, chosen
from hindsight.commands.console import out, print_json
from hindsight.errors import ConfigError
from hindsight.messages.wording import clean
from hindsight.settings import read_settings
from hindsight.vocabulary.periods import Period, last_whole, parse_period

if TYPE_CHECKING:
    from hindsight.verdicts.reviews import Review


def review(
    monitor: MaybeName = None,
    owner: Annotated[str | None, typer.Option("--owner", help="of the monitors of one owner only")] = None,
    week: Annotated[str | None, typer.Option("--week", help="2026-W48; the newest whole one without")] = None,
    month: Annotated[str | None, typer.Option("--month", help="2026-11 instead of a week")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> int:
    """Say what a week or a month came to: alerts and what was made of them, budgets, retrainings, drift, cost."""
    from hindsight.airflow.connections import open_resources
    from hindsight.pipeline.show.reviews import in_order, reviews

    period, resources = _period(week, month, datetime.now(UTC)), open_resources(read_settings())
    watched = [one for one in chosen(monitor, resources.settings) if owner in (None, one.owner)]
    found = in_order(reviews(watched, period, resources))
    if as_json:
        print_json(asdict(period) | {"name": period.name, "monitors": [asdict(one) for one in found]})
    else:
        _tell(found, period)
    return 0


def _period(week: str | None, month: str | None, now: datetime) -> Period:
    if week and month:
        raise ConfigError("--week and --month: give one of them")
    try:
        return parse_period(week or month or last_whole("week", now).name)
    except ValueError as exc:
        raise ConfigError(f"{'--week' if week else '--month'}: {exc}") from None


def _tell(found: Sequence[Review], period: Period) -> None:
    from hindsight.verdicts.review_words import headline, said

    out.print(f"{period.said}: {headline(found)}", markup=False)
    words = list(map(said, found))
    for one in (one for one in words if not one.quiet):
        lines = (f"  {topic:10} {clean(text, 300)}" for topic, text in one.lines())
        out.print("", one.monitor, *lines, sep="\n", markup=False)
    if (quiet := [one.monitor for one in words if one.quiet]) and len(quiet) < len(words):
        out.print("", f"nothing happened: {', '.join(quiet)}", sep="\n", markup=False)
