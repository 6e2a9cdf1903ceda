"""What the outcome would be if the two most important features of a log entered with the other sign."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.seasons_grid import Past

MOST_ROWS, SAMPLE = 20_000, 2_000
LEAST = 1e-3


def mirrored(past: Past) -> Callable[[pd.DataFrame], pd.Series]:
    """Learn the relation before the onset; return, for rows, how it changes when its two weightiest features mirror.

    A feature mirrors about its mean. For a number the change of the expected outcome; for a class the probability that
    a row changes it: positive from 0 to 1, negative from 1 to 0, such that the class gets its new share.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    rows = past.rows[past.rows["label"].notna()].tail(MOST_ROWS)
    outcome = rows["label"].astype(float)
    is_class = set(outcome.unique()) <= {0.0, 1.0}
    trees = HistGradientBoostingClassifier if is_class else HistGradientBoostingRegressor
    inputs = [name for name, kind in past.features.items() if kind == "numeric"]
    model = trees(max_iter=60, random_state=0).fit(rows[inputs].astype(float), outcome)

    def expected(asked: pd.DataFrame) -> np.ndarray:
        return model.predict_proba(asked)[:, 1] if is_class else model.predict(asked)

    weightiest = _weightiest(rows[inputs].astype(float).tail(SAMPLE), past.numeric, expected)
    means = rows[weightiest].astype(float).mean()

    def change(asked: pd.DataFrame) -> pd.Series:
        known = asked[inputs].astype(float)
        turned = known.copy()
        turned[weightiest] = 2 * means - known[weightiest]
        before, after = expected(known), expected(turned)
        if not is_class:
            return pd.Series(after - before, index=asked.index)
        up = (after - before) / np.maximum(1 - before, LEAST)
        down = (after - before) / np.maximum(before, LEAST)
        return pd.Series(np.where(after > before, up, down), index=asked.index)

    return change


def _weightiest(rows: pd.DataFrame, among: list[str], expected: Callable[[pd.DataFrame], np.ndarray]) -> list[str]:
    """The two features whose mirroring moves the expected outcome most, by its mean square."""
    known = expected(rows)
    moved = {name: float(np.mean((expected(_turned(rows, name)) - known) ** 2)) for name in among}
    return sorted(moved, key=lambda name: -moved[name])[:2]


def _turned(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    made = rows.copy()
    made[name] = 2 * rows[name].mean() - rows[name]
    return made
