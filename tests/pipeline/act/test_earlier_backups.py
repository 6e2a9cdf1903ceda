"""A backup of an earlier version of the ledger is restored as that ledger would be after its upgrade, anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight.errors import StoreError
from hindsight.ledger import tables
from hindsight.ledger.connect import open_engine
from hindsight.ledger.ledger import Ledger
from hindsight.ledger.portable import read_parts
from hindsight.ledger.upgrade import known_steps, upgrade
from hindsight.pipeline.act.copies import FORMAT, LEDGER, LISTING, MANIFEST, Manifest, copied, dump, dump_listing
from hindsight.pipeline.act.restore import restore
from hindsight.pipeline.resources import Resources
from hindsight.settings import Settings
from hindsight.snapshots.files import open_files
from hindsight.snapshots.parquet import encode
from hindsight.training.registry import ModelVersion, Registry
from tests.builders import at
from tests.ledger.test_upgrade import made_before

MODEL = ModelVersion("credit", "v1", at("2026-08-01"), at("2026-09-01"), 9, {"auc": 0.9}, "", "0", at("2026-09-01"))
NAMED = {"0005": "models/credit/k/a.skops"}  # before, with the root
CAME_LATER = (
    ("mail_holds", "0003"),
    ("horizons", "0005"),
    ("estimates", "0007"),
    ("acceptances", "0007"),
    *((name, "0009") for name in ("silences", "acknowledgements", "heartbeats", "rollbacks")),
    ("slo_counts", "0010"),
    ("deploys", "0011"),
    ("revised_verdicts", "0012"),
    ("undelivered", "0013"),
    ("row_views", "0014"),
    ("renames", "0015"),
)
SNAPSHOT = "snapshots/monitor=credit/kind=drift/date=2026-09-01/a.parquet"


def a_ledger(url: sa.URL, version: str) -> Ledger:
    """A ledger of a version with a row in every table of the first one, and in those that came since."""
    ledger = made_before(url)
    registry = Registry(ledger.engine)
    registry.create()
    registry.register(ModelVersion(**vars_of(MODEL) | {"artifact": NAMED.get(version, "/srv/models/credit/k/a.skops")}))
    with ledger.writing() as connection:
        upgrade(connection, version)
        added = {"mail_holds": {"connection": "smtp", "failures": 2, "until": at("2026-09-02"), "why": "refused"}}
        added["horizons"] = {"monitor": "credit", "before": at("2026-08-01"), "moved_at": at("2026-09-01")}
        added["estimates"] = {"monitor": "credit", "window_start": at("2026-09-01"), "value": 0.9, "lower": 0.8}
        added["estimates"] |= {"upper": 1.0, "reference": 0.9}
        about = dict.fromkeys(("rule", "segment", "feature", "accepted_by", "comment"), "x")
        added["acceptances"] = {"monitor": "credit", "accepted_at": at("2026-09-01"), **about}
        words = dict.fromkeys(("rule", "segment", "feature", "asked_by", "comment", "ended_by"), "x")
        moments = {"since": at("2026-09-01"), "until": at("2026-09-02"), "asked_at": at("2026-09-01")}
        added["silences"] = {"monitor": "credit", "starts": False, **words, **moments}
        answer = dict.fromkeys(("case_id", "acknowledged_by", "comment"), "x")
        added["acknowledgements"] = {"monitor": "credit", "at": at("2026-09-01"), **answer}
        added["heartbeats"] = {"part": "relay", "at": at("2026-09-01")}
        went = dict.fromkeys(("by", "why", "left", "restored"), "x")
        added["rollbacks"] = {"monitor": "credit", "at": at("2026-09-01"), **went}
        added["deploys"] = {"monitor": "credit", "version": "v1", "window_start": at("2026-09-01")}
        added["slo_counts"] = {"monitor": "credit", "slo": "availability", "window_start": at("2026-09-01"), "bad": 1}
        added["slo_counts"] |= {"definition": "x", "as_of": at("2026-09-02"), "total": 9, "judged": True}
        told = dict.fromkeys(("rule", "model_version", "segment", "feature", "status", "note", "became"), "x")
        times = dict.fromkeys(("window_start", "window_end", "as_of", "due", "revised_at"), at("2026-09-01"))
        added["revised_verdicts"] = {"monitor": "credit", "value": 0.9, "threshold": None, "n": 9, **told, **times}
        added["undelivered"] = {"monitor": "credit", "run": "x", "judged_at": at("2026-09-01")}
        seen = dict.fromkeys(("looked_by", "case_id", "segment", "shown"), "x")
        added["row_views"] = {"monitor": "credit", "n": 9, "at": at("2026-09-02"), "window_start": at("2026-09-01")}
        added["row_views"] |= seen
        added["renames"] = {"old": "credit_v0", "new": "credit", "at": at("2026-09-01"), "emptied": True}
        for name in added.keys() & set(sa.inspect(connection).get_table_names()):
            connection.execute(sa.insert(tables.metadata.tables[name]).values(added[name]))
    return ledger


def vars_of(model: ModelVersion) -> dict[str, Any]:
    return {name: getattr(model, name) for name in model.__dataclass_fields__}


def back_up(ledger: Ledger, version: str, place: str) -> None:
    """Copy a ledger and one file as a Hindsight of that version would have."""
    target, then = open_files(place), sa.MetaData()
    parts: dict[str, list[Any]] = {}
    with ledger.reading() as connection:
        then.reflect(connection)
        for table in then.sorted_tables:
            if table.name in (tables.VERSION_TABLE, "schema_version"):
                continue
            parts[table.name] = []
            for number, rows in enumerate(read_parts(connection, table)):
                path, data = f"ledger/{table.name}/{number}.parquet", encode(rows, {})
                target.put_new(path, data)
                parts[table.name].append(copied(path, data))
    target.put_new(f"data/{SNAPSHOT}", b"numbers")
    listing = dump_listing([copied(SNAPSHOT, b"numbers")])
    target.put_new(LISTING, listing)
    said = {"made_at": "2026-09-05T00:00:00+00:00", "rows": {}, "parts": parts, "files": 1, "bytes": 7}
    listed = copied(LISTING, listing)
    made = Manifest(format=FORMAT, hindsight="0.1.0", ledger=version, listing=listed, **said)  # type: ignore[arg-type]
    target.put_new(MANIFEST, dump(made))


def empty(url: sa.URL, folder: Path) -> Resources:
    ledger = Ledger(open_engine(url))
    ledger.create()
    registry = Registry(ledger.engine)
    registry.create()
    settings = Settings(folder, str(folder / "data"), folder, folder)
    return Resources(settings, lambda _: url, ledger, registry)


def rows(ledger: Ledger) -> dict[str, list[Any]]:
    with ledger.reading() as connection:
        return {t.name: list(connection.execute(sa.select(t).order_by(*t.primary_key))) for t in LEDGER}


@pytest.fixture
def there(database_url: sa.URL, tmp_path: Path) -> Iterator[Resources]:
    """An empty store and an empty ledger."""
    made = empty(database_url, tmp_path / "there")
    yield made
    made.ledger.engine.dispose()


@pytest.mark.parametrize("version", known_steps())
def test_it_is_as_that_ledger_is_after_its_upgrade(there: Resources, tmp_path: Path, version: str) -> None:
    then = a_ledger(sa.URL.create("sqlite", database=str(tmp_path / "then.db")), version)
    back_up(then, version, str(tmp_path / "copy"))
    assert restore(str(tmp_path / "copy"), there).ledger == version
    then.create()
    assert rows(there.ledger) == rows(then)
    came_later = {name for name, since in CAME_LATER if version < since}
    assert {name for name, some in rows(there.ledger).items() if not some} == {"definitions", "summaries"} | came_later
    assert there.files.get(SNAPSHOT) == b"numbers"
    (model,) = there.registry.versions("credit")
    assert model.artifact == "models/credit/k/a.skops"
    if there.ledger.engine.dialect.name == "postgresql":  # mails are numbered on after those that were restored
        with there.ledger.reading() as connection:
            assert connection.scalar(sa.select(sa.func.nextval(sa.func.pg_get_serial_sequence("outbox", "id")))) == 8


def test_a_ledger_of_postgresql_arrives_too(postgres_url: sa.URL, tmp_path: Path) -> None:
    then = a_ledger(postgres_url, "0002")
    back_up(then, "0002", str(tmp_path / "copy"))
    moved = empty(sa.URL.create("sqlite", database=str(tmp_path / "there.db")), tmp_path / "there")
    restore(str(tmp_path / "copy"), moved)
    then.create()
    assert rows(moved.ledger) == rows(then)
    then.engine.dispose()


@pytest.mark.parametrize(
    ("said", "words"),
    [("0099", f"ledger 0099.*ledgers up to {tables.HEAD}.*or a newer one"), ("0001", "not those of a ledger")],
)
def test_one_that_is_newer_or_says_a_version_it_is_not_of_is_refused_and_nothing_is_written(
    there: Resources, tmp_path: Path, said: str, words: str
) -> None:
    then = Ledger(open_engine(sa.URL.create("sqlite", database=str(tmp_path / "then.db"))))
    with then.writing() as connection:
        upgrade(connection, "0003")
        hold = {"connection": "smtp", "failures": 2, "until": at("2026-09-02"), "why": "refused"}
        connection.execute(sa.insert(tables.metadata.tables["mail_holds"]).values(hold))
    back_up(then, said, str(tmp_path / "copy"))
    with pytest.raises(StoreError, match=words):
        restore(str(tmp_path / "copy"), there)
    assert not any(rows(there.ledger).values())
    assert there.files.listing() == []
