"""Spelling: an id is found as the other table writes it, both ways, and people are told how the two differ."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import numpy as np
import pytest

from hindsight.warehouse.spelling import Spelling, difference, respelt

RANDOM = np.random.default_rng(20260901)
UUIDS = [str(UUID(bytes=RANDOM.bytes(16))) for _ in range(80)]
NUMBERS = [str(number) for number in RANDOM.choice(90_000, 80, replace=False)]
Write = Callable[[str], str]
CASES: dict[str, tuple[list[str], Write, str]] = {
    "upper case": (UUIDS, str.upper, "labels are written in upper case, predictions in lower case"),
    "no hyphens": (UUIDS, lambda id: id.replace("-", ""), "labels are written without, predictions with hyphens"),
    "braces": (UUIDS, lambda id: f"{{{id.upper()}}}", "labels are written in upper case and in braces"),
    "a urn": (UUIDS, lambda id: f"urn:uuid:{id}", "with 'urn:uuid:' before each"),
    "leading zeros": (NUMBERS, lambda id: id.zfill(9), "labels are written with leading zeros"),
    "a fraction": (NUMBERS, lambda id: f"{id}.0", "as numbers with a fraction"),
    "blanks around": (NUMBERS, lambda id: f" {id} ", "with blanks around them"),
    "padded": (NUMBERS, lambda id: id.ljust(12), "with blanks around them"),
    "a prefix": (NUMBERS, lambda id: f"ORD-{id}", "with 'ORD-' before each"),
    "a prefix and zeros": (NUMBERS, lambda id: f"C{id.zfill(7)}", "with 'C' before each"),
    "a suffix": (NUMBERS, lambda id: f"{id}/eu", ""),
}


@pytest.mark.parametrize(("ids", "write", "said"), CASES.values(), ids=CASES)
def test_ids_in_two_spellings_find_each_other_and_the_difference_is_named(
    ids: list[str], write: Write, said: str
) -> None:
    others = [write(id) for id in ids]
    ours, theirs = Spelling.of(ids), Spelling.of(others)
    assert all(id in respelt(other, theirs, ours, affixes=True) for id, other in zip(ids, others, strict=True))
    assert all(other in respelt(id, ours, theirs, affixes=True) for id, other in zip(ids, others, strict=True))
    assert said in difference(theirs, ours)


SERIES = [str(UUID(int=2**100 + 7919 * k)) for k in range(80)]  # as counters make them: they begin alike


@pytest.mark.parametrize(
    ("ids", "write", "said"),
    [
        (NUMBERS, lambda id: f"ord-{id}", "labels are written with 'ord-' before each, predictions without"),
        (NUMBERS, lambda id: f"C{id.zfill(7)}", "labels are written with leading zeros and with 'C' before each, pre"),
        (SERIES, lambda id: id.replace("-", ""), "labels are written without, predictions with hyphens"),
        (SERIES, lambda id: f"urn:uuid:{id}", "labels are written with 'urn:uuid:' before each, predictions without"),
        (SERIES, lambda id: f"{{{id}}}", "labels are written in braces, predictions without"),
    ],
)
def test_no_more_is_said_than_what_differs(ids: list[str], write: Write, said: str) -> None:
    assert difference(Spelling.of([write(id) for id in ids]), Spelling.of(ids)).startswith(said)


def test_of_personal_ids_no_part_is_said() -> None:
    ours, theirs = Spelling.of(NUMBERS), Spelling.of([f"smith-{id}" for id in NUMBERS])
    assert "'smith-'" in difference(theirs, ours)
    assert "smith" not in difference(theirs, ours, personal=True)


def test_an_id_is_never_its_own_other_spelling() -> None:
    spelling = Spelling.of(UUIDS)
    assert not any(id in respelt(id, spelling, spelling, affixes=True) for id in UUIDS)


def test_another_prefix_is_tried_only_where_it_is_asked_for() -> None:
    ours, theirs = (Spelling.of([f"{model}-{id}" for id in NUMBERS]) for model in ("ours", "theirs"))
    assert "theirs-17" in respelt("ours-17", ours, theirs, affixes=True)
    assert "theirs-17" not in respelt("ours-17", ours, theirs, affixes=False)


def test_nothing_is_made_of_no_ids() -> None:
    assert Spelling.of([]) == Spelling()
    assert respelt("a1", Spelling.of(["a1"]), Spelling(), affixes=True) == ["A1"]
    assert difference(Spelling.of(UUIDS), Spelling.of(UUIDS)) == ""
