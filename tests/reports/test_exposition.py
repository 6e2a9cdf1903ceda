"""The text for Prometheus is what its own client writes, byte for byte, whatever is in a label."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest

from hindsight.reports.exposition import Gauge, exposition

numbers = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(10**9), 10**9).map(float))
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


class AsTheClientWritesIt:
    """The gauges as its client takes them."""

    def __init__(self, gauges: list[Gauge]) -> None:
        self.gauges = gauges

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for gauge in self.gauges:
            family = GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.labels)
            for labels, value in gauge.samples.items():
                family.add_metric(labels, value)
            yield family


@given(st.lists(st.tuples(words, words, numbers), max_size=5), numbers, words)
def test_it_is_what_the_client_writes(samples: list[tuple[str, str, float]], lone: float, told: str) -> None:
    some, bare = Gauge("hindsight_some", f"a \\ b\n{told}", ("monitor", "feature")), Gauge("hindsight_bare", "x")
    for monitor, feature, value in samples:
        some.set(value, monitor, feature)
    bare.set(lone)
    gauges = [some, bare, Gauge("hindsight_none", "nothing yet", ("monitor",))]
    assert exposition(gauges) == generate_latest(AsTheClientWritesIt(gauges))


def test_what_is_no_number_is_left_out_and_of_equal_labels_the_first_counts() -> None:
    gauge = Gauge("g", "h", ("monitor",))
    for value in (float("nan"), 2.0, 3.0, float("inf")):
        gauge.set(value, "credit")
    assert exposition([gauge]) == b'# HELP g h\n# TYPE g gauge\ng{monitor="credit"} 2.0\n'
