"""Comparing: two windows of a monitor side by side, number by number, and one column's values over the frozen bins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from urllib.parse import urlencode

import pyarrow.compute as pc

from hindsight.errors import ConfigError
from hindsight.monitors.loader import load_monitor
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources, remembering
from hindsight.pipeline.show.curves import unit_of
from hindsight.reports.compare import Bar, CompareView, Pair
from hindsight.reports.frozen_bins import NULL, WORDS, numeric, stretch
from hindsight.snapshots.damage import leaving_out
from hindsight.vocabulary.measurement import Kind, Measurement

KINDS = (Kind.OPERATIONS, Kind.KPI, Kind.PERFORMANCE, Kind.ESTIMATE, Kind.LABELS, Kind.QUALITY, Kind.DRIFT)
MOST_COLUMNS, MOST_BARS, MOST_OFFERED = 30, 20, 200
OTHERS = "all others"
_Facts = Mapping[tuple[Kind, str, str, str], Measurement]  # by kind, metric, feature and bin


@dataclass(frozen=True, slots=True)
class Asked:
    """Which windows are compared, by a moment in each, of which segment and column ("" for all).

    Without `now` it is the newest window, without `then` the one before.
    """

    then: datetime | None = None
    now: datetime | None = None
    segment: str = ""
    feature: str = ""


def compare_view(name: str, asked: Asked, resources: Resources) -> CompareView | None:
    """Return two windows side by side; None where there is no such monitor.

    What cannot be compared is said in words. Snapshots that cannot be read are named, and the rest is shown.
    """
    try:
        monitor = load_monitor(name, resources.settings.monitors)
    except ConfigError:
        return None
    return _view(monitor, asked, resources)


@remembering
def _view(monitor: Monitor, asked: Asked, resources: Resources) -> CompareView:
    starts = _starts(monitor, asked, resources)
    with leaving_out() as damaged:
        segments, facts = _facts(monitor, starts, asked, resources)
    then, now = (facts[start] for start in starts)
    notes = [f"Left out: {one}" for one in damaged]
    notes += [f"Nothing is known of the window {s:%Y-%m-%d %H:%M} UTC." for s in dict.fromkeys(starts) if not facts[s]]
    columns = sorted(_columns(then, now, starts, asked.segment), key=lambda one: (-(one.now or 0.0), one.name))
    bars, said = _distribution(then, now, asked.feature) if asked.feature else ((), "")
    return CompareView(
        monitor=monitor.name,
        then=starts[0],
        now=starts[1],
        segment=asked.segment,
        feature=asked.feature,
        groups=list(_groups(then, now, asked.feature)),
        columns=() if asked.feature else columns[:MOST_COLUMNS],
        more_columns=max(len(columns) - MOST_COLUMNS, 0),
        bars=bars,
        segments=_offered(segments, asked.segment),
        features=_offered({key[2] for key in (*then, *now)}, asked.feature),
        notes=[*notes, *filter(None, [said])],
    )


def _starts(monitor: Monitor, asked: Asked, resources: Resources) -> tuple[datetime, datetime]:
    now = asked.now
    if now is None:
        newest = resources.store.newest(monitor.name, Kind.OPERATIONS)
        now = newest.start if newest else monitor.grid.origin
    then = asked.then or now - monitor.window
    return monitor.grid.window_at(then).start, monitor.grid.window_at(now).start


def _offered(names: Iterable[str], asked: str) -> list[str]:
    """Return what may be chosen, at most MOST_OFFERED and what was asked for: a list of thousands helps nobody."""
    return sorted({asked, *sorted(set(names) - {""})[:MOST_OFFERED]} - {""})


def _facts(
    monitor: Monitor, starts: Sequence[datetime], asked: Asked, resources: Resources
) -> tuple[list[str], dict[datetime, _Facts]]:
    """Return the segments there are, and by window the numbers of the one asked for over all versions together."""
    kinds = [*KINDS, *([Kind.PROFILE] if asked.feature else [])]
    table = resources.store.read(monitor.name, kinds=kinds, windows=starts)
    segments = sorted(set(pc.unique(table["segment"]).to_pylist()) - {""})
    wanted = pc.and_(pc.equal(table["segment"], asked.segment), pc.equal(table["model_version"], ""))
    found: dict[datetime, dict[tuple[Kind, str, str, str], Measurement]] = defaultdict(dict)
    for row in table.filter(wanted).select(["window_start", "kind", *Measurement.__slots__]).to_pylist():
        start, kind, one = row.pop("window_start"), Kind(row.pop("kind")), Measurement(**row)
        if one.feature in ("", asked.feature) or not one.bin:
            found[start][kind, one.metric, one.feature, one.bin] = one
    return segments, defaultdict(dict, found)


def _groups(then: _Facts, now: _Facts, feature: str) -> Iterator[tuple[str, list[Pair]]]:
    """Yield the numbers about all columns together, or about one, by kind."""
    for kind in KINDS:
        keys = {key for key in (*then, *now) if key[0] is kind and key[2] == feature and not key[3]}
        pairs = [_pair(key[1].replace("_", " "), then.get(key), now.get(key), key[1]) for key in sorted(keys)]
        known = [pair for pair in pairs if pair.then is not None or pair.now is not None]
        if known:
            yield str(kind), known


def _columns(then: _Facts, now: _Facts, starts: Sequence[datetime], segment: str) -> Iterator[Pair]:
    for feature in {key[2] for key in (*then, *now) if key[:2] == (Kind.DRIFT, "psi") and key[2]}:
        key = (Kind.DRIFT, "psi", feature, "")
        asked = {"then": f"{starts[0]:%Y-%m-%dT%H:%MZ}", "now": f"{starts[1]:%Y-%m-%dT%H:%MZ}", "segment": segment}
        yield _pair(feature, then.get(key), now.get(key), "psi", f"?{urlencode(asked | {'feature': feature})}")


def _pair(name: str, then: Measurement | None, now: Measurement | None, metric: str, href: str = "") -> Pair:
    return Pair(
        name=name,
        then=then.value if then else None,
        now=now.value if now else None,
        n_then=then.n if then else 0,
        n_now=now.n if now else 0,
        reference=next((one.reference for one in (now, then) if one), None),
        unit=unit_of(metric),
        href=href,
    )


def _distribution(then: _Facts, now: _Facts, feature: str) -> tuple[list[Bar], str]:
    """Return how the values of a column lie over the bins of the reference, with the nulls, and what to say of it."""
    bins = [_bins(facts, feature) for facts in (then, now)]
    laid = [edges(some) for some in bins if some]
    if len(laid) == 2 and laid[0] != laid[1]:
        return (
            [],
            "The reference, and so the bins, changed between these windows: values cannot be laid together.",
        )
    counts = [{one.bin: one.value or 0.0 for one in some} for some in bins]
    reference = {one.bin: one.reference for some in bins for one in some if one.reference is not None}
    names = sorted(set().union(*counts, reference))
    if not names:
        return [], ""
    return list(_bars(names, *map(_shares, (*counts, reference)))), ""


def _bins(facts: _Facts, feature: str) -> list[Measurement]:
    return [one for key, one in facts.items() if key[:3] == (Kind.PROFILE, "bin_count", feature) and key[3]]


def edges(bins: Sequence[Measurement]) -> list[str]:
    """Return the bins of numbers in which the reference has rows, which tell one set of frozen edges from another.

    A window may have rows in others besides.
    """
    filled = {one.bin for one in bins if one.reference}
    return [name for name in numeric([one.bin for one in bins]) if name in filled]


def _shares(counts: Mapping[str, float]) -> dict[str, float]:
    """Return the share of all rows that each bin has; nulls are a bin."""
    whole = sum(counts.values())
    return {name: count / whole for name, count in counts.items()} if whole else {}


def _bars(
    names: Sequence[str], then: Mapping[str, float], now: Mapping[str, float], usual: Mapping[str, float]
) -> Iterator[Bar]:
    """Yield about MOST_BARS of the bins: neighbours of numbers together, of categories the frequent ones; and nulls."""
    if ordered := numeric(names):
        size = ceil(len(ordered) / MOST_BARS)
        together = [ordered[place : place + size] for place in range(0, len(ordered), size)]
        named = [(stretch(some), some) for some in together]
    else:
        texts = [name for name in names if name != NULL]
        frequent = sorted(texts, key=lambda one: (-max(s.get(one, 0.0) for s in (then, now, usual)), one))
        named = [(WORDS.get(one, one), [one]) for one in frequent[:MOST_BARS]]
        named += [(OTHERS, frequent[MOST_BARS:])] if len(frequent) > MOST_BARS else []
    for name, some in [*named, (WORDS[NULL], [NULL])]:
        yield Bar(name, *(sum(s.get(one, 0.0) for one in some) if s else None for s in (then, now, usual)))
