"""Errors of the ledger say where it is and what to do, and no password or value."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from hindsight.errors import LedgerError
from hindsight.ledger.connect import open_engine
from hindsight.ledger.ledger import Ledger


def test_a_ledger_out_of_reach_is_a_transient_error_without_its_password() -> None:
    url = sa.make_url("postgresql+psycopg://ann:canary-123@127.0.0.1:9/ledger?sslpassword=canary-123")
    with pytest.raises(LedgerError, match="hindsight_ledger") as caught:
        Ledger(open_engine(url)).create()
    assert caught.value.transient
    assert "canary-123" not in str(caught.value) + repr(caught.value.__cause__)
