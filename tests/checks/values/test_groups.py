"""Groups and the canonical texts of values."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from hindsight.checks.values.categories import encode
from hindsight.checks.values.groups import groups
from hindsight.vocabulary.rows import TableRows
from tests.builders import a_monitor


def rows_of(**columns: object) -> TableRows:
    return TableRows(pa.table(columns))


def decoded(column: pa.Array) -> list[str | None]:
    categories = encode(column)
    return [None if code < 0 else categories.texts[code] for code in categories.codes]


def test_groups_are_all_rows_then_versions_then_segment_values_in_order() -> None:
    rows = rows_of(model_version=["v2"] * 30 + ["v1"] * 30, region=["EU", "AS", "US"] * 20)
    found = groups(rows, a_monitor())
    assert [(g.model_version, g.segment, g.n) for g in found] == [
        ("", "", 60),
        ("v1", "", 30),
        ("v2", "", 30),
        ("", "region=AS", 20),
        ("", "region=EU", 20),
        ("", "region=US", 20),
    ]
    assert found[0].mask is None
    assert found[1].mask.tolist() == [False] * 30 + [True] * 30  # type: ignore[union-attr]


def test_a_group_of_nineteen_rows_is_no_group() -> None:
    rows = rows_of(region=["EU"] * 20 + ["US"] * 19 + [None] * 40)
    assert [g.segment for g in groups(rows, a_monitor())] == ["", "region=EU"]


def test_a_missing_segment_column_and_an_empty_window_have_only_the_group_of_all() -> None:
    assert [g.n for g in groups(rows_of(amount=[1.0]), a_monitor())] == [1]
    assert [g.n for g in groups(rows_of(region=pa.array([], pa.string())), a_monitor())] == [0]


def test_null_is_not_the_text_none() -> None:
    assert decoded(pa.array([None, "None", "<null>", ""])) == [None, "None", '"<null>"', "<empty>"]


def test_both_unicode_forms_of_a_text_are_one_category() -> None:
    assert decoded(pa.array(["caf\u00e9", "cafe\u0301"])) == ["café", "café"]


@pytest.mark.parametrize(
    ("column", "texts"),
    [
        (pa.array([1, 2, None]), ["1", "2", None]),
        (pa.array([1.0, -0.0, 0.0, float("nan"), 0.5]), ["1", "0", "0", None, "0.5"]),
        (pa.array([True, False, None]), ["true", "false", None]),
        (pa.array([Decimal("1.50"), None]), ["1.5", None]),
        (pa.array([b"\xff", None]), ["ff", None]),
        (pa.array([["a"], None]), ["['a']", None]),
        (pa.array(["a", None, "a"]).dictionary_encode(), ["a", None, "a"]),
        (pa.array([datetime(2026, 9, 1, tzinfo=UTC)]), ["2026-09-01 00:00:00.000000Z"]),
        (pa.nulls(2), [None, None]),
        (pa.array([], pa.string()), []),
    ],
)
def test_values_of_every_type_have_a_text(column: pa.Array, texts: list[str | None]) -> None:
    assert decoded(column) == texts


def test_a_megabyte_of_text_is_cut_but_stays_distinct() -> None:
    categories = encode(pa.array(["x" * 2**20, "x" * 2**20 + "y", "x" * 2**20]))
    assert categories.codes.tolist() == [0, 1, 0]
    assert all(len(text) <= 120 for text in categories.texts)


def test_counts_ignore_nulls_and_follow_the_mask() -> None:
    categories = encode(pa.array(["a", None, "b", "a"]))
    assert categories.counts().tolist() == [2, 1]
    assert categories.counts(np.array([True, True, False, False])).tolist() == [1, 0]
