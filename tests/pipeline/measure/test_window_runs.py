"""Running a window: the same rows give the same files, absence is never health, and a failure changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.errors import DataError, WarehouseError
from hindsight.verdicts.model import State, Status
from hindsight.vocabulary.measurement import Kind
from tests.builders import a_window, at
from tests.pipeline.world import REFERENCE, World, a_day, a_world, days
from tests.warehouse.tables import LOG, writing

DAY = "2026-09-01"


@pytest.fixture
def world(database_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(database_url, tmp_path) as made:
        yield made


def numbers(world: World, kind: Kind, day: str = DAY) -> dict[tuple[str, ...], float | None]:
    return {(m.metric, m.feature, m.segment, m.model_version, m.bin): m.value for m in world.measured(kind, day)}


def test_a_window_run_twice_writes_nothing_new(world: World) -> None:
    world.log(DAY)
    first = pipeline.run_window(world.monitor, a_window(DAY), world.resources)
    files = world.files()
    again = pipeline.run_window(world.monitor, a_window(DAY), world.resources)

    assert (first["rows"], first["new"]) == (300, 5)
    assert (again["rows"], again["new"], again["snapshots"]) == (300, 0, first["snapshots"])
    assert world.files() == files


def test_judging_twice_changes_neither_verdicts_nor_mail(world: World) -> None:
    world.log(DAY, latency_ms=900.0).run(DAY)
    before = world.ledger()
    world.run(DAY)

    assert before["incidents"]
    assert world.ledger() == before


def test_rows_that_came_later_are_the_next_revision(world: World) -> None:
    world.log(DAY, n=200)
    world.run(DAY)
    world.delete("inference_log").log(REFERENCE[0]).log(DAY, n=300)
    again = pipeline.run_window(world.monitor, a_window(DAY), world.resources)

    assert all("-r2.parquet" in uri for uri in again["snapshots"])
    assert numbers(world, Kind.OPERATIONS)["total_requests", "", "", "", ""] == 300


def test_neither_the_order_of_rows_nor_their_repetition_changes_a_number(world: World) -> None:
    world.log(DAY).run(DAY)
    plain = {kind: numbers(world, kind) for kind in (Kind.OPERATIONS, Kind.QUALITY, Kind.DRIFT, Kind.PROFILE)}
    rows = a_day(DAY)[0]
    world.insert("inference_log", rows[::-7])
    pipeline.run_window(world.monitor, a_window(DAY), world.resources)
    repeated = {kind: numbers(world, kind) for kind in plain}

    counted = {Kind.OPERATIONS: {"rows_raw", "records_per_hour"}, Kind.QUALITY: {"duplicate_rate"}}
    for kind, before in plain.items():
        changed = {key[0] for key, value in repeated[kind].items() if value != before[key]}
        assert changed == counted.get(kind, set())
        assert repeated[kind].keys() == before.keys()
    assert repeated[Kind.OPERATIONS]["rows_raw", "", "", "", ""] == 300 + len(rows[::-7])


def test_a_window_without_rows_is_absence_and_not_health(world: World) -> None:
    judged = world.run(DAY)

    assert numbers(world, Kind.OPERATIONS)["total_requests", "", "", "", ""] == 0
    assert numbers(world, Kind.OPERATIONS)["health", "", "", "", ""] is None
    assert set(numbers(world, Kind.QUALITY).values()) == {None}
    known = numbers(world, Kind.DRIFT)
    assert {key[0] for key, value in known.items() if value is not None} == {"reference_age_days"}
    assert all(m.note for kind in (Kind.QUALITY, Kind.DRIFT) for m in world.measured(kind, DAY) if m.value is None)
    assert [v.series.rule for v in judged.breaches] == ["no_data"]
    assert {v.status for v in judged.verdicts if v.series.rule != "no_data"} <= {Status.NO_DATA, Status.MUTED}
    assert [i.state for i in world.incidents()] == [State.OPEN]
    assert pipeline.state_of(world.monitor, world.resources).health == "unknown"


def test_no_data_ends_when_rows_come_back(world: World) -> None:
    world.run(DAY)
    world.log("2026-09-02").run("2026-09-02")

    assert world.states("no_data") == [State.RESOLVED]
    assert world.deliver(at("2026-09-04")) == []  # opened and closed before anybody was told


def test_a_warehouse_out_of_reach_is_worth_a_retry_and_changes_nothing(world: World) -> None:
    down = sa.make_url("postgresql+psycopg://watcher:canary-4711@127.0.0.1:1/warehouse")
    before = world.ledger()
    with pytest.raises(WarehouseError) as caught:
        pipeline.run_window(world.monitor, a_window(DAY), replace(world.resources, warehouse_source=lambda _: down))

    assert caught.value.transient
    assert "warehouse" in str(caught.value)
    assert "canary" not in str(caught.value)
    assert (world.files(), world.ledger()) == ({}, before)

    nowhere = replace(world.resources, warehouse_source=lambda _: down)
    with pytest.raises(WarehouseError):
        pipeline.revise_windows(world.monitor, [a_window(DAY)], at("2026-09-02"), nowhere)
    assert (world.files(), world.ledger()) == ({}, before)


def test_a_missing_table_is_named_with_what_is_there(world: World) -> None:
    source = world.monitor.source.model_dump(exclude_none=True)
    source["predictions"]["table"] = "inference_logs"
    world.declare(source=source)

    with pytest.raises(DataError, match=r"inference_logs: no such table.*did you mean 'inference_log'") as caught:
        world.run(DAY)
    assert not caught.value.transient
    assert world.files() == {}


@pytest.mark.parametrize("key", ["id", "timestamp"])
def test_a_missing_id_or_timestamp_is_an_error_that_names_it(world: World, key: str) -> None:
    source = world.monitor.source.model_dump(exclude_none=True)
    source["predictions"][key] = "nowhere"
    world.declare(source=source)

    with pytest.raises(DataError, match=rf"inference_log\.nowhere: no such column.*source\.predictions\.{key}"):
        world.run(DAY)


@pytest.mark.parametrize("key", ["score", "model_version", "latency_ms", "status_code", "cost", "cpu"])
def test_any_other_missing_column_is_an_incident_that_names_it_and_the_rest_goes_on(world: World, key: str) -> None:
    source = world.monitor.source.model_dump(exclude_none=True)
    if key == "cpu":
        source["predictions"]["resources"] = {"cpu": "nowhere"}
    else:
        source["predictions"][key] = "nowhere"
    world.declare(source=source).log(DAY)
    world.run(DAY)

    assert [(i.series.rule, i.series.feature) for i in world.incidents()] == [("schema", "nowhere")]
    assert numbers(world, Kind.OPERATIONS)["total_requests", "", "", "", ""] == 300
    assert numbers(world, Kind.OPERATIONS)["log_completeness", "", "", "", ""] == 0
    assert numbers(world, Kind.OPERATIONS)["error_rate", "", "", "", ""] == 0


def test_a_missing_segment_column_is_an_incident_that_names_it(world: World) -> None:
    world.declare(segments=["regoin"]).log(DAY).run(DAY)
    (story,) = pipeline.stories(world.monitor, world.resources)
    assert story.incident.series.feature == "regoin"
    assert story.what.startswith("schema change of regoin: missing: expected segment regoin, found no such column")


def test_latencies_with_their_unit_are_counted_and_named(world: World) -> None:
    with writing(world.url) as connection:
        if world.url.get_backend_name() == "postgresql":
            connection.execute(sa.DDL("ALTER TABLE inference_log ALTER latency_ms TYPE text"))
    rows = [row | {"latency_ms": "12ms" if i % 2 else "12.5"} for i, row in enumerate(a_day(DAY)[0])]
    columns = {name: kind for name, kind in LOG.items() if name != "latency_ms"} | {"latency_ms": sa.Text()}
    with writing(world.url) as connection:
        table = sa.Table("inference_log", sa.MetaData(), *(sa.Column(name, kind) for name, kind in columns.items()))
        connection.execute(table.insert(), rows)
    world.run(DAY)

    (story,) = pipeline.stories(world.monitor, world.resources)
    assert story.what == "schema change of latency_ms: retyped: latency_ms: 150 of 300 texts are no number"
    assert numbers(world, Kind.OPERATIONS)["latency_p95_ms", "", "", "", ""] == 12.5


def test_rows_that_are_in_no_window_are_counted_when_the_table_is_read(world: World) -> None:
    world.log(DAY)
    stamps = [at("2099-01-01"), at("2026-09-05"), None, at("1970-01-01")]
    lost = [
        row | {"request_id": f"lost-{i}", "predicted_at": stamp}
        for i, (row, stamp) in enumerate(zip(a_day(DAY)[0], stamps, strict=False))
    ]
    world.insert("inference_log", lost)
    for day, moment, late in ((DAY, "2026-09-02", 2), ("2026-09-05", "2026-09-06", 1)):
        pipeline.run_window(world.monitor, a_window(day), world.resources, read_at=at(moment))
        (found,) = (m for m in world.measured(Kind.QUALITY, day) if m.metric == "misdated_rows")
        assert found.value == late + 2
        assert f"{late} rows are stamped in the future, the latest 2099-01-01" in found.note
        assert "2 rows have no timestamp or 1970-01-01" in found.note


@pytest.mark.parametrize("first", [at("2026-09-02T00:10"), None])
def test_a_window_run_again_at_any_later_moment_is_the_same_to_the_byte(world: World, first: datetime | None) -> None:
    """Neither what lay in the future then and does no more, nor what came in for other windows since, is its own."""
    world.log(DAY)
    row = a_day(DAY)[0][0]
    stamps = (at("2026-09-05"), at("2099-01-01"), None)
    lost = [row | {"request_id": f"lost-{k}", "predicted_at": stamp} for k, stamp in enumerate(stamps)]
    world.insert("inference_log", lost[:2])
    pipeline.run_window(world.monitor, a_window(DAY), world.resources, read_at=first)
    kept = world.files()
    world.insert("inference_log", lost[2:]).log("2026-09-02")
    for moment in (at("2026-09-03"), None, at("2099-12-31")):
        again = pipeline.run_window(world.monitor, a_window(DAY), world.resources, read_at=moment)
        assert again["new"] == 0

    assert world.files() == kept
    assert len([m for m in world.measured(Kind.QUALITY, DAY) if m.metric == "misdated_rows"]) == bool(first)


def test_a_missing_feature_is_a_finding_and_the_others_go_on(world: World) -> None:
    world.log("2026-08-28").run("2026-08-28")
    world.log(DAY)
    with writing(world.url) as connection:
        connection.execute(sa.DDL("ALTER TABLE inference_log RENAME COLUMN amount TO amount_eur"))
    world.run(DAY)

    (story,) = pipeline.stories(world.monitor, world.resources)
    assert story.what.startswith("schema change of amount: renamed: amount, numeric")
    assert story.what.endswith("is missing - is it now 'amount_eur'?")
    assert numbers(world, Kind.QUALITY)["schema_change", "amount", "", "", ""] == 1
    assert numbers(world, Kind.QUALITY)["schema_change", "region", "", "", ""] == 0
    drift = numbers(world, Kind.DRIFT)
    assert drift["psi", "amount", "", "", ""] is None
    assert drift["psi", "region", "", "", ""] is not None
    assert drift["psi", "score", "", "", ""] is not None


def test_the_volume_of_a_window_is_compared_with_the_same_day_of_earlier_weeks(world: World) -> None:
    for day, n in (("2026-08-11", 100), ("2026-08-18", 200), ("2026-08-04", 300), (DAY, 60)):
        world.log(day, n=n)
    world.delete("ground_truth")
    judged = world.run(DAY)  # its Tuesdays: 300 on the 4th, 100, 200, and 300 of the reference on the 25th

    assert numbers(world, Kind.OPERATIONS)["volume_ratio", "", "", "", ""] == 60 / 250
    assert "volume" in [v.series.rule for v in judged.breaches]


@pytest.mark.parametrize(("n", "ratio"), [(40, 40 / 100), (100, 1), (290, 1), (900, 3)])
def test_in_the_second_week_a_working_day_is_compared_with_those_of_the_first(
    world: World, n: int, ratio: float
) -> None:
    world.delete("inference_log")
    for k, count in enumerate((300, 100, 90, 120, 200, 110, 280)):
        world.log(f"2026-10-{k + 1:02}", n=count)
    world.log("2026-10-08", n=n).run("2026-10-08")
    assert numbers(world, Kind.OPERATIONS, "2026-10-08")["volume_ratio", "", "", "", ""] == pytest.approx(ratio)
    world.log("2026-10-02", n=1).run("2026-10-02")
    assert numbers(world, Kind.OPERATIONS, "2026-10-02")["volume_ratio", "", "", "", ""] is None


def test_a_closed_weekend_is_no_absence_once_the_log_knows_such_weekends(world: World) -> None:
    world.delete("inference_log")
    for day in days("2026-10-05", 21):  # from a Monday on
        if at(day).weekday() < 5:
            world.log(day, n=60)
    expected = {day: world.run(day).verdicts for day in ("2026-10-10", "2026-10-24", "2026-10-26")}
    said = {day: next(v.status for v in found if v.series.rule == "no_data") for day, found in expected.items()}
    assert said == {"2026-10-10": Status.BREACH, "2026-10-24": Status.MUTED, "2026-10-26": Status.BREACH}
    numbers_of = {day: numbers(world, Kind.OPERATIONS, day)["expected_requests", "", "", "", ""] for day in expected}
    assert numbers_of == {"2026-10-10": None, "2026-10-24": 0, "2026-10-26": 60}


def test_a_friday_that_ends_early_makes_no_absence_of_a_closed_saturday(world: World) -> None:
    world.delete("inference_log")
    for day in days("2026-10-05", 19):
        if at(day).weekday() < 5:
            world.insert("inference_log", a_day(day, n=60)[0][: 30 if day == "2026-10-23" else 60])
    judged = world.run("2026-10-24").verdicts
    assert next(v.status for v in judged if v.series.rule == "no_data") is Status.MUTED
    assert numbers(world, Kind.OPERATIONS, "2026-10-24")["expected_requests", "", "", "", ""] == 0


def test_volume_is_judged_where_the_warehouse_has_forgotten_the_weeks_before(world: World) -> None:
    world.declare(reference=None)
    for day in ("2026-10-01", "2026-10-08", "2026-10-15"):
        world.delete("inference_log").log(day, n=200 if day < "2026-10-15" else 50)
        world.run(day)
    assert numbers(world, Kind.OPERATIONS, "2026-10-15")["volume_ratio", "", "", "", ""] == 0.25


def test_windows_run_in_any_order_leave_the_same_snapshots(database_url: sa.URL, tmp_path: Path) -> None:
    kept = []
    for name, order in (("ahead", 1), ("back", -1)):
        folder = tmp_path / name
        folder.mkdir()
        url = database_url if order == 1 else sa.URL.create("sqlite", database=str(folder / "test.db"))
        with a_world(url, folder, [*REFERENCE, *days(DAY, 3)]) as world:
            for day in days(DAY, 3)[::order]:
                world.run(day)
            kept.append({day: {kind: numbers(world, kind, day) for kind in Kind} for day in days(DAY, 3)})
    assert kept[0] == kept[1]


def test_a_report_is_drawn_kept_and_found_by_its_id_only(sqlite_url: sa.URL, tmp_path: Path) -> None:
    with a_world(sqlite_url, tmp_path, [*REFERENCE, DAY]) as world:
        id = pipeline.report_window(world.monitor, a_window(DAY), world.resources, made_at=at("2026-09-02"))
        report, html = pipeline.read_report(id, world.resources) or (None, "")

        assert report is not None
        assert (report.monitor, report.window) == ("credit", a_window(DAY))
        assert "<html" in html
        assert pipeline.read_report(f"../{id}", world.resources) is None
