"""Commands said to the command line in this process, and what it answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

SLOW: dict[str, Any] = {"latency_ms": 900.0}


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its output as JSON; anything JSON has no word for is refused."""
        return json.loads(self.out, parse_constant=pytest.fail)


Say = Callable[..., Said]
RUN = ("run", "credit", "--start", "2026-09-01", "--end", "2026-09-04")
LABELS = ("labels", "credit", "--start", "2026-09-01", "--end", "2026-09-07")
