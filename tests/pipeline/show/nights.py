"""A world's nights reported and mailed."""

from __future__ import annotations

from hindsight.reports.night import AccuracyReport, Change

FIRST = "2026-09-01"


def changed(report: AccuracyReport) -> dict[str, Change]:
    return {f"{change.window.start:%Y-%m-%d}": change for change in report.changes}
