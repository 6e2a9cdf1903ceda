"""Builders: a valid monitor, window or measurement in one line, with what a test is about spelled out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.windows import Window

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    """'2026-09-01' or '2026-09-01T06:00' as aware UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def a_window(start: str = "2026-09-01", size: timedelta = DAY) -> Window:
    return Window(at(start), at(start) + size)


def a_monitor(**changes: Any) -> Monitor:
    """A binary monitor on tables inference_log and ground_truth; `changes` replace top-level keys of the file."""
    return Monitor.model_validate(monitor_file(**changes))


def monitor_file(**changes: Any) -> dict[str, Any]:
    """The same monitor as the mapping its file would hold."""
    file: dict[str, Any] = {
        "name": "credit",
        "start": "2026-09-01",
        "model": {"name": "credit", "task": "binary"},
        "source": {
            "predictions": {
                "table": "inference_log",
                "id": "request_id",
                "timestamp": "predicted_at",
                "model_version": "model_version",
                "prediction": "prediction",
                "score": "score",
                "latency_ms": "latency_ms",
                "status_code": "status_code",
                "cost": "cost_usd",
            },
            "labels": {"table": "ground_truth", "id": "request_id", "label": "label", "arrived_at": "labeled_at"},
        },
        "labels": {"matures_after": "7d"},
        "features": {"amount": "numeric", "region": "categorical"},
        "segments": ["region"],
        "alerts": {"email": ["risk-ml@example.com"], "runbook": "https://wiki.example.com/credit"},
    }
    return file | changes


def a_measurement(
    metric: str = "total_requests", value: float | None = 100.0, n: int = 100, **rest: Any
) -> Measurement:
    return Measurement(metric, value, n, **rest)
