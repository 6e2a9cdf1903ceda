"""Ways in which a database may write the same numbers with fewer digits."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import pyarrow as pa

Writing = Callable[[np.ndarray], Any]


def half_up(values: np.ndarray) -> np.ndarray:
    """As NUMERIC(12, 2) keeps a number."""
    return np.array([float(Decimal(repr(float(v))).quantize(Decimal("0.01"), ROUND_HALF_UP)) for v in values])


WRITINGS: dict[str, Writing] = {
    "REAL": lambda v: v.astype(np.float32).astype(float),
    "float32 in Arrow": lambda v: pa.array(v.astype(np.float32)),
    "six digits": lambda v: np.array([float(f"{x:.6g}") for x in v]),
    "six digits of REAL": lambda v: np.array([float(f"{x:.6g}") for x in v.astype(np.float32)]),
    "two decimals": lambda v: v.round(2),
    "NUMERIC(12, 2)": half_up,
    "decimals in Arrow": lambda v: pa.array([Decimal(f"{x:.2f}") for x in v]),
    "REAL of two decimals": lambda v: v.round(2).astype(np.float32).astype(float),
}
