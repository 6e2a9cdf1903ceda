"""Where the warehouse counts, no row of a feature leaves it in a run or a night, and what needs rows says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.errors import ConfigError
from hindsight.pipeline.measure.baselines import baseline_for, manifests
from hindsight.pipeline.show.baseline_contents import frozen
from hindsight.vocabulary.measurement import Kind
from hindsight.warehouse import reference
from hindsight.warehouse.dialects import postgresql
from tests.builders import a_window, at, monitor_file
from tests.pipeline.world import World, a_world
from tests.warehouse.tables import writing

DAY = "2026-09-01"
MANY = 1000  # rows of an answer: the window has three times as many, its counts a few hundred


@dataclass
class Answers:
    """Every statement the warehouse was sent, by SQLAlchemy or by ADBC, and how many rows came back."""

    found: list[tuple[str, int]] = field(default_factory=list)

    def hear(self, _: Any, cursor: Any, statement: str, *__: Any) -> None:
        self.found.append((statement, max(cursor.rowcount, 0)))

    def of_many(self) -> list[str]:
        return [text for text, rows in self.found if rows > MANY]


@contextmanager
def answers(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    heard, plain = Answers(), postgresql.Engine.batches

    def batches(self: Any, engine: sa.Engine, statement: Any, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        rows = pa.Table.from_batches(plain(self, engine, statement, schema), schema)
        heard.found.append((str(statement), rows.num_rows))
        yield from rows.to_batches()

    monkeypatch.setattr(postgresql.Engine, "batches", batches)
    sa.event.listen(engine, "after_cursor_execute", heard.hear)
    yield heard
    sa.event.remove(engine, "after_cursor_execute", heard.hear)


def counting(**changes: Any) -> dict[str, Any]:
    return {"source": monitor_file()["source"] | {"count_in": "warehouse"} | changes}


def a_counted_world(url: sa.URL, folder: Path, **changes: Any) -> Any:
    return a_world(url, folder, **(counting() | changes))


def test_no_row_of_a_feature_leaves_the_warehouse(
    postgres_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_counted_world(postgres_url, tmp_path, segments=["region"]) as world:
        world.log(DAY, n=3 * MANY)
        window = a_window(DAY)
        baseline_for(world.monitor, window, world.resources, as_of=at("2026-09-02"))
        engine = world.resources.warehouse("warehouse")
        with answers(engine, monkeypatch) as heard:
            world.run(DAY)
            world.night("2026-09-06")
            pipeline.report_night(world.monitor, at("2026-09-06"), world.resources, made_at=at("2026-09-06"))
            pipeline.document_breach(world.monitor, window, world.resources, made_at=at("2026-09-06"))
        assert any("amount" in text for text, _ in heard.found)
        assert any(rows >= 3 * MANY for _, rows in heard.found)  # the night's, of ids, outputs and labels
        assert not [text for text in heard.of_many() if "amount" in text]


def test_what_needs_rows_is_off_and_says_so(sqlite_url: sa.URL, tmp_path: Path) -> None:
    with a_counted_world(sqlite_url, tmp_path) as world:
        world.log(DAY).run(DAY)
        for kind, metric in ((Kind.ESTIMATE, "accuracy"), (Kind.QUALITY, "score_mistaken")):
            (found,) = [m for m in world.measured(kind, DAY) if (m.metric, m.model_version) == (metric, "")]
            assert found.value is None
            assert "needs rows" in found.note
        with pytest.raises(ConfigError, match="allow_rows"):
            pipeline.report_window(world.monitor, a_window(DAY), world.resources, made_at=at("2026-09-02"))


def test_allowed_rows_tell_what_counts_cannot(sqlite_url: sa.URL, tmp_path: Path) -> None:
    with a_world(sqlite_url, tmp_path, **counting(allow_rows=True)) as world:
        world.log(DAY).run(DAY)
        (found,) = [m for m in world.measured(Kind.ESTIMATE, DAY) if (m.metric, m.model_version) == ("accuracy", "")]
        assert found.value is not None
        assert pipeline.report_window(world.monitor, a_window(DAY), world.resources, made_at=at("2026-09-02"))


def test_a_hashed_feature_is_not_counted(sqlite_url: sa.URL, tmp_path: Path) -> None:
    with a_counted_world(sqlite_url, tmp_path, pii={"hash": ["region"]}, segments=[]) as world:
        world.resources = with_key(world)
        world.log(DAY).run(DAY)
        found = {m.metric: m for m in world.measured(Kind.QUALITY, DAY) if m.feature == "region"}
        assert found["null_rate"].value is None
        assert "in clear" in found["null_rate"].note
        assert all(m.value is None for m in world.measured(Kind.DRIFT, DAY) if m.feature == "region")


def test_a_hashed_feature_that_disappears_is_told(sqlite_url: sa.URL, tmp_path: Path) -> None:
    with a_counted_world(sqlite_url, tmp_path, pii={"hash": ["region"]}, segments=[]) as world:
        world.resources = with_key(world)
        baseline_for(world.log(DAY).monitor, a_window(DAY), world.resources, as_of=at("2026-09-02"))
        with writing(sqlite_url) as connection:
            connection.exec_driver_sql("ALTER TABLE inference_log DROP COLUMN region")
        world.run(DAY)
        (found,) = [m for m in world.measured(Kind.QUALITY, DAY) if m.feature == "region"]
    assert (found.metric, found.value) == ("schema_change", 1.0)
    assert "missing" in found.note


def with_key(world: World) -> Any:
    return replace(world.resources, pii_key=b"a key of more than thirty-two bytes")


def test_the_way_of_counting_is_frozen_with_the_baseline(sqlite_url: sa.URL, tmp_path: Path) -> None:
    with a_world(sqlite_url, tmp_path) as world:
        read = [m.pin for m in manifests_after(world)]
        world.declare(**counting())
        assert "count_in" in frozen(world.monitor, world.resources, as_of=at("2026-09-02")).changed
        counted = [m.pin for m in manifests_after(world)]
        world.declare(**counting(count_in="worker"))
        again = [m.pin for m in manifests_after(world)]
    assert [pin.get("count_in") for pin in read] == [None]
    assert [pin.get("count_in") for pin in counted] == ["warehouse"]
    assert again == read


def manifests_after(world: World) -> Any:
    baseline_for(world.monitor, a_window(DAY), world.resources, as_of=at("2026-09-02"))
    return manifests(world.monitor, world.resources)


def test_a_large_reference_is_sampled_evenly_in_time(
    database_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_counted_world(database_url, tmp_path) as world:
        monkeypatch.setattr(reference, "SAMPLE", 300)
        engine = world.resources.warehouse("warehouse")
        found = reference.collect_reference(engine, world.monitor, folder=tmp_path, pii_key=None, as_of=at(DAY))
        with found.rows as rows:
            assert (rows.n, rows.every) == (300, 3)
            days = [moment.day for moment in rows.column("predicted_at").to_pylist()]
        assert [days.count(day) for day in (25, 26, 27)] == [100, 100, 100]
