"""Effects: what a planted incident does to the rows of its span; everything else is left as it was."""

from __future__ import annotations

import numpy as np
import pandas as pd

from demo.plan import Planted


def span(rows: pd.DataFrame, planted: Planted) -> np.ndarray:
    """Return which rows (column predicted_at) lie in the planted span."""
    when = rows["predicted_at"]
    return np.asarray((when >= planted.start) & (when < planted.end))


def thin(rows: pd.DataFrame, planted: Planted, rng: np.random.Generator) -> np.ndarray:
    """Return which rows are left when only a share `keep` of the span's requests arrives."""
    return np.asarray(~span(rows, planted) | (rng.random(len(rows)) < planted.settings["keep"]))


def corrupt(rows: pd.DataFrame, planted: Planted, rng: np.random.Generator) -> None:
    """Change the recorded feature of the span's rows in place, as a broken pipeline would."""
    hit = span(rows, planted) & (rng.random(len(rows)) < planted.settings.get("share", 1.0))
    feature = planted.feature
    if planted.kind == "sentinel":
        rows.loc[hit, feature] = planted.settings["value"]
    elif planted.kind == "nulls":
        rows.loc[hit, feature] = np.nan if rows[feature].dtype.kind == "f" else None
    elif planted.kind == "units":
        rows.loc[hit, feature] *= planted.settings["factor"]
    elif planted.kind == "respelled":
        rows.loc[hit, feature] = rows.loc[hit, feature].replace(planted.settings["spelling"])


def serve(rows: pd.DataFrame, planted: Planted, rng: np.random.Generator) -> None:
    """Make the span's requests slow, and let a share of them fail with status 503, in place."""
    hit = span(rows, planted)
    rows.loc[hit, "latency_ms"] *= planted.settings["slower"]
    rows.loc[hit & (rng.random(len(rows)) < planted.settings["failing"]), "status_code"] = 503
