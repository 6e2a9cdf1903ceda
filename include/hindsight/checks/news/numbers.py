"""Numbers of windows: their coordinates as arrays, one part a segment, small to keep and quick to lay side by side."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hindsight.checks.news.coordinates import MEAN, Coordinate

GREATEST = float(np.finfo(np.float32).max)
Measured = tuple[str, str, int]  # feature, coordinate, the mark of the reference that it was measured by
Layout = tuple[Measured, ...]
Key = tuple[str, str, str]  # segment, feature, coordinate


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The numbers of one segment ("" is all rows): what each is, its value, the variance of its rows, and the rows."""

    layout: Layout
    values: np.ndarray
    variances: np.ndarray
    n: int

    def value(self, feature: str, coordinate: str) -> float | None:
        """Return one of the values, None where there is none."""
        found = (k for k, measured in enumerate(self.layout) if measured[:2] == (feature, coordinate))
        place = next(found, None)
        return None if place is None else float(self.values[place])


Numbers = Mapping[str, Part]  # by segment


@dataclass(frozen=True, slots=True)
class Written:
    """Numbers as they are kept: rows by segment as JSON, what the numbers are (compressed), float32 values."""

    rows: str
    layout: bytes
    numbers: bytes


@dataclass(frozen=True, slots=True)
class Table:
    """Windows by numbers, NaN where unknown: `values`, and the variance they have because rows are drawn."""

    keys: Sequence[Key]
    values: np.ndarray
    noise: np.ndarray


def part(found: Mapping[Measured, Coordinate], n: int) -> Part:
    """Return the numbers of a segment, in the order of their names, as precise as they are kept."""
    layout = tuple(sorted(found))
    exact = np.array([(found[one].value, found[one].variance) for one in layout]).reshape(-1, 2)
    pairs = np.clip(exact, -GREATEST, GREATEST).astype(np.float32)  # the mean of a column has any size
    return Part(layout, pairs[:, 0], pairs[:, 1], n)


def written(numbers: Numbers) -> Written:
    """Return numbers as they are kept; equal numbers are the same bytes."""
    names = sorted(numbers)
    layout = zlib.compress(json.dumps([numbers[name].layout for name in names], separators=(",", ":")).encode())
    arrays = [array for name in names for array in (numbers[name].values, numbers[name].variances)]
    flat = np.concatenate(arrays) if arrays else np.zeros(0)
    return Written(json.dumps({name: numbers[name].n for name in names}), layout, flat.astype("<f4").tobytes())


def read(kept: Written) -> Numbers:
    """Return numbers as they were before they were written."""
    flat, start, found = np.frombuffer(kept.numbers, "<f4"), 0, dict[str, Part]()
    for (name, n), layout in zip(json.loads(kept.rows).items(), _layouts(kept.layout), strict=True):
        size = len(layout)
        values, variances = flat[start : start + size], flat[start + size : start + 2 * size]
        found[name] = Part(layout, values, variances, n)
        start += 2 * size
    return found


@lru_cache(maxsize=64)
def _layouts(kept: bytes) -> tuple[Layout, ...]:
    return tuple(tuple((f, c, mark) for f, c, mark in one) for one in json.loads(zlib.decompress(kept)))


def table(now: Numbers, windows: Sequence[Numbers]) -> Table:
    """Lay the numbers that a window has beside those of other windows that were measured by the same reference.

    What is for people only, the mean in units of the column, is left out.
    """
    chosen = {name: [k for k, one in enumerate(now[name].layout) if one[1] != MEAN] for name in sorted(now)}
    keys = [(name, *now[name].layout[k][:2]) for name, places in chosen.items() for k in places]
    values, noise = np.full((2, len(windows), len(keys)), np.nan)
    start = 0
    for name, places in chosen.items():
        end, wanted = start + len(places), tuple(now[name].layout[k] for k in places)
        for t, numbers in enumerate(windows):
            if (theirs := numbers.get(name)) is not None:
                here, there = _places(wanted, theirs.layout)
                values[t, start:end][here] = theirs.values[there]
                noise[t, start:end][here] = theirs.variances[there]
        start = end
    return Table(keys, values, noise)


@lru_cache(maxsize=256)
def _places(wanted: Layout, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Return where of what is wanted is in a layout, and where there."""
    there = {one: place for place, one in enumerate(layout)}
    pairs = [(here, there[one]) for here, one in enumerate(wanted) if one in there]
    places = np.array(pairs, int).reshape(-1, 2)
    return places[:, 0], places[:, 1]
