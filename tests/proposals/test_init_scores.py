"""hindsight init doubts a score column that is no probability, and says what to change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from tests.proposals.loans import LOANS, init, loans, make


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda p: 100 * p, "CHECK: probability holds percentages"),
        (lambda p: float(np.log((p + 1e-3) / (1 - p + 1e-3))), "CHECK: probability holds log-odds"),
        (lambda p: float(p > 0.6), "CHECK: probability holds only 0 and 1, the class itself"),
        (lambda p: p, ""),
    ],
    ids=["percent", "log-odds", "class", "honest"],
)
def test_a_score_that_is_no_probability_is_doubted(
    sqlite_url: sa.URL, tmp_path: Path, spoil: Callable[[float], Any], said: str
) -> None:
    make(sqlite_url, "loans", LOANS, [row | {"probability": spoil(row["probability"])} for row in loans(1000)])
    _, text, _ = init(sqlite_url, tmp_path, score="probability")
    flat = " ".join(text.replace("#", " ").split())
    assert (said in flat) if said else ("CHECK: probability" not in flat)
