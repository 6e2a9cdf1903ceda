"""On record: what of a file does not go with what its monitor has: windows of another size, an earlier start."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hindsight.errors import ConfigError, Problem
from hindsight.monitors.document import in_file_order
from hindsight.monitors.loader import read_file
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.windows import format_duration, format_moment


def doubts_of(files: Iterable[Path], resources: Resources) -> list[Problem]:
    """Return what of these files does not go with what is on record: the size of windows, and an earlier start."""
    found = []
    for path in dict.fromkeys(files):
        try:
            document, monitor, _ = read_file(path)
        except ConfigError:
            continue
        if monitor is not None and (said := other_size(monitor, resources)):
            found.append(document.problem(("window",), said))
        elif monitor is not None and (said := early_start(monitor, resources, monitor.name)):
            found.append(document.problem(("start",), said))
    return in_file_order(found)


def other_size(monitor: Monitor, resources: Resources) -> str:
    """Say that the windows on record are of another size than the file's; "" where they are not."""
    newest = resources.store.newest(monitor.name, Kind.OPERATIONS)
    if newest is None or newest.end - newest.start == monitor.window:
        return ""
    then, now = format_duration(newest.end - newest.start), format_duration(monitor.window)
    sizes = f"windows of {then}, and the file says {now}"
    return f"what is on record is of {sizes}: the two do not mix, so give the monitor another name to begin anew"


def refuse_other_size(monitor: Monitor, resources: Resources) -> None:
    """Raise ConfigError where the windows on record are of another size than the file's."""
    if said := other_size(monitor, resources):
        raise ConfigError(f"{monitor.name}: {said}")


def early_start(monitor: Monitor, resources: Resources, runnable: str) -> str:
    """Say that the file's start lies before all that is on record, and what runs those windows; "" where it does not.

    A scheduler goes on from its last run, and never before its first.
    """
    first = min((name.start for name in resources.store.names(monitor.name, [Kind.OPERATIONS])), default=None)
    if monitor.start is None or first is None:
        return ""
    begin = max(filter(None, [monitor.start, resources.ledger.horizon(monitor.name)]))
    wanted = next(monitor.grid.starting_in(begin, begin + monitor.window))
    if wanted.start >= first:
        return ""
    start, end = format_moment(wanted.start), format_moment(first)
    return (
        f"the file starts at {start}, and nothing is on record before {end}: Airflow schedules nothing before what it "
        f"has run; to run those windows: hindsight run {runnable} --start {start} --end {end}"
    )
