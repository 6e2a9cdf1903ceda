"""Effect: how far from the reference a column is that is called drifted, as a verdict's note says it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2

from hindsight.verdicts.model import Series
from hindsight.vocabulary.measurement import Measurement

DRIFTED, EVIDENTLY = "drift.drifted", "evidently:"
SMALL = 0.1  # what is worth telling of psi, js_distance, ks and wasserstein_normed alike
_SAID = re.compile(r"(\w+) ([\d.e+-]+) from the reference")


@dataclass(frozen=True, slots=True)
class Effect:
    """A distance from the reference: in which measure, and how large."""

    measure: str
    value: float

    def __str__(self) -> str:
        return f"{self.measure} {self.value:.3g} from the reference"

    @property
    def doublings(self) -> int:
        """How often it has doubled since it was SMALL."""
        return int(log2(self.value / SMALL)) if self.value > SMALL else 0


def effect_of(note: str) -> Effect | None:
    """Read the effect that a note says, None where it says none."""
    found = _SAID.fullmatch(note)
    return Effect(found[1], float(found[2])) if found else None


def effects(method: str, facts: Sequence[Measurement]) -> Mapping[Series, Effect]:
    """Return by column, of the rule "", how far it is from the reference in the measure of the file.

    Of what has no value in a measure that needs an order it is the js_distance. Of a test of Evidently's there is none:
    some are distances, and some p-values, which fall as a column moves away.
    """
    if method.startswith(EVIDENTLY):
        return {}
    found: dict[Series, Effect] = {}
    for measure in ("js_distance", method):
        for fact in facts:
            if fact.metric == measure and fact.value is not None:
                column = Series("", fact.model_version, fact.segment, fact.feature)
                found[column] = Effect(measure, fact.value)
    return found
