"""Draw reports of windows and nights and what others draw of them, keep them, and find them again by their ids."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from uuid import uuid4

from hindsight.checks.suites.batches import Warehouse
from hindsight.checks.suites.expectations import validation
from hindsight.errors import ConfigError
from hindsight.ledger.records import Report
from hindsight.monitors.model import Monitor
from hindsight.pipeline.measure.horizon import refuse_night
from hindsight.pipeline.measure.reference import read_reference
from hindsight.pipeline.resources import Resources
from hindsight.pipeline.show.accuracy_report import Night, accuracy_report, open_night
from hindsight.reports.accuracy import accuracy_page
from hindsight.reports.data_docs import data_docs
from hindsight.reports.evidently import window_report
from hindsight.reports.night import called
from hindsight.reports.pages import Link
from hindsight.verdicts.judge import waits_for_labels
from hindsight.verdicts.model import Status
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.connect import connected
from hindsight.warehouse.dialects import dialect_of
from hindsight.warehouse.labels import labelled
from hindsight.warehouse.predictions import as_logged, collect

SAMPLE = 5000  # rows of each side: enough for the charts, drawn in a few seconds


def document_breach(monitor: Monitor, window: Window, resources: Resources, *, made_at: datetime) -> dict[str, str]:
    """Draw what shows a window that breached without its labels; return the ids of its `report` and `data_docs`.

    Empty where nothing breached, the file names neither a reference nor a suite, or rows stay in the warehouse. One
    that cannot be drawn does not keep the other from being drawn.
    """
    if (
        monitor.source.rows_stay
        or not (monitor.reference or monitor.quality)
        or not _breached(monitor, window, resources)
    ):
        return {}
    made = {}
    with connected(resources.warehouse(monitor.source.connection)):
        try:
            if monitor.quality:
                made["data_docs"] = document_window(monitor, window, resources, made_at=made_at)
        finally:
            if monitor.reference:
                made["report"] = report_window(monitor, window, resources, made_at=made_at)
    return made


def _breached(monitor: Monitor, window: Window, resources: Resources) -> bool:
    """Whether a rule that needs no labels breached in a window, as it is judged now."""
    at_once = {rule.id for rule in monitor.rules if not waits_for_labels(monitor, rule)}
    found = resources.ledger.of_windows(monitor.name, [window.start])
    return any(verdict.status is Status.BREACH and verdict.series.rule in at_once for verdict in found)


def report_window(monitor: Monitor, window: Window, resources: Resources, *, made_at: datetime) -> str:
    """Draw the report of a window beside the reference, on a bounded sample of both; return its id."""
    if monitor.reference is None:
        raise ConfigError(f"{monitor.name}: a report compares a window with a reference, and the file declares none")
    _refuse_rows(monitor, "a report draws")
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


def _refuse_rows(monitor: Monitor, what: str) -> None:
    """Raise ConfigError where rows of features stay in the warehouse."""
    if monitor.source.rows_stay:
        raise ConfigError(
            f"{monitor.name}: {what} rows, and source.count_in leaves them in the warehouse: set source.allow_rows"
        )


def document_window(monitor: Monitor, window: Window, resources: Resources, *, made_at: datetime) -> str:
    """Run the suite of a window again and draw its Data Docs; return the id of the page."""
    if monitor.quality is None:
        raise ConfigError(f"{monitor.name}: Data Docs show a suite, and the file names none: quality.suite")
    _refuse_rows(monitor, "Data Docs show")
    engine = resources.warehouse(monitor.source.connection)
    root = resources.settings.great_expectations
    with connected(engine), tempfile.TemporaryDirectory(prefix="hindsight-") as folder:
        rows = collect(engine, monitor, window, folder=Path(folder), pii_key=resources.pii_key)
        warehouse = Warehouse(engine, partial(as_logged, engine, monitor, window), dialect_of(engine).times_are_text)
        found = validation(monitor, window, monitor.quality.suite, root=root, warehouse=warehouse, rows=rows)
    html = data_docs(found, title=f"{monitor.name} - {window}")
    return _keep(Report(uuid4().hex, monitor.name, window, "data docs", "", made_at), html, resources)


def report_performance(monitor: Monitor, as_of: datetime, resources: Resources, *, made_at: datetime) -> str | None:
    """Draw Evidently's report of the labelled rows of the newest window that is final as of a night; return its id.

    Labels are those behind the numbers of that night's report, beside those of the reference; drawn once for the same
    labels. None where no window is final, the monitor or its reference has no labels, or rows stay in the warehouse.
    """
    if monitor.source.rows_stay:
        return None
    night = open_night(monitor, as_of, resources)
    if not night.finals or monitor.reference is None:
        return None
    window = night.finals[-1]
    report = _performance_report(night, window, made_at)
    if resources.ledger.report(report.id):
        return report.id
    with tempfile.TemporaryDirectory(prefix="hindsight-") as folder:
        reference = read_reference(monitor, resources, folder=Path(folder), as_of=window.start)
        reference.close()
    if reference.labels is None:
        return None
    engine = resources.warehouse(monitor.source.connection)
    known = labelled(engine, monitor, window, night.now.as_of[window.start], pii_key=resources.pii_key)
    outcomes_only = monitor.model_copy(update={"features": {}})
    html = window_report(reference.labels, known.table, outcomes_only, title=f"{monitor.name} - {window}")
    return _keep(report, html, resources)


def report_night(monitor: Monitor, as_of: datetime, resources: Resources, *, made_at: datetime) -> str:
    """Make the accuracy report of a night, keep it, and return its id: the same for the same content."""
    html = night_page(monitor, as_of, resources)
    id = _id(monitor.name, "accuracy", as_of.isoformat(), html)
    report = Report(id, monitor.name, Window(as_of - monitor.window, as_of), "accuracy", "", made_at)
    return _keep(report, html, resources)


def write_night(
    monitor: Monitor, as_of: datetime, resources: Resources, *, file: Path | None, made_at: datetime
) -> str:
    """Write the accuracy report of a night to a file, as a page that leads nowhere, or keep it; return where it is."""
    if file is None:
        found = resources.ledger.report(report_night(monitor, as_of, resources, made_at=made_at))
        return f"{resources.settings.data}/{found.uri}" if found else ""
    try:
        file.write_text(night_page(monitor, as_of, resources, alone=True), encoding="utf-8")
    except OSError as exc:
        raise ConfigError(f"--out {file}: cannot be written: {exc.strerror}") from exc
    return str(file)


def night_page(monitor: Monitor, as_of: datetime, resources: Resources, *, alone: bool = False) -> str:
    """Return the accuracy report of a night as HTML; `alone` leaves out what leads to other pages.

    Raises ExpiredError for a night of which every window has expired.
    """
    refuse_night(monitor, as_of, resources)
    night = open_night(monitor, as_of, resources)
    links = () if alone else tuple(_links(night, resources))
    return accuracy_page(accuracy_report(night, resources, links=links))


def _links(night: Night, resources: Resources) -> Iterator[Link]:
    yield Link(night.monitor.name, f"../monitors/{night.monitor.name}")
    if night.finals:
        window = night.finals[-1]
        drawn = _performance_report(night, window, night.as_of)
        what = "regression" if night.metric == "mae" else "classification"
        if resources.ledger.report(drawn.id):
            yield Link(f"Evidently's {what} report of {called(window, night.monitor.window)}", drawn.id)


def _performance_report(night: Night, window: Window, made_at: datetime) -> Report:
    known_at = night.now.as_of[window.start].isoformat()
    id = _id(night.monitor.name, "performance", window.start.isoformat(), known_at)
    return Report(id, night.monitor.name, window, "performance", "", made_at)


def _id(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _keep(report: Report, html: str, resources: Resources) -> str:
    files = resources.files
    path = f"reports/{report.monitor}/{report.id}.html"
    files.put_new(path, html.encode())
    resources.ledger.add_report(Report(report.id, report.monitor, report.window, report.kind, path, report.created_at))
    return report.id


def read_report(id: str, resources: Resources) -> tuple[Report, str] | None:
    """Return a report and its HTML, found by the id in the ledger and never by a path; None for any other text."""
    report = resources.ledger.report(id)
    return (report, resources.files.get(report.uri).decode()) if report else None
