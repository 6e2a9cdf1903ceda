"""Worlds whose nights are looked at: four days on both databases, and an empty one on SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.pipeline.show.nights import FIRST
from tests.pipeline.world import REFERENCE, World, a_world, days


@pytest.fixture
def world(database_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(database_url, tmp_path, [*REFERENCE, *days(FIRST, 4)]) as made:
        yield made


@pytest.fixture
def small(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(sqlite_url, tmp_path) as made:
        yield made
