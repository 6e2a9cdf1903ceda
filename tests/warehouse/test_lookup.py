"""The statement people look rows up with: names quoted, values bound, personal columns left out."""

from __future__ import annotations

from hindsight.warehouse.lookup import rows_to_look_at
from tests.builders import a_monitor, a_window


def test_names_are_quoted_and_values_are_not_written_into_the_statement() -> None:
    monitor = a_monitor(segments=["order"], features={"order": "categorical"})
    query, _, values = rows_to_look_at(monitor, a_window("2026-09-01"), "order=E'; --").partition("\n")
    assert '"order" = :segment' in query
    assert "E'" not in query
    assert (
        values == """:start = 2026-09-01 00:00:00, :end = 2026-09-02 00:00:00 (UTC), :segment = "E'; --", :rows = 100"""
    )


def test_hashed_columns_are_neither_shown_nor_compared() -> None:
    monitor = a_monitor(segments=["region"], pii={"hash": ["region"]})
    query = rows_to_look_at(monitor, a_window("2026-09-01"), "region=ab12")
    assert "region" not in query
