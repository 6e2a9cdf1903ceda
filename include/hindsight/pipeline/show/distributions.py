"""Gather a feature's distribution in one window, beside its reference and the last window in which it was as usual."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlencode

from hindsight.errors import ConfigError
from hindsight.monitors.loader import load_monitor
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources, remembering
from hindsight.pipeline.show.comparing import edges
from hindsight.pipeline.show.curves import CHARTED, of_rows, points, unit_of
from hindsight.reports.distribution import Bin, DistributionView
from hindsight.reports.pages import Link, Number
from hindsight.reports.selection import Selection
from hindsight.snapshots.damage import leaving_out
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.windows import Window

_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)  # no window is older
_TOLD = {
    Kind.DRIFT: ("psi", "js_distance"),
    Kind.QUALITY: ("null_rate", "new_category_share", "out_of_range_share", "sentinel_share"),
}


def distribution_view(
    name: str, selection: Selection, resources: Resources, *, now: datetime
) -> DistributionView | None:
    """Return the distribution of the feature selected in the window that holds the selection's start.

    Without a start, or for one behind it, it is the newest window. None where there is no such monitor or none of its
    windows was measured. Snapshots that cannot be read are named, and the rest is shown.
    """
    try:
        monitor = load_monitor(name, resources.settings.monitors)
    except ConfigError:
        return None
    with leaving_out() as damaged:
        view = _view(monitor, selection, resources, now)
    return view and replace(view, damaged=tuple(damaged))


@remembering
def _view(monitor: Monitor, selection: Selection, resources: Resources, now: datetime) -> DistributionView | None:
    newest = resources.store.newest(monitor.name, Kind.PROFILE)
    if newest is None:
        return None
    window = monitor.grid.window_at(_within(selection.start, newest)) if selection.start else newest
    then = _as_usual(monitor, window, selection, resources)
    counted = _counted(monitor, window, selection, resources)
    before = _counted(monitor, then, selection, resources) if then else []
    if other := bool(before and counted) and edges(before) != edges(counted):
        then, before = None, []
    return DistributionView(
        monitor=monitor.name,
        feature=selection.feature,
        start=window.start,
        as_of=now,
        bins=_bins(counted, before),
        then=then.start if then else None,
        why="the last window before in which it had not drifted" if then else _OTHER_BINS if other else _NO_WINDOW,
        rows=", ".join(filter(None, (selection.segment, selection.version))) or "all rows",
        numbers=tuple(_numbers(monitor, window, selection, resources)),
        before=_link(Window(window.start - monitor.window, window.start), selection),
        after=_link(Window(window.end, window.end + monitor.window), selection)
        if window.start < newest.start
        else None,
        back=f"../{monitor.name}{selection.query(start=None, end=None)}",
    )


def _within(moment: datetime, newest: Window) -> datetime:
    """A moment no later than the newest window, and early enough for windows before it: addresses say any."""
    return min(max(moment, _EARLIEST), newest.start)


_NO_WINDOW = (
    f"In none of the {CHARTED} windows before was it measured as not drifted; only the reference stands beside."
)
_OTHER_BINS = "The reference, and so the bins, changed since the last window before in which it had not drifted."


def address(feature: str, start: datetime, selection: Selection) -> str:
    """Return the query of the page of a feature in the window that starts then."""
    given = {"feature": feature, "from": f"{start:%Y-%m-%dT%H:%MZ}"}
    rows = {"version": selection.version, "segment": selection.segment}
    return "?" + urlencode(given | {name: value for name, value in rows.items() if value})


def _link(window: Window, selection: Selection) -> Link:
    return Link(f"{window.start:%Y-%m-%d %H:%M}", address(selection.feature, window.start, selection))


def _as_usual(monitor: Monitor, window: Window, selection: Selection, resources: Resources) -> Window | None:
    """The last window before this one in which the feature was judged not to have drifted."""
    start = window.start - CHARTED * monitor.window
    table = resources.store.read(monitor.name, kinds=[Kind.DRIFT], start=start, end=window.start)
    rows = of_rows(table.sort_by("window_start"), selection.version, selection.segment, selection.feature)
    calm = [point.start for point in points(rows, "drift.drifted") if point.value == 0]
    return monitor.grid.window_at(calm[-1]) if calm else None


def _of(
    monitor: Monitor, kind: Kind, window: Window, selection: Selection, resources: Resources
) -> Iterator[Measurement]:
    wanted = (selection.version, selection.segment, selection.feature)
    for one in resources.store.measurements(monitor.name, kind, window):
        if (one.model_version, one.segment, one.feature) == wanted:
            yield one


def _counted(monitor: Monitor, window: Window, selection: Selection, resources: Resources) -> list[Measurement]:
    found = _of(monitor, Kind.PROFILE, window, selection, resources)
    return [one for one in found if one.metric == "bin_count"]


def _bins(counted: Sequence[Measurement], earlier: Sequence[Measurement]) -> tuple[Bin, ...]:
    """The bins of a window and of an earlier one; one that a window does not name had no rows in it."""
    now, before = ({one.bin: one for one in some} for some in (counted, earlier))
    if not now:
        return ()
    return tuple(
        Bin(
            text,
            one.reference,
            now[text].value if text in now else 0.0,
            (before[text].value if text in before else 0.0) if before else None,
        )
        for text, one in (before | now).items()
    )


def _numbers(monitor: Monitor, window: Window, selection: Selection, resources: Resources) -> Iterator[Number]:
    for kind, names in _TOLD.items():
        found = {one.metric: one for one in _of(monitor, kind, window, selection, resources)}
        for name in names:
            if one := found.get(name):
                yield Number(name.replace("_", " "), one.value, unit_of(name), one.reference, one.note)
