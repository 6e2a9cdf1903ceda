"""The nightly accuracy report as a page: a pure function of plain data, so that the same night makes the same bytes."""

from __future__ import annotations

from hindsight.reports.charts import Unit, written
from hindsight.reports.night import AccuracyReport, called, in_words
from hindsight.reports.pages import render
from hindsight.reports.timeline import INSET, NARROW, SQUARE, WIDE, place, trace
from hindsight.verdicts.model import State

MOST = 20  # rows of a table; the rest is counted
MOST_SEGMENTS = 10
MOST_AWAITED = 6
MOST_INCIDENTS = 12


def accuracy_page(report: AccuracyReport) -> str:
    """Return the report as one self-contained page: no script, nothing loaded, everything others wrote escaped."""
    return render(
        "accuracy.html.j2",
        report=report,
        words=in_words(report, lambda value: written(value, report.unit)),
        shapes=[(name, trace(report.course, canvas)) for name, canvas in (("wide", WIDE), ("narrow", NARROW))],
        changes=report.changes[:MOST],
        segments=report.segments.rows[:MOST_SEGMENTS] if report.segments else (),
        opened=report.opened[:MOST_INCIDENTS],
        turned=report.turned[:MOST_INCIDENTS],
        awaited=report.awaited[:MOST_AWAITED],
        marks=place(report.calibration.bins) if report.calibration else (),
        square=SQUARE,
        inset=INSET,
        called=lambda window: called(window, report.size),
        aligned=aligned,
        State=State,
    )


def aligned(value: float | None, unit: Unit) -> str:
    """Return a number as a column of them is read: shares with one decimal always."""
    return f"{100 * value:.1f} %" if unit == "share" and value is not None else written(value, unit)
