"""Contributions: how much each part of the rows adds to the change of a mean over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the rows: its mean and how many rows it has, now and before; `before` None where it is new."""

    name: str
    now: float
    n: int
    before: float | None
    n_before: float


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a part adds to the change, in units of the mean, and the share of the whole change that is."""

    part: Part
    effect: float
    share: float | None


def contributions(parts: Sequence[Part]) -> list[Contribution]:
    """Return what each part adds, the largest share first; the parts are all rows, each once.

    With w the share of rows: effect = w (now - before) + (w - w_before) (before - mean_before): its own change, and
    that it has more or fewer of the rows than it had. The effects add up to the change of the mean exactly. A part that
    is new is compared with the mean before. Shares are None where the mean did not change or nothing was before.
    """
    rows, earlier = sum(part.n for part in parts), sum(part.n_before for part in parts)
    if not rows or not earlier:
        return [Contribution(part, 0.0, None) for part in parts]
    mean = sum(part.n_before * (part.before or 0.0) for part in parts) / earlier
    effects = [_effect(part, part.n / rows, part.n_before / earlier, mean) for part in parts]
    return _ranked(parts, effects)


def distances(parts: Sequence[Part]) -> list[Contribution]:
    """Return the same for a number that is no mean, such as a percentile: its change times its share of the rows.

    These do not add up to the change over all rows; the shares are of their sum.
    """
    rows = sum(part.n for part in parts)
    known = [part for part in parts if part.before is not None]
    return _ranked(known, [part.n / rows * (part.now - (part.before or 0.0)) if rows else 0.0 for part in known])


def counts(parts: Sequence[Part]) -> list[Contribution]:
    """Return the same for a number of rows: how many more or fewer each part has."""
    return _ranked(parts, [part.now - (part.before or 0.0) for part in parts])


def _effect(part: Part, share: float, share_before: float, mean: float) -> float:
    before = mean if part.before is None else part.before
    return share * (part.now - before) + (share - share_before) * (before - mean)


def _ranked(parts: Sequence[Part], effects: Sequence[float]) -> list[Contribution]:
    whole = sum(effects)
    size = sum(map(abs, effects))
    is_change = abs(whole) > 1e-9 * size if size else False
    found = [Contribution(part, e, e / whole if is_change else None) for part, e in zip(parts, effects, strict=True)]
    sign = -1 if whole < 0 else 1
    return sorted(found, key=lambda one: (-sign * one.effect, one.part.name))
