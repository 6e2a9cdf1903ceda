"""What lint says of a monitor whose windows the warehouse counts, where it asks for what only rows can tell."""

from __future__ import annotations

from typing import Any

import pytest

from hindsight.monitors.counting_checks import counting_problems
from tests.builders import a_monitor, monitor_file


def said(*, count_in: str = "warehouse", allow_rows: bool = False, **changes: Any) -> list[tuple[tuple[Any, ...], str]]:
    source = monitor_file()["source"] | {"count_in": count_in, "allow_rows": allow_rows}
    return list(counting_problems(a_monitor(source=source, **changes)))


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"drift": {"method": "evidently:ks"}}, ("drift", "method")),
        ({"quality": {"suite": "credit"}}, ("quality", "suite")),
        ({"kpis": {"lent": {"sum": "amount"}}}, ("kpis", "lent")),
    ],
)
def test_what_only_rows_can_tell_is_refused(changes: dict[str, Any], where: tuple[str, ...]) -> None:
    ((there, words),) = said(**changes)
    assert there == where
    assert "source.count_in" in words
    assert said(count_in="worker", **changes) == []


def test_a_suite_and_a_kpi_of_a_feature_may_be_allowed() -> None:
    assert said(allow_rows=True, quality={"suite": "credit"}, kpis={"lent": {"sum": "amount"}}) == []


def test_a_kpi_of_a_segment_or_of_the_log_is_none_of_it() -> None:
    assert said(kpis={"spent": {"sum": "cost_usd", "where": {"region": "EU"}}}) == []


def test_allowing_rows_to_a_worker_says_nothing() -> None:
    ((where, words),) = said(count_in="auto", allow_rows=True)
    assert where == ("source", "allow_rows")
    assert "count_in: warehouse" in words
