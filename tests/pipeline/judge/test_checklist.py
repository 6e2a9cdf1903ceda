"""With each P0 stands what is known: first bad window, deploys before it, what else broke, worst segments, rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight.ledger import tables
from tests.builders import DAY, at
from tests.pipeline.world import World, a_world, days
from tests.warehouse.tables import writing

DAYS = days("2026-08-28", 5)
BAD = DAYS[3:]


@pytest.fixture
def world(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    rules = [{"id": "health_critical", "enabled": False}]
    rules += [{"id": "errors", "metric": "operations.error_rate", "above": 0.3, "severity": "P0"}]
    with a_world(sqlite_url, tmp_path, start="2026-08-28", segments=["region"], rules=rules) as made:
        yield made


def texts(world: World) -> list[str]:
    """All mail promised so far, as text."""
    with world.resources.ledger.reading() as connection:
        return list(connection.execute(sa.select(tables.outbox.c.text)).scalars())


def lived(world: World) -> str:
    """Five days, the last two bad; the text of the mail that tells of it."""
    for day in DAYS[:3]:
        world.log(day, model_version="v2" if day == DAYS[2] else "v1").run(day)
    for day in BAD:
        world.log(day, status_code=lambda i: 500 if i % 3 == 0 or i % 7 == 0 else 200, model_version="v2").run(day)
    return next(text for text in texts(world) if text.startswith("[P0]"))


def test_a_grave_mail_says_what_is_known(world: World) -> None:
    text = lived(world)
    assert "First bad window: 2026-08-31; 1 so far" in text
    assert "Deployed before it: version v2, in the log since 2026-08-30" in text
    assert "Worst segments: region=EU: error rate 100 % on 100 rows\n" in text
    assert ":segment = 'EU'" in text


def test_the_statement_of_the_checklist_runs_and_finds_the_rows_of_the_worst_segment(world: World) -> None:
    text = lived(world)
    query = next(line.partition(": ")[2] for line in text.splitlines() if "Rows to look at" in line)
    bound = {"start": at(BAD[0]), "end": at(BAD[0]) + DAY}
    moments = [sa.bindparam(name, moment.replace(tzinfo=None), sa.DateTime) for name, moment in bound.items()]
    with writing(world.url) as connection:
        rows = connection.execute(sa.text(query).bindparams(*moments, segment="EU", rows=40)).all()
    assert len(rows) == 40
    assert {row.region for row in rows} == {"EU"}


def test_a_mild_mail_has_no_checklist(world: World) -> None:
    for day in DAYS[:2]:
        world.log(day, latency_ms=900.0).run(day)
    told = texts(world)
    assert told
    assert not any("Checklist" in text for text in told)
