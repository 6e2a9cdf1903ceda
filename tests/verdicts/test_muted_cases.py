"""What a silence of a case is about: what the case is about, and no more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from hindsight.monitors.model import Monitor
from hindsight.verdicts.model import Incident, Series
from hindsight.verdicts.silence import WHOLE, Silence, muted_by
from tests.builders import a_monitor, at

RULES = [{"id": "wrong", "metric": "operations.error_rate", "above": 0.1, "segments": True}]


def mutes(monitor: Monitor, *series: Series) -> list[Silence]:
    about = muted_by([cast(Incident, SimpleNamespace(series=one)) for one in series], monitor.rules)
    fields = [(one.rule, one.segment, one.feature) for one in about]
    return [Silence(at("2026-09-01"), at("2026-09-02"), "ann", "x", *field) for field in fields]


def test_a_case_of_one_segment_mutes_no_other_and_not_the_whole() -> None:
    [silence] = mutes(a_monitor(rules=RULES), Series("wrong", segment="region=EU"))
    assert silence.concerns(Series("wrong", segment="region=EU"))
    assert not silence.concerns(Series("wrong", segment="region=US"))
    assert not silence.concerns(Series("wrong"))


def test_a_case_of_all_rows_mutes_no_segment() -> None:
    [silence] = mutes(a_monitor(rules=RULES), Series("wrong"))
    assert silence.segment == WHOLE
    assert silence.concerns(Series("wrong"))
    assert not silence.concerns(Series("wrong", segment="region=EU"))
    assert silence.about == "wrong in all rows"


def test_a_rule_that_knows_no_segments_is_muted_as_such() -> None:
    assert [one.about for one in mutes(a_monitor(), Series("volume"))] == ["volume"]


def test_few_columns_are_muted_one_by_one_and_many_as_every_column() -> None:
    columns = [Series("null_rate", feature=f"f{k}") for k in range(6)]
    assert [one.feature for one in mutes(a_monitor(), *columns[:5])] == [f"f{k}" for k in range(5)]
    assert [one.feature for one in mutes(a_monitor(), *columns)] == [""]
