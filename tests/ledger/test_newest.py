"""The newest numbers of many monitors: those of labels each in its own window, the others in the newest of all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from hindsight.ledger.ledger import Ledger
from hindsight.ledger.newest import newest
from hindsight.verdicts.model import Series, Status, Verdict
from tests.builders import DAY, a_window, at
from tests.ledgers import a_ledger

NOW = at("2026-10-01")


@pytest.fixture
def ledger(database_url: sa.URL) -> Iterator[Ledger]:
    made = a_ledger(database_url)
    yield made
    made.engine.dispose()


def judged(ledger: Ledger, monitor: str, series: Series, *said: tuple[str, float | None, Status]) -> None:
    found = [Verdict(series, a_window(day), NOW, at(day) + DAY, status, value, None, 9) for day, value, status in said]
    with ledger.locked(monitor) as tx:
        tx.save_verdicts(found, NOW)


def test_each_rule_of_labels_has_its_own_newest_window_and_the_others_the_newest_of_all(ledger: Ledger) -> None:
    ok, young = Status.OK, Status.IMMATURE
    judged(ledger, "credit", Series("latency"), ("2026-09-08", 1.0, ok), ("2026-09-09", 2.0, Status.BREACH))
    judged(ledger, "credit", Series("gone"), ("2026-09-01", 9.0, ok))
    accuracy = (("2026-09-01", 0.8, ok), ("2026-09-02", 0.7, ok), ("2026-09-09", 0.1, young))
    judged(ledger, "credit", Series("accuracy"), *accuracy)
    judged(ledger, "credit", Series("accuracy", segment="region=EU"), ("2026-09-02", 0.6, ok))
    judged(ledger, "credit", Series("budget", feature="b"), ("2026-09-03", 0.5, ok))
    judged(ledger, "credit", Series("budget", feature="c"), ("2026-09-03", 0.4, ok), ("2026-09-04", 0.3, ok))
    judged(ledger, "fraud", Series("accuracy"), ("2026-09-05", 0.9, ok), ("2026-09-06", None, Status.NO_DATA))
    judged(ledger, "other", Series("latency"), ("2026-09-09", 5.0, ok))
    with ledger.reading() as connection:
        found = newest(connection, {"credit": ["accuracy", "budget", "never"], "fraud": ["accuracy"], "empty": []})
    told = {name: sorted((one.series, one.value, one.is_breach) for one in some) for name, some in found.items()}
    assert told == {
        "credit": [
            (Series("accuracy"), 0.7, False),
            (Series("accuracy", segment="region=EU"), 0.6, False),
            (Series("budget", feature="b"), 0.5, False),
            (Series("budget", feature="c"), 0.4, False),
            (Series("latency"), 2.0, True),
        ],
        "fraud": [(Series("accuracy"), 0.9, False)],
        "empty": [],
    }
    assert {one.end for one in found["credit"] if one.series.rule == "accuracy"} == {at("2026-09-03")}
