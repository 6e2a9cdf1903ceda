"""Schema: a column that is gone, renamed or of another type, and what is no change at all."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tests.checks.quality.columns import a_baseline, measured, some_columns


def test_a_missing_column_is_a_schema_change_and_the_new_name_is_guessed() -> None:
    found = measured(some_columns(100, amount=None), strangers={"Amount_": None, "created_at": None})
    change = found["amount", "schema_change"]
    assert change.value == 1
    assert change.note == "renamed: amount, numeric (double), is missing - is it now 'Amount_'?"
    assert ("amount", "null_rate") not in found


@pytest.mark.parametrize(
    ("others", "heir"),
    [
        ({"AMOUNT": False}, "AMOUNT"),
        ({"amount_eur": False, "created_at": False}, "amount_eur"),
        ({"paid": True, "created_at": False}, "paid"),
        ({"created_at": False}, ""),
        ({"paid": True, "sum": True}, ""),
        ({}, ""),
    ],
)
def test_a_new_name_is_guessed_by_what_it_says_or_by_being_new(others: dict[str, bool | None], heir: str) -> None:
    note = measured(some_columns(100, amount=None), strangers=others)["amount", "schema_change"].note
    assert note.startswith("renamed" if heir else "missing")
    assert heir in note
    assert bool(heir) == ("is it now" in note)
    assert heir or all(other in note for other in others)


def test_an_emptied_column_is_renamed_where_another_holds_its_values_and_null_where_none_does() -> None:
    empty = some_columns(100, amount=pa.nulls(100, pa.float64()))
    change = measured(empty, strangers={"amountEur": True})["amount", "schema_change"]
    assert (change.value, change.note) == (
        1,
        "renamed: amount, numeric (double), has no value any more - is it now 'amountEur'?",
    )
    assert measured(empty, strangers={"amount_class": False})["amount", "schema_change"].value == 0
    assert measured(empty)["amount", "null_rate"].value == 1


def test_numbers_that_come_as_text_are_a_schema_change_and_still_read() -> None:
    texts = [str(value) for value in some_columns(100)["amount"].to_pylist()[:90]] + ["n/a"] * 6 + [""] * 4
    found = measured(some_columns(100, amount=texts))
    assert found["amount", "schema_change"].value == 1
    assert found["amount", "schema_change"].note == "retyped: expected numeric (double), found string"
    assert (found["amount", "null_rate"].value, found["amount", "out_of_range_share"].value) == (0.1, 0.0)


@pytest.mark.parametrize("same", [pa.int64(), pa.float32(), pa.decimal128(10, 2)])
def test_another_number_type_is_no_schema_change(same: pa.DataType) -> None:
    amounts = pa.array(some_columns(2000)["amount"].to_numpy().round(), pa.float64())
    found = measured(some_columns(2000, amount=amounts.cast(same)), a_baseline(amount=amounts))
    assert found["amount", "schema_change"].value == 0


@pytest.mark.parametrize("kind", [pa.int64(), pa.float64()])
def test_numbers_that_lost_their_fractions_are_of_another_type(kind: pa.DataType) -> None:
    amounts = pa.array(some_columns(100)["amount"].to_numpy().round()).cast(kind)
    changed = measured(some_columns(100, amount=amounts))["amount", "schema_change"]
    assert (changed.value, changed.note) == (1, "retyped: expected numeric (double), found whole numbers only")


def test_whole_numbers_of_another_scale_are_another_unit_and_one_value_is_stuck() -> None:
    cents = measured(some_columns(400, amount=some_columns(400)["amount"].to_numpy() * 1000))
    assert (cents["amount", "unit_change"].value, cents["amount", "schema_change"].value) == (1, 0)
    still = measured(some_columns(400, amount=np.full(400, 7.0)))
    assert (still["amount", "stuck"].value, still["amount", "schema_change"].value) == (1, 0)


def test_a_column_without_a_value_tells_nothing_of_its_type() -> None:
    found = measured(some_columns(100, amount=pa.nulls(100)))
    assert (found["amount", "schema_change"].value, found["amount", "null_rate"].value) == (0, 1)
    assert found["amount", "sentinel_share"].note == "no values"
