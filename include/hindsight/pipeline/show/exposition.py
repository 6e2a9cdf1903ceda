"""What Prometheus is told: of every monitor the newest number of each rule's metric, and what is open.

The numbers come from the verdicts in the ledger, so that a scrape opens no snapshot. How many there may be of a monitor
is capped, for a scrape with a hundred thousand series is paid for by all that Prometheus watches.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from hindsight.ledger.heartbeats import heartbeats
from hindsight.ledger.newest import Judged, newest, waiting
from hindsight.messages.wording import clean
from hindsight.monitors.loader import load_folder
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.reports.exposition import Gauge, exposition
from hindsight.verdicts.judge import waits_for_labels
from hindsight.verdicts.model import Incident
from hindsight.vocabulary.severity import Severity

MOST = 200  # numbers of a monitor, and as many open incidents
LONGEST = 120  # characters of a label's value
_SERIES = ("monitor", "model_version", "segment", "feature")
_FIXED = {
    "monitor_info": ("1 for every monitor that is not archived.", ("monitor", "owner", "criticality", "task", "state")),
    "window_seconds": ("How long a window of the monitor is.", ("monitor",)),
    "lateness_seconds": ("How long after its end a window is read.", ("monitor",)),
    "window_end_timestamp_seconds": ("When the window ended that the number is of.", ("monitor", "metric")),
    "incidents_open": ("How many incidents are open.", ("monitor", "severity")),
    "incident_open": ("1 while an incident is open.", ("monitor", "rule", "severity", *_SERIES[1:])),
    "series_left_out": (
        "Numbers and incidents over the most that are exposed of a monitor.",
        ("monitor",),
    ),
    "monitor_file_errors": ("Errors of monitor files, which take away their monitors.", ()),
    "mails": ("Mails that wait to be sent, or were given up.", ("state",)),
    "last_seen_timestamp_seconds": ("When a part that runs by itself was last at work.", ("part",)),
}


@dataclass
class _Board:
    """The gauges there are so far, by name without the prefix."""

    gauges: dict[str, Gauge] = field(
        default_factory=lambda: {name: Gauge(f"hindsight_{name}", *rest) for name, rest in _FIXED.items()}
    )

    def set(self, name: str, value: float, *labels: str) -> None:
        self.gauges[name].set(value, *map(_cleaned, labels))

    def of_metric(self, path: str, value: float, *labels: str) -> None:
        name = _named(path)
        if name not in self.gauges:
            self.gauges[name] = Gauge(f"hindsight_{name}", f"{path}, of the newest window that says.", _SERIES)
        self.set(name, value, *labels)


@lru_cache
def _named(path: str) -> str:
    return re.sub(r"[^a-z0-9_]", "_", path)


@lru_cache(65_536)  # the same few texts in every scrape
def _cleaned(label: str) -> str:
    return clean(label, LONGEST)


def exposed(resources: Resources, most: int = MOST) -> bytes:
    """Return what is known of all monitors in Prometheus' text format, at most so many numbers of each.

    Raises LedgerError where the ledger cannot be read.
    """
    loaded = load_folder(resources.settings.monitors)
    board = _Board()
    board.set("monitor_file_errors", len(loaded.problems))
    incidents = defaultdict(list)
    for incident in resources.ledger.incidents(open_only=True):
        incidents[incident.monitor].append(incident)
    watched = [monitor for monitor in loaded.monitors.values() if monitor.state != "archived"]
    with resources.ledger.reading() as connection:
        judged = newest(connection, {monitor.name: _labelled(monitor) for monitor in watched})
        for monitor in watched:
            _tell(board, monitor, judged[monitor.name], incidents[monitor.name], most)
        for state, count in waiting(connection).items():
            board.set("mails", count, state)
    for part, last in heartbeats(resources.ledger).items():
        board.set("last_seen_timestamp_seconds", last.timestamp(), part)
    return exposition(board.gauges.values())


def _labelled(monitor: Monitor) -> set[str]:
    return {rule.id for rule in monitor.rules if waits_for_labels(monitor, rule)}


def _tell(board: _Board, monitor: Monitor, judged: Sequence[Judged], incidents: Sequence[Incident], most: int) -> None:
    name = monitor.name
    board.set("monitor_info", 1, name, monitor.owner or "", monitor.criticality, monitor.model.task, monitor.state)
    board.set("window_seconds", monitor.window.total_seconds(), name)
    board.set("lateness_seconds", monitor.lateness.total_seconds(), name)
    numbers = _numbers(monitor, judged)
    for path, one in numbers[:most]:
        board.of_metric(path, one.value, name, one.series.model_version, one.series.segment, one.series.feature)
        board.set("window_end_timestamp_seconds", one.end.timestamp(), name, path)
    by_severity = Counter(incident.severity for incident in incidents)
    for severity in Severity:
        board.set("incidents_open", by_severity[severity], name, severity)
    for incident in sorted(incidents, key=lambda one: one.severity)[:most]:
        series = incident.series
        about = (series.model_version, series.segment, series.feature)
        board.set("incident_open", 1, name, series.rule, incident.severity, *about)
    board.set("series_left_out", max(len(numbers) - most, 0) + max(len(incidents) - most, 0), name)


def _numbers(monitor: Monitor, judged: Sequence[Judged]) -> list[tuple[str, Judged]]:
    """Return the numbers of a monitor with their metrics: those about all rows first, then breaches, then the others.

    Rules that judge the same number have it once.
    """
    metrics = {rule.id: rule.metric for rule in monitor.rules}

    def rank(number: tuple[str, Judged]) -> tuple[bool, bool]:
        series = number[1].series
        return bool(series.model_version or series.segment or series.feature), not number[1].is_breach

    found = ((metrics[one.series.rule], one) for one in judged if one.series.rule in metrics)  # others are of the past
    unlike: dict[tuple[str, ...], tuple[str, Judged]] = {}
    for path, one in sorted(found, key=rank):
        unlike.setdefault((path, one.series.model_version, one.series.segment, one.series.feature), (path, one))
    return list(unlike.values())
