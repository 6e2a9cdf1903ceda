"""Labels corrected, repeated, contradicted, retracted, orphaned and undated: every as-of against pandas, by command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from benchmarks.case_runs import hindsight
from hindsight.pipeline import read_snapshots
from tests.builders import DAY, HOUR, at
from tests.pipeline.world import World, a_day, a_world, days

DAYS = days("2026-09-01", 3)
END = at("2026-09-14")


def a_history(seed: int, n: int = 120) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Three days of predictions and everything that may happen to their labels."""
    rng = np.random.default_rng(seed)
    rows = [row for day in DAYS for row in a_day(day, n=n, region="EU")[0]]
    for row in rows:
        fate = rng.random()
        row |= {"status_code": 500, "prediction": None} if fate < 0.05 else {"status_code": 404} if fate < 0.08 else {}
    labels = [label for row in rows for label in _labels_of(row, rng)]
    ghosts = [_label(f"ghost-{k % 9}", 1, at(DAYS[0]) + int(rng.integers(0, 96)) * HOUR) for k in range(14)]
    return rows, [labels[k] for k in rng.permutation(len(labels))] + ghosts


def _labels_of(row: dict[str, Any], rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    id, value = row["request_id"], int(rng.integers(0, 2))
    arrived = row["predicted_at"] + float(rng.lognormal(3.0, 1.2)) * HOUR
    arrived = arrived.replace(microsecond=0)
    later = arrived + int(rng.integers(1, 120)) * HOUR
    first = _label(id, value, arrived)
    fate = rng.choice(["plain", "none", "flip", "back", "copy", "echo", "torn", "settled", "early", "taken", "undated"])
    yield from {
        "plain": [first],
        "none": [],
        "flip": [first, _label(id, 1 - value, later)],
        "back": [first, _label(id, 1 - value, later), _label(id, value, later + DAY)],
        "copy": [first, first],
        "echo": [first, _label(id, value, later)],
        "torn": [first, _label(id, 1 - value, arrived)],
        "settled": [first, _label(id, 1 - value, arrived), _label(id, value, later)],
        "early": [_label(id, value, row["predicted_at"] - HOUR)],
        "taken": [first, _label(id, None, later)],
        "undated": [_label(id, value, None)] + [first] * int(rng.integers(0, 2)),
    }[str(fate)]


def _label(id: str, value: int | None, arrived: datetime | None) -> dict[str, Any]:
    return {"request_id": id, "label": value, "labeled_at": arrived}


def by_hand(rows: list[dict[str, Any]], labels: list[dict[str, Any]], day: str, as_of: datetime) -> dict[str, float]:
    """The same numbers by another way: pandas, one id at a time."""
    logged = pd.DataFrame([row for row in rows if at(day) <= row["predicted_at"] < at(day) + DAY])
    table = pd.DataFrame(labels).astype({"label": "float"})
    table["labeled_at"] = pd.to_datetime(table["labeled_at"], utc=True)
    known = table[table["labeled_at"] < as_of]
    orphans = known[~known["request_id"].isin([row["request_id"] for row in rows])]
    inside = (orphans["labeled_at"] >= at(day)) & (orphans["labeled_at"] < at(day) + DAY)
    found = {"orphan_labels": orphans[inside]["request_id"].nunique(), "label_conflicts": 0, "label_duplicates": 0}
    truth: dict[str, float] = {}
    for id, some in known[known["request_id"].isin(logged["request_id"])].groupby("request_id"):
        given = some["label"].dropna()
        found["label_duplicates"] += len(given) - given.nunique()
        newest = some[some["labeled_at"] == some["labeled_at"].max()]["label"]
        found["label_conflicts"] += newest.nunique(dropna=False) > 1
        if newest.nunique(dropna=False) == 1 and newest.notna().all():
            truth[str(id)] = newest.iloc[0]
    undated = table[table["labeled_at"].isna() & table["request_id"].isin(logged["request_id"])]
    good = logged[(logged["status_code"] == 200) & logged["prediction"].notna()]
    right = [truth[id] == said for id, said in zip(good["request_id"], good["prediction"], strict=True) if id in truth]
    accuracy = {"accuracy": float(np.mean(right))} if right else {}
    return found | accuracy | {
        "n_labeled": len(right),
        "n_unlabeled": len(good) - len(right),
        "undated_labels": undated["request_id"].nunique(),
    }  # fmt: skip


@pytest.fixture
def world(database_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An empty warehouse that the environment leads to."""
    where = {"conn_type": "sqlite", "host": database_url.database}
    if database_url.get_backend_name() == "postgresql":
        names = {"login": database_url.username, "password": database_url.password, "schema": database_url.database}
        where = {"conn_type": "postgres", "host": database_url.query["host"]} | names
    with a_world(database_url, tmp_path, [], reference=None, labels={"matures_after": "8d"}) as made:
        monkeypatch.delenv("AIRFLOW_HOME", raising=False)
        monkeypatch.setenv("HINDSIGHT_DATA", made.resources.settings.data)
        monkeypatch.setenv("HINDSIGHT_MONITORS", str(made.resources.settings.monitors))
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(where))
        monkeypatch.setenv("AIRFLOW_CONN_HINDSIGHT_LEDGER", f"sqlite:///{tmp_path / 'ledger.db'}")
        yield made


def snapshot(world: World, day: str, as_of: datetime) -> dict[str, float]:
    """What a reader of the files finds about a day as of a moment."""
    frame = read_snapshots("credit", as_of, data=world.resources.settings.data)
    whole = frame[(frame["segment"] == "") & (frame["model_version"] == "") & (frame["bin"] == "")]
    whole = whole[(whole["window_start"] == at(day)) & whole["value"].notna()]
    return dict(zip(whole["metric"], whole["value"], strict=True))


def off(world: World, rows: Any, labels: Any, moments: dict[str, list[datetime]]) -> list[str]:
    found = []
    for day, some in moments.items():
        for as_of in some:
            expected, said = by_hand(rows, labels, day, as_of), snapshot(world, day, as_of)
            wrong = {m: (v, said.get(m)) for m, v in expected.items() if said.get(m) != pytest.approx(v)}
            found += [f"{day} as of {as_of}: {wrong}"] if wrong else []
    return found


def test_every_night_and_every_moment_equals_what_pandas_counts(world: World) -> None:
    rows, labels = a_history(seed=7)
    world.insert("inference_log", rows).insert("ground_truth", labels)
    hindsight("labels", "credit", "--start", DAYS[0], "--end", f"{END:%Y-%m-%d}", "--json")
    moments = {day: [at(day) + (1 + k) * DAY for k in (0, 1, 2, 5, 7, 10)] for day in DAYS}
    assert off(world, rows, labels, moments) == []

    odd = at("2026-09-05T07:31")
    hindsight("labels", "credit", "--as-of", odd.isoformat(), "--json")
    assert off(world, rows, labels, {day: [odd] for day in DAYS}) == []
    faults = snapshot(world, DAYS[0], END)
    assert all(faults[f"{name}"] > 0 for name in ("label_conflicts", "label_duplicates", "label_corrections"))
    assert all(faults[f"{name}"] > 0 for name in ("orphan_labels", "undated_labels", "early_labels", "n_unlabeled"))


def test_a_night_run_again_after_later_ones_writes_nothing(world: World) -> None:
    rows, labels = a_history(seed=8, n=40)
    world.insert("inference_log", rows).insert("ground_truth", labels)
    nights = days("2026-09-02", 12)
    for night in nights:
        world.night(night)
    before = world.files()
    for night in [*nights[3::4], *nights[::-3]]:
        world.night(night)
    assert world.files() == before


def test_labels_older_than_their_predictions_count_as_soon_as_the_window_has_ended(world: World) -> None:
    rows, labels = a_day("2026-09-06", n=40)
    world.insert("inference_log", rows).insert("ground_truth", [r | {"labeled_at": at("2026-09-02")} for r in labels])
    for night in days("2026-09-02", 5):
        world.night(night)
    assert world.found("2026-09-07") == ["2026-09-06"]
    world.night("2026-09-07")
    assert snapshot(world, "2026-09-06", at("2026-09-07"))["n_labeled"] == 40
    assert world.found("2026-09-08") == []


@pytest.mark.parametrize(
    "moment", ["2026-09-04", at("2026-09-04"), at("2026-09-04").replace(tzinfo=None), date(2026, 9, 4)]
)
def test_a_past_moment_may_be_written_in_any_way(sqlite_url: sa.URL, tmp_path: Path, moment: date | str) -> None:
    with a_world(sqlite_url, tmp_path, [], reference=None) as world:
        world.log("2026-09-01", n=40)
        for night in ("2026-09-04", "2026-09-05"):
            world.night(night)
        frame = read_snapshots("credit", moment, data=world.resources.settings.data)
    assert set(frame["as_of"]) == {at("2026-09-04")}


def test_the_first_days_of_a_long_window_count_as_soon_as_it_has_ended(world: World) -> None:
    world.declare(window="7d", start="2026-08-31", reference=None)
    rows, labels = a_day("2026-09-01", n=40)
    world.insert("inference_log", rows).insert("ground_truth", [r | {"labeled_at": at("2026-09-02")} for r in labels])
    for night in days("2026-09-02", 5):
        assert world.found(night) == []
        world.night(night)
    assert world.found("2026-09-07") == ["2026-08-31"]
    world.night("2026-09-07")
    assert world.found("2026-09-08") == []
