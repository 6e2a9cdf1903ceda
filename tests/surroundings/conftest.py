"""A mail server of each kind in turn, and a ledger whose outbox mail to it waits in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight.ledger.ledger import Ledger
from tests.ledgers import a_ledger
from tests.surroundings.configurations import CONFIGURATIONS, Rules
from tests.surroundings.servers import MailServer, Serve, a_server


@pytest.fixture
def ledger(sqlite_url: sa.URL) -> Iterator[Ledger]:
    """An empty ledger."""
    ledger = a_ledger(sqlite_url)
    yield ledger
    ledger.engine.dispose()


@pytest.fixture(params=CONFIGURATIONS)
def serve(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Serve]:
    """What starts a mail server with the rules it is given."""
    with ExitStack() as stack:
        yield lambda rules: stack.enter_context(a_server(request.param, tmp_path / "server", rules))


@pytest.fixture
def server(serve: Serve) -> MailServer:
    """A mail server that takes everything for ann and bob."""
    return serve(Rules())
