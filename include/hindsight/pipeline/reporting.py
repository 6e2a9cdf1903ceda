"""Draw what others draw of a window, Evidently's report and Data Docs, keep it, and find it again by its id."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from hindsight.actions.records import Report
from hindsight.checks.expectations import validation
from hindsight.errors import ConfigError
from hindsight.monitors.model import Monitor
from hindsight.monitors.windows import Window
from hindsight.pipeline.reference import read_reference
from hindsight.pipeline.resources import Resources
from hindsight.reports.data_docs import data_docs
from hindsight.reports.evidently import window_report
from hindsight.snapshots.files import open_files
from hindsight.warehouse.predictions import collect

SAMPLE = 5000  # rows of each side: enough for the charts, drawn in a few seconds


def report_window(monitor: Monitor, window: Window, resources: Resources, *, made_at: datetime) -> str:
    """Draw the report of a window beside the reference, on a bounded sample of both; return its id."""
    if monitor.reference is None:
        raise ConfigError(f"{monitor.name}: a report compares a window with a reference, and the file declares none")
    engine = resources.warehouse(monitor.source.connection)
    with tempfile.TemporaryDirectory(prefix="hindsight-") as folder:
        place = Path(folder)
        current = collect(engine, monitor, window, folder=place, pii_key=resources.pii_key)
        reference = read_reference(monitor, resources, folder=place, as_of=window.start)
        html = window_report(
            reference.rows.sample(SAMPLE, seed=0),
            current.sample(SAMPLE, seed=0),
            monitor,
            title=f"{monitor.name} - {window}",
        )
    return _keep(Report(uuid4().hex, monitor.name, window, "evidently", "", made_at), html, resources)


def document_window(monitor: Monitor, window: Window, resources: Resources, *, made_at: datetime) -> str:
    """Run the suite of a window again and draw its Data Docs; return the id of the page."""
    if monitor.quality is None:
        raise ConfigError(f"{monitor.name}: Data Docs show a suite, and the file names none: quality.suite")
    engine = resources.warehouse(monitor.source.connection)
    root = resources.settings.great_expectations
    with tempfile.TemporaryDirectory(prefix="hindsight-") as folder:
        rows = collect(engine, monitor, window, folder=Path(folder), pii_key=resources.pii_key)
        found = validation(monitor, window, monitor.quality.suite, root=root, url=engine.url, rows=rows)
    html = data_docs(found, title=f"{monitor.name} - {window}")
    return _keep(Report(uuid4().hex, monitor.name, window, "data docs", "", made_at), html, resources)


def _keep(report: Report, html: str, resources: Resources) -> str:
    files = open_files(resources.settings.data)
    path = f"reports/{report.monitor}/{report.id}.html"
    files.put_new(path, html.encode())
    resources.ledger.add_report(Report(report.id, report.monitor, report.window, report.kind, path, report.created_at))
    return report.id


def read_report(id: str, resources: Resources) -> tuple[Report, str] | None:
    """Return a report and its HTML, found by the id in the ledger and never by a path; None for any other text."""
    report = resources.ledger.report(id)
    return (report, open_files(resources.settings.data).get(report.uri).decode()) if report else None
