"""Numbers as Prometheus scrapes them: its text format, written by its own client.

The numbers of batches carry no timestamps, for Prometheus drops samples that are an hour old and calls the scrape a
success; when their windows ended is a gauge of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import isfinite

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


@dataclass(slots=True)
class Gauge:
    """A family of samples of one name, which all have the same labels; of equal ones the first counts."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    samples: dict[tuple[str, ...], float] = field(default_factory=dict)

    def set(self, value: float, *labels: str) -> None:
        """Note a sample; one that is NaN is left out, for it would turn every sum over it into NaN."""
        if isfinite(value):
            self.samples.setdefault(labels, value)


@dataclass(frozen=True, slots=True)
class _Scraped:
    gauges: Iterable[Gauge]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for gauge in self.gauges:
            family = GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.labels)
            for labels, value in gauge.samples.items():
                family.add_metric(labels, value)
            yield family


def exposition(gauges: Iterable[Gauge]) -> bytes:
    """Return gauges in the text format of Prometheus, version 0.0.4."""
    return generate_latest(_Scraped(gauges))
