"""A metric that does not exist on a window's rows is no data for any rule, absolute or relative."""

from __future__ import annotations

from typing import Any

import pytest

from hindsight.verdicts.judge import judge
from hindsight.verdicts.model import Status
from hindsight.vocabulary.measurement import Kind
from tests.builders import a_measurement, a_monitor, a_window, at


@pytest.mark.parametrize("rule", [{"below": 0.6}, {"drops_by": "20%"}, {"above": 0.9}, {"rises_by": "20%"}])
def test_a_metric_that_does_not_exist_breaches_nothing_and_says_why(rule: dict[str, Any]) -> None:
    monitor = a_monitor(rules=[{"id": "r", "metric": "performance.recall"} | rule])
    facts = {
        Kind.PERFORMANCE: [a_measurement("recall", None, n=200, reference=0.8, note="no positive labels")],
        Kind.LABELS: [a_measurement("mature", 1), a_measurement("coverage", 1)],
    }
    [verdict] = [v for v in judge(monitor, a_window("2026-09-01"), at("2026-10-01"), facts) if v.series.rule == "r"]
    assert (verdict.status, verdict.note) == (Status.NO_DATA, "no positive labels")
