"""Measurement: one number about one window, the row from which snapshots are made and verdicts are judged."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a number is about; also the partition of its snapshots in the store."""

    OPERATIONS = "operations"
    QUALITY = "quality"
    DRIFT = "drift"
    PERFORMANCE = "performance"
    ESTIMATE = "estimate"
    LABELS = "labels"
    KPI = "kpi"
    PROFILE = "profile"
    SLO = "slo"  # made of the others when judging, and never stored
    PROMOTION = "promotion"  # likewise


STORED = tuple(kind for kind in Kind if kind not in (Kind.SLO, Kind.PROMOTION))


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number: `value` None means not evaluated, and then `note` says why.

    `model_version` "" is all versions together, `segment` "" all rows (else "region=EU"), `feature` the column the
    number is about, `bin` the key inside a vector metric; `n` the rows behind the number, `reference` the same
    metric on the reference rows, `lower` and `upper` a 95 % interval.
    """

    metric: str
    value: float | None
    n: int = 0
    model_version: str = ""
    segment: str = ""
    feature: str = ""
    bin: str = ""
    lower: float | None = None
    upper: float | None = None
    reference: float | None = None
    note: str = ""
