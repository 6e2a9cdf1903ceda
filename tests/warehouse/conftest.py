"""Here `database_url` is every database, MariaDB where it is installed."""

from __future__ import annotations

import pytest
import sqlalchemy as sa


@pytest.fixture(params=["postgres", "sqlite", "duckdb", "mariadb"])
def database_url(request: pytest.FixtureRequest) -> sa.URL:
    """The URL of an empty database, once on each."""
    url: sa.URL = request.getfixturevalue(f"{request.param}_url")
    return url
