"""Whether the SLOs of a monitor file can be counted and kept, and its burn rates taken. Pure; yields where and what."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, floor

from hindsight.errors import did_you_mean
from hindsight.monitors.document import Where
from hindsight.monitors.metric import Metric
from hindsight.monitors.model import Monitor
from hindsight.monitors.retention import said
from hindsight.monitors.rule_checks import lacks, measured_of, range_of, unknown_metric, within
from hindsight.monitors.slos import BAD, FEWEST_WINDOWS, GOOD, USUAL, Slo
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.windows import format_duration

FEWEST_SLICES = 3  # bad ones that a budget of slices must hold
MOST = 5

Found = Iterator[tuple[Where, str]]


def slo_problems(monitor: Monitor) -> Found:
    """Yield what is wrong with `slos`."""
    for name, slo in monitor.slos.items():
        where = ("slos", name)
        if slo.budget <= 0:
            yield (*where, "target"), "a target of 100 % or more leaves no budget to spend; 99.9% leaves 0.1 %"
            continue
        yield from ((where + place, text) for place, text in _metric(monitor, name, slo))
        yield from ((where + place, text) for place, text in _spans(monitor, slo))
        if slo.by_slices and (few := _too_few_slices(monitor, slo)):
            yield (*where, "target"), few


def slo_warnings(monitor: Monitor) -> Found:
    """Yield where there are more SLOs than a team looks after."""
    if (count := len(monitor.slos)) > MOST:
        yield ("slos",), f"{count} SLOs: three to {MOST} that people act on are better than many they do not look at"


def _metric(monitor: Monitor, name: str, slo: Slo) -> Found:
    if not slo.metric:
        usual = did_you_mean(name, USUAL) or f"; {', '.join(USUAL)} have one"
        yield ("metric",), f"is missing: there is no usual one for {name!r}{usual}"
        return
    measured = measured_of(monitor, slo.metric)
    if measured is None:
        yield ("metric",), unknown_metric(monitor, slo.metric)
        return
    yield from ((("metric",), f"{slo.metric!r} {lack}") for lack in lacks(monitor, measured))
    yield from _counting(slo, measured)


def _counting(slo: Slo, measured: Metric) -> Found:
    if measured.kind is Kind.SLO:
        yield ("metric",), f"{slo.metric!r} is made of SLOs itself"
    elif measured.about or measured.vector:
        about = measured.about or measured.vector
        yield ("metric",), f"{slo.metric!r} has a value for each {about}; an SLO is about one for all rows"
    elif not slo.by_slices and slo.metric not in GOOD | BAD:
        yield (
            ("metric",),
            f"{slo.metric!r} is no share of rows to count; give below or above, within which a window is good",
        )
    if slo.below is not None and slo.above is not None:
        yield ("below",), "an SLO has one limit; write one with above and one with below"
    for name, limit in (("below", slo.below), ("above", slo.above)):
        if limit is not None and not within(limit, measured):
            yield (name,), f"{slo.metric!r} is {range_of(measured)}, found {limit:g}"


def _spans(monitor: Monitor, slo: Slo) -> Found:
    short, long = slo.spans(monitor.window)
    period, kept = format_duration(slo.period), monitor.retention.snapshots
    if slo.period > kept:
        yield ("period",), f"{period} is longer than snapshots are kept: retention.snapshots is {said(kept)}"
    for name, span in (("short", slo.short), ("long", slo.long)):
        if span is not None and span > slo.period:
            yield (name,), f"{format_duration(span)} is longer than the period, {period}"
        elif span is not None and span > kept:
            yield (name,), f"{format_duration(span)} is longer than snapshots are kept: {said(kept)}"
    if short < FEWEST_WINDOWS * monitor.window:
        yield ("short",), f"expected {FEWEST_WINDOWS} windows of {format_duration(monitor.window)} at least"
    elif long <= short:
        needed = f"expected more than the short span, {format_duration(short)}"
        yield ("long" if slo.long else "short" if slo.short else "period",), needed


def _too_few_slices(monitor: Monitor, slo: Slo) -> str:
    """Say that a budget holds too few bad slices for any of them to be more than an accident, and what would do."""
    slices = round(slo.budget * slo.period / monitor.window, 9)
    if slices >= FEWEST_SLICES:
        return ""
    size, period = format_duration(monitor.window), format_duration(slo.period)
    least = FEWEST_SLICES * monitor.window
    lower = floor(1e4 * (1 - least / slo.period)) / 1e4
    days = ceil(least / slo.budget / slo.period) * slo.period
    would = [f"target: {100 * lower:g}%"] if lower > 0 else []
    would.append(f"period: {format_duration(days)}")
    return (
        f"leaves {slices:.3g} windows of {size} in {period} to be bad, {FEWEST_SLICES} are needed where windows are "
        f"counted: {', '.join(would)} or shorter windows would do"
    )
