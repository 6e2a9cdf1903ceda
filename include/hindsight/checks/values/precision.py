"""Precision: numbers that only changed how many of their digits are kept, told from numbers that moved.

A column that is REAL from some day on, or NUMERIC(10, 2), or MariaDB's FLOAT with its six digits, holds the same
numbers less exactly. `alike` brings both sides to what the coarser one keeps, so that equal numbers are equal again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from hindsight.checks.values.distributions import Distribution, distances, distinct

STEP = 2.0**-21  # four steps of a float32, as a share of a value: what rounding to one can do, and some
DECIMALS = (2, 3, 4, 5, 6)  # places a column may be rounded to; to whole numbers is for `quality` to say
DIGITS = 6
NEARLY = 1e-6  # of a unit
PROBED = 256  # values of a side, evenly over its order, by which its precision is known
APART = 0.2  # by how much the shares of values that a precision leaves as they are must differ
A_FEW = 0.05  # the same of float32, which hides nothing
WRITTEN = 0.99
FINE = 0.1  # of a standard deviation: a unit no coarser hides no movement worth a mail

Rounding = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True)
class Precision:
    """A way of keeping fewer digits, and how far apart numbers written so are at a value of a size.

    Several `roundings` where a half may go either way; none changes the order.
    """

    roundings: tuple[Rounding, ...]
    unit: Callable[[float], float]
    slack: float = STEP  # decimals are as they are in float32, too
    apart: float = APART
    whole: float = WRITTEN  # the share of a side that must be written so: round numbers are common anyway

    def keeps(self, values: np.ndarray) -> np.ndarray:
        """Return which values it leaves as they are."""
        return np.asarray(np.abs(self.roundings[0](values) - values) <= self.slack * np.abs(values))


def near(values: np.ndarray) -> np.ndarray:
    """Return how far from each value a number may lie and still be that value, written as a float32."""
    return np.asarray(STEP * np.abs(values))


def alike(reference: Distribution, current: Distribution, std: float) -> tuple[Distribution, Distribution] | None:
    """Return both sides at the precision of the coarser one, None where their precision is the same.

    A precision counts if it leaves the values of one side as they are and not those of the other, of which float32 may
    be that of some rows: a window may change half-way. Its unit must be no more than a tenth of `std`, the reference's
    standard deviation, unless that is 0; where all values of the window are written in it no more than the whole of
    one. Of several, and of ways to round a half, the one under which the sides lie nearest counts: what has moved lies
    apart under all.
    """
    found = [(_rounded(reference, one), _rounded(current, one)) for one in differing(reference, current, std)]
    return min(found, key=lambda pair: distances(*pair).ks, default=None)


def _probe(side: Distribution) -> np.ndarray:
    """Return finite values evenly over the rows, in ascending order."""
    finite = side.finite()
    rows = np.unique(np.linspace(0, max(finite.n - 1, 0), PROBED).astype(np.int64)) if finite.n else np.zeros(0, int)
    places = rows if finite.ranks is None else np.searchsorted(finite.ranks, rows, side="right") - 1
    return np.asarray(finite.values[places])


def differing(reference: Distribution, current: Distribution, std: float) -> Iterator[Rounding]:
    """Yield the roundings by which two samples may differ in nothing but their precision; see `alike`."""
    then, now = _probe(reference), _probe(current)
    if not (then.size and now.size):
        return
    with np.errstate(over="ignore", invalid="ignore"):
        for precision in PRECISIONS:
            shares = [float(np.mean(precision.keeps(side))) for side in (then, now)]
            if abs(shares[0] - shares[1]) <= precision.apart or max(shares) < precision.whole:
                continue
            unit = precision.unit(float(np.abs(then).max()))
            whole = bool((now % 1 == 0).all())
            if std == 0 or unit <= FINE * std or (shares[1] == 1 and not whole and unit <= std):
                yield from precision.roundings


def _rounded(side: Distribution, rounding: Rounding) -> Distribution:
    with np.errstate(over="ignore", invalid="ignore"):
        values = rounding(side.values)
    return replace(side, values=np.where(np.isfinite(values), values, side.values))


def single(values: np.ndarray) -> np.ndarray:
    """Return the nearest float32 of each value, infinite beyond them."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(values, dtype=np.float32).astype(np.float64)


def untwinned(values: np.ndarray) -> np.ndarray:
    """Return ascending values in which a float32 beside a double it may stand for is that double.

    Where rows of both precisions are mixed each value is there twice, a last digit apart: no edge is to part the two.
    """
    finite = distinct(values)[0]
    nearest = single(finite)
    is_twin = (nearest[1:] == nearest[:-1]) & ((nearest[1:] == finite[1:]) | (nearest[:-1] == finite[:-1]))
    if not is_twin.any():
        return values
    beside = np.flatnonzero(np.append(is_twin, False) | np.append(False, is_twin))
    return _replaced(values, *_stand_ins(finite[beside], nearest[beside], np.append(False, is_twin)[beside]))


def _stand_ins(finite: np.ndarray, nearest: np.ndarray, is_twin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the float32s among values beside twins, and the last double of each one's run of twins, if it has any."""
    starts = np.flatnonzero(~is_twin)
    doubles = np.where(nearest == finite, -1, np.arange(finite.size))
    last = np.maximum.reduceat(doubles, starts)[np.cumsum(~is_twin) - 1]
    changes = (nearest == finite) & (last >= 0)
    return finite[changes], finite[last[changes]]


def _replaced(values: np.ndarray, these: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return ascending values with others in place of some that are among them."""
    firsts, ends = (np.searchsorted(values, these, side=side) for side in ("left", "right"))
    rows = ends - firsts
    places = np.arange(rows.sum()) + np.repeat(firsts - (np.cumsum(rows) - rows), rows)
    found = values.copy()
    found[places] = np.repeat(others, rows)
    return found


def _half_up(rounding: Rounding) -> Rounding:
    """Round a half, and what is one but for its last bits, away from zero, as databases do."""
    return lambda values: rounding(values * (1 + 2.0**-48))


def _to_decimals(places: int) -> Rounding:
    """Round as numpy and pandas do."""
    scale = 10.0**places
    return lambda values: np.asarray(np.rint(values * scale) / scale)


def _exactly(places: int) -> Rounding:
    """Round what looks like a half by all its bits, as Python does."""
    rounding, scale = _to_decimals(places), 10.0**places

    def exact(values: np.ndarray) -> np.ndarray:
        found = rounding(values)
        halves = np.abs(values * scale % 1 - 0.5) < NEARLY
        distinct, places_of = np.unique(values[halves], return_inverse=True)
        found[halves] = np.array([round(value, places) for value in distinct.tolist()])[places_of]
        return found

    return exact


def _to_digits(values: np.ndarray) -> np.ndarray:
    """Six significant digits, as the double nearest to what they spell."""
    sizes = np.abs(values)
    places = DIGITS - 1 - np.floor(np.log10(np.where(sizes > 0, sizes, 1.0)))
    up, down = 10.0 ** np.maximum(places, 0), 10.0 ** np.maximum(-places, 0)
    return np.asarray(np.rint(values * up / down) * down / up)


def _decimals(places: int) -> Precision:
    rounding = _to_decimals(places)
    return Precision((rounding, _half_up(rounding), _exactly(places)), lambda _: 10.0**-places)


PRECISIONS = (
    Precision((single,), lambda size: size * 2.0**-23, slack=0.0, apart=A_FEW, whole=0.0),
    Precision((_to_digits, _half_up(_to_digits)), lambda size: size * 10.0 ** (1 - DIGITS)),
    *map(_decimals, DECIMALS),
)
