"""Identities: ids written in two ways are recognised in every database, whatever pads or folds them there."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from hindsight.warehouse.connect import open_engine
from hindsight.warehouse.identities import newest_unmatched, respelt_labels
from tests.builders import a_monitor, a_window, at
from tests.warehouse.tables import LOG, TRUTH, a_label, a_prediction, fill

IDS = [str(UUID(int=(0xABCDEF << 100) + i)) for i in range(8)]
AS_OF = at("2026-09-03")
padded = pytest.mark.parametrize("kind", [sa.String(40), sa.CHAR(40)], ids=["text", "padded"])


def filled(url: sa.URL, kind: sa.types.TypeEngine[str], labels: list[str]) -> sa.Engine:
    """A warehouse with eight predictions and these labels, both with ids of this type."""
    given = [a_label(id, 1, "2026-09-02") for id in labels]
    column = {"request_id": kind}
    fill(url, [a_prediction(id) for id in IDS], given, log=LOG | column, truth=TRUTH | column)
    return open_engine(url)


@padded
def test_ids_in_two_spellings_are_proved_and_come_as_they_are_written(
    database_url: sa.URL, kind: sa.types.TypeEngine[str]
) -> None:
    engine, monitor = filled(database_url, kind, [id.upper() for id in IDS[:4]]), a_monitor()
    found = newest_unmatched(engine, monitor, AS_OF)
    assert sorted(found.ids) == [id.upper() for id in IDS[:4]]
    assert sorted(found.waiting) == IDS
    assert (found.asked, found.proved) == (4, 4)
    assert "upper" in found.difference(personal=True)
    late = respelt_labels(engine, monitor, a_window(), found, since=None, until=AS_OF + timedelta(days=1))
    assert sorted(late.pairs) == [(id, id.upper()) for id in IDS[:4]]


@padded
def test_ids_that_match_are_no_finding(database_url: sa.URL, kind: sa.types.TypeEngine[str]) -> None:
    found = newest_unmatched(filled(database_url, kind, IDS[:4]), a_monitor(), AS_OF)
    assert (found.asked, found.ids) == (4, ())
