"""Drafts: a Great Expectations suite for a table nobody described, with so much slack that only faults break it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from math import floor, isfinite
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from hindsight.vocabulary.facts import ColumnFacts
from hindsight.vocabulary.rows import Scalar

NOTABLE_NULLS = 0.2  # a column with more is one that may be empty
FEW = 20
Config = dict[str, Any]


def suite(
    name: str, columns: Mapping[str, ColumnFacts], *, roles: Mapping[str, str], features: Mapping[str, str]
) -> str:
    """Return the text of a suite file about the columns in `roles` (role -> column) and `features` (column -> type)."""
    expectations = [
        {"id": str(uuid5(NAMESPACE_URL, f"{name}/{place}")), **config, "meta": {}, "severity": "warning"}
        for place, config in enumerate(_expectations(columns, roles, features))
    ]
    whole: Config = {
        "id": str(uuid5(NAMESPACE_URL, name)),
        "name": name,
        "expectations": expectations,
        "meta": {},
        "notes": None,
    }
    return json.dumps(whole, indent=2, allow_nan=False) + "\n"


def _expectations(
    columns: Mapping[str, ColumnFacts], roles: Mapping[str, str], features: Mapping[str, str]
) -> Iterator[Config]:
    yield _expect("values_to_not_be_null", roles["id"])
    if columns[roles["id"]].is_unique:
        yield _expect("values_to_be_unique", roles["id"], mostly=0.99)
    for role in ("prediction", "model_version"):
        if role in roles:
            yield from _nulls(columns[roles[role]])
    if "score" in roles:
        yield from _nulls(columns[roles["score"]])
        yield _expect("values_to_be_between", roles["score"], min_value=0, max_value=1)
    if "latency_ms" in roles:
        yield _expect("values_to_be_between", roles["latency_ms"], min_value=0)
    for feature, kind in features.items():
        column = columns[feature]
        yield from _nulls(column)
        yield from _range(column) if kind == "numeric" else _values(column)


def _nulls(column: ColumnFacts) -> Iterator[Config]:
    """Ask for values where nearly all rows have one: twice as many nulls as seen, and two per cent, are let pass."""
    if column.rows and column.null_share < NOTABLE_NULLS:
        mostly = 0.99 if not column.nulls else floor(100 * (1 - 2 * column.null_share - 0.02)) / 100
        yield _expect("values_to_not_be_null", column.name, mostly=mostly)


def _range(column: ColumnFacts) -> Iterator[Config]:
    """Ask 99 % of the numbers to lie in the span of the first third of the time, widened by its length on each side."""
    seen = column.early or column.quantiles
    if not column.is_number or not seen:
        return
    low, high = seen[0.005], seen[0.995]
    bounds = (low - (high - low), high + (high - low))
    if low == high or not all(map(isfinite, bounds)):
        return
    if seen[0.0] >= 0:
        bounds = (0.0, bounds[1])
    yield _expect(
        "values_to_be_between", column.name, min_value=_round(bounds[0]), max_value=_round(bounds[1]), mostly=0.99
    )


def _values(column: ColumnFacts) -> Iterator[Config]:
    values = sorted(column.values, key=str)
    if column.kind == "text" and 1 < len(values) <= FEW:
        yield _expect("values_to_be_in_set", column.name, value_set=values, mostly=0.95)


def _expect(what: str, column: str, **kwargs: Scalar | list[Scalar]) -> Config:
    return {"type": f"expect_column_{what}", "kwargs": {"column": column, **kwargs}}


def _round(value: float) -> float | int:
    """Three digits: a bound is a guess, and looks like one."""
    rounded = float(f"{value:.3g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded
