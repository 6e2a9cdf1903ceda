"""Against: rules that compare a window with one before it, whose number is known only when both are laid together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hindsight.monitors.model import Monitor
from hindsight.monitors.rules import Rule
from hindsight.verdicts.judge import compared
from hindsight.verdicts.model import Series, Status, Verdict
from hindsight.verdicts.muting import ABSENT

WEEK, HOUR = timedelta(days=7), timedelta(hours=1)
UNSURE = (Status.IMMATURE, Status.TOO_FEW)  # what was not judged then is nothing to compare with now

Known = Mapping[tuple[Series, datetime], Verdict]


def comparing(monitor: Monitor) -> dict[str, Rule]:
    """Return, by their ids, the rules that compare with a window before."""
    return {rule.id: rule for rule in monitor.rules if rule.against != "reference"}


def earlier(monitor: Monitor, rule: Rule, start: datetime) -> datetime:
    """Return the start of the window that the one from `start` on is compared with.

    The same time a week before is that of the clocks in the monitor's time zone.
    """
    if rule.against == "previous":
        return start - monitor.window
    local = start.astimezone(ZoneInfo(monitor.timezone)) - WEEK
    nearest = local.astimezone(UTC) + monitor.window / 2  # a change of the clocks is an hour, not a window
    return monitor.grid.window_at(nearest).start


def later(monitor: Monitor, rule: Rule, start: datetime) -> Iterator[datetime]:
    """Yield the starts of the windows that are compared with the one from `start` on."""
    if rule.against == "previous":
        yield start + monitor.window
        return
    around = (monitor.grid.window_at(start + WEEK + off).start for off in (-HOUR, timedelta(), HOUR))
    yield from (one for one in dict.fromkeys(around) if earlier(monitor, rule, one) == start)


def against(monitor: Monitor, verdicts: Iterable[Verdict], known: Known) -> list[Verdict]:
    """Return verdicts with those of comparing rules made by what is `known` of the windows they are compared with.

    A pure function of the numbers: it does not matter which of the windows was judged first.
    """
    rules = comparing(monitor)
    return [_against(monitor, rules[v.series.rule], v, known) if v.series.rule in rules else v for v in verdicts]


def _against(monitor: Monitor, rule: Rule, verdict: Verdict, known: Known) -> Verdict:
    start = earlier(monitor, rule, verdict.window.start)
    absent, before = known.get((Series(ABSENT), start)), known.get((verdict.series, start))
    value = before.value if before is not None and before.status not in UNSURE else None
    if (absent is not None and absent.status is Status.BREACH) or (value == 0 and not rule.over_reference):
        value = None  # an outage is no measure, and of nothing everything is more
    return compared(monitor, rule, verdict, value)
