"""Types of a user's own, as a package of boosted trees has them: a state that only its own code can read."""

from __future__ import annotations

from typing import Any

import numpy as np


class Booster:
    """What a library in C keeps a model in: one text, and a handle that no file can hold."""

    def __init__(self, text: str) -> None:
        self.text, self.handle = text, object()

    def __getstate__(self) -> dict[str, Any]:
        return {"text": self.text}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.text, self.handle = state["text"], object()


class BoosterModel:
    """The estimator around it."""

    def fit(self, rows: Any, label: Any) -> BoosterModel:
        self.booster = Booster(f"mean={np.mean(label)}")
        return self

    def predict(self, rows: Any) -> np.ndarray:
        return np.full(len(rows), float(self.booster.text.partition("=")[2]))


def halved(values: Any) -> Any:
    return np.asarray(values) / 2
