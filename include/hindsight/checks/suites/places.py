"""Places: where an expectation is answered, told from the expectation and never from how many rows there are.

The rows in hand answer whatever they can see: distinct ids, in every database by the same rules. What they cannot see
is answered by the warehouse.
"""

from __future__ import annotations

import builtins
from collections.abc import Collection
from enum import StrEnum

from hindsight.checks.suites.suites import Expectation

_ABOUT_TYPES = {
    "expect_column_values_to_be_of_type",
    "expect_column_values_to_be_in_type_list",
    "expect_column_type_to_be",
}
# A row that was logged twice is what these are about; the rows in hand are distinct.
_ABOUT_REPEATS = {
    "expect_column_values_to_be_unique",
    "expect_compound_columns_to_be_unique",
    "expect_column_proportion_of_unique_values_to_be_between",
}


class Place(StrEnum):
    """Where an expectation is answered, in the words of a note."""

    ROWS = "on the rows in hand"
    WAREHOUSE = "as SQL"
    DECLARED = "of the table as declared"


def places(
    expectation: Expectation, seen: Collection[str], *, repeated: bool, warehouse: bool = True
) -> tuple[Place, ...]:
    """Return where an expectation can be answered; a later place is asked only where an earlier one cannot.

    `seen` are the columns that the rows in hand have as they were logged, `repeated` whether some id was logged more
    than once. Without a warehouse the rows in hand are asked everything.
    """
    if not warehouse:
        return (Place.ROWS,)
    in_hand = bool(expectation.columns) and expectation.needs <= set(seen) and not _is_about_table(expectation)
    if expectation.type in _ABOUT_TYPES and not _is_type_of_rows(expectation):
        return (Place.DECLARED,)
    if expectation.type in _ABOUT_TYPES:
        return (Place.ROWS,) if in_hand else ()
    if not in_hand or (repeated and is_about_repeats(expectation)):
        return (Place.WAREHOUSE,)
    return (Place.ROWS, Place.WAREHOUSE)


def is_about_repeats(expectation: Expectation) -> bool:
    """Say whether an id that was logged twice bears on the answer."""
    return expectation.type in _ABOUT_REPEATS


def _is_about_table(expectation: Expectation) -> bool:
    return expectation.type.startswith("expect_table_") or expectation.type == "expect_column_to_exist"


def _is_type_of_rows(expectation: Expectation) -> bool:
    """Whether one of the types named is a word of Python, numpy or pandas and not of a database."""
    named = (expectation.kwargs.get("type_"), *(expectation.kwargs.get("type_list") or ()))
    return any(isinstance(name, str) and _is_known(name) for name in named)


def _is_known(name: str) -> bool:
    import pandas as pd

    try:
        pd.api.types.pandas_dtype(name)
    except (TypeError, ValueError):
        return isinstance(getattr(builtins, name, getattr(pd, name, None)), type)
    return True
