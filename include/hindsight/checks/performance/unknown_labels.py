"""Unknown labels: none of the model's classes, or no number; too many of them and no label is trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from hindsight.checks.values.categories import Frequencies, encode
from hindsight.monitors.model import Monitor

TOO_MANY = 0.1  # from this share on the rest is no fair part: the strangers may be all of one class
_SHOWN, _LONGEST = 5, 40


@dataclass(frozen=True, slots=True)
class Strangers:
    """How many of the `given` labels are strangers, and what there is to say about them ("" without any)."""

    n: int
    given: int
    note: str

    @property
    def share(self) -> float:
        """Strangers among the labels."""
        return self.n / self.given if self.given else 0.0

    @property
    def reason(self) -> str:
        """Why no label is used, the others included; "" where the strangers are few enough to be left out."""
        return self.note if self.share >= TOO_MANY else ""


NONE = Strangers(0, 0, "")


def strangers(labels: pa.ChunkedArray, strange: np.ndarray, monitor: Monitor, expected: Sequence[str]) -> Strangers:
    """Count the labels marked `strange` and name them; `expected` are the classes they are none of.

    Without `expected` it is the positive label that is neither among the labels nor among the predictions.
    """
    column = labels.combine_chunks()
    given, n = len(column) - column.null_count, int(np.count_nonzero(strange))
    if not n:
        return Strangers(0, given, "")
    truth = monitor.source.labels
    place = f"{truth.table}.{truth.label}" if truth else "label"
    private = truth is not None and truth.label in {*monitor.pii.hash, *monitor.pii.drop}
    held = "personal values" if private else _listing(_texts(column.filter(pa.array(strange))))
    if not expected:
        wanted = f"positive_label {monitor.model.positive_label!r} is neither among them nor among the predictions"
        return Strangers(n, given, f"label column {place} holds {held}; {wanted}")
    return Strangers(n, given, f"label column {place} holds {held}; predictions are {_listing(expected)}")


def _texts(column: pa.Array) -> Sequence[str]:
    """The values found: the most frequent first, those that will be shown in text order."""
    encoded = encode(column)
    texts = [repr(text[:_LONGEST]) for text in Frequencies.of(encoded.texts, encoded.counts()).texts]
    return [*sorted(texts[:_SHOWN]), *texts[_SHOWN:]]


def _listing(texts: Sequence[str]) -> str:
    rest = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(text[:_LONGEST] for text in texts[:_SHOWN]) + rest
