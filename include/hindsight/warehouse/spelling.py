"""Spelling: how the ids of a table are written, and how one id would be written in the way of another table; pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from string import punctuation, whitespace
from uuid import UUID

SPARE = 2  # characters by which ids may be shorter or longer than those of the sample
ENOUGH = 5  # ids from which on what all of them share is no accident
_AFFIX = re.compile(r".*[^A-Za-z0-9]|[A-Za-z]+(?=\d)", re.DOTALL)  # up to a sign, or letters before digits
_NUMBER = re.compile(r"0*(\d+?)(?:\.0+)?", re.DOTALL)
_UUID = re.compile(r"[\dA-F]{8}(-?[\dA-F]{4}){3}-?[\dA-F]{12}|[\dA-F]{12}-?([\dA-F]{4}-?){3}[\dA-F]{8}", re.IGNORECASE)
_HEX = re.compile(r"[0-9A-Fa-f]{32}")
_WRAPPED = re.compile(r"(?:urn:uuid:|[{(\[\"'])(.+?)[})\]\"']?", re.DOTALL | re.IGNORECASE)
_MOST_WIDTHS = 3
_SIGNS = punctuation + whitespace
_BLANKS = "with blanks around them"


@dataclass(frozen=True, slots=True)
class Spelling:
    """What a sample of ids has in common: what stands before and after each, their lengths, and how each is written.

    `widths` are the commonest lengths. The ways are words for people: "in upper case", "with hyphens"; `rest` those of
    what stands behind the prefix.
    """

    prefix: str = ""
    suffix: str = ""
    shortest: int = 0
    longest: int = 0
    widths: tuple[int, ...] = ()
    ways: tuple[str, ...] = ()
    rest: tuple[str, ...] = ()

    @classmethod
    def of(cls, ids: Sequence[str]) -> Spelling:
        """Return how these ids are written."""
        if not ids:
            return cls()
        prefix, suffix = (_affix(ids), _affix([id[::-1] for id in ids])[::-1]) if len(set(ids)) >= ENOUGH else ("", "")
        lengths = Counter(len(id) for id in ids)
        widths = tuple(length for length, _ in lengths.most_common(_MOST_WIDTHS))
        whole, rest = (tuple(_ways(texts)) for texts in (ids, [id.removeprefix(prefix) for id in ids]))
        return cls(prefix, suffix, min(lengths), max(lengths), widths, whole, rest)


def respelt(id: str, own: Spelling, other: Spelling, *, affixes: bool) -> list[str]:
    """Return how an id of the `own` spelling may be written where ids have the `other` one; never as it is.

    Blanks, braces, hyphens, case, leading zeros and .0 are put on and taken off; with `affixes` also what all
    ids of a side begin or end with, which proves less: another model's ids may differ from these by that alone.
    """
    before, after = (
        (other.prefix, other.suffix) if affixes else (_signs(other.prefix), _signs(other.suffix[::-1])[::-1])
    )
    found: dict[str, None] = {}
    for core in _cores(id, own, affixes=affixes):
        for text in (core, *_numbers(core, other), *_dashed(core)):
            for cased in (text, text.lower(), text.upper()):
                padded = cased.ljust(other.longest) if _BLANKS in other.ways else cased
                found |= dict.fromkeys((cased, padded, f"{before}{cased}{after}"))
    fitting = (text for text in found if other.shortest - SPARE <= len(text) <= other.longest + SPARE)
    return [text for text in fitting if text != id]


def difference(labels: Spelling, predictions: Spelling, *, personal: bool = False) -> str:
    """Say what differs: "labels are written in upper case, predictions in lower case"; "" where nothing is seen.

    Where ids are `personal` no part of one is said.
    """
    theirs, ours = list(labels.ways), list(predictions.ways)
    if labels.prefix.casefold() != predictions.prefix.casefold():
        theirs, ours = (_with_prefix(side, personal=personal) for side in (labels, predictions))
    theirs, ours = [way for way in theirs if way not in ours], [way for way in ours if way not in theirs]
    return f"labels are written {_listed(theirs)}, predictions {_listed(ours)}" if ours or theirs else ""


def _with_prefix(side: Spelling, *, personal: bool) -> list[str]:
    """How ids are written when their prefix is named: what it explains is not said again."""
    if not re.search(r"[A-Za-z0-9]", side.prefix):
        return list(side.ways)
    return [*side.rest, f"with {'a prefix' if personal else repr(side.prefix)} before each"]


def _signs(affix: str) -> str:
    """What an affix begins with that is neither letter nor digit."""
    return affix[: len(affix) - len(affix.lstrip(_SIGNS))]


def _listed(ways: Sequence[str]) -> str:
    return " and ".join(ways) or "without"


def _affix(ids: Sequence[str]) -> str:
    """What all ids begin with, up to a sign or to where digits follow letters; "" where one is nothing but that.

    UUIDs that were made one after the other begin alike; what they share is no prefix.
    """
    first, last = min(ids), max(ids)  # what these share all between them do
    shared = next((first[:k] for k, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), first)
    if uuid := _UUID.search(first):
        shared = shared[: uuid.start()]
    found = _AFFIX.match(shared + "0")
    return found.group() if found and all(len(id) > len(found.group()) for id in ids) else ""


def _cores(id: str, own: Spelling, *, affixes: bool) -> Iterator[str]:
    """An id without what surrounds it, wholly or in part."""
    plain = id.strip()
    yield plain
    if wrapped := _WRAPPED.fullmatch(plain):
        yield wrapped[1]
    if affixes and (own.prefix or own.suffix):
        yield id.removeprefix(own.prefix).removesuffix(own.suffix)


def _numbers(text: str, other: Spelling) -> Iterator[str]:
    if number := _NUMBER.fullmatch(text):
        yield number[1]
        yield f"{number[1]}.0"
        around = len(other.prefix) + len(other.suffix)
        yield from (number[1].zfill(width) for full in other.widths for width in (full, full - around))


def _dashed(text: str) -> Iterator[str]:
    bare = re.sub(r"[-_ ]", "", text)
    if bare != text:
        yield bare
    if _HEX.fullmatch(bare):
        yield str(UUID(bare))


def _ways(ids: Sequence[str]) -> Iterator[str]:
    """How most of the ids are written, in words."""
    every = [id.strip() for id in ids]
    letters = [id for id in every if id.upper() != id.lower()]
    if letters and all(id == id.upper() for id in letters):
        yield "in upper case"
    elif letters and all(id == id.lower() for id in letters):
        yield "in lower case"
    for way, test in _TESTS.items():
        if 2 * sum(map(test, ids)) > len(every):
            yield way
    if any(id.isdecimal() and len(id) > 1 and id[0] == "0" and not _HEX.fullmatch(id) for id in every):
        yield "with leading zeros"


_TESTS = {
    "with hyphens": lambda id: "-" in id,
    "in braces": lambda id: id.strip()[:1] in ("{", "(", "["),
    _BLANKS: lambda id: id != id.strip(),
    "as numbers with a fraction": lambda id: re.fullmatch(r"\d+\.0+", id.strip()) is not None,
}
