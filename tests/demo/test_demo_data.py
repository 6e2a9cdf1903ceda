"""The demo's data: a day is a function of seed, plan and date; what is planted is there and the rest is calm."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from demo import credit, generate
from demo.generate import loaded_until, midnight
from demo.incidents import dumps, load_or_make, make_plan, read
from demo.plan import Plan, Planted
from demo.stream import day, days
from demo.traffic import MODELS, Model, Traffic, reference_until, traffic, trained_until
from hindsight.monitors.loader import load_monitor
from hindsight.training.compare import compare
from hindsight.training.train import hold_out, train
from tests.builders import DAY, HOUR, at

END = at("2026-11-20")
CREDIT, DELIVERY = MODELS


@cache
def plan() -> Plan:
    return make_plan(7, END)


@cache
def made(model: Model) -> Traffic:
    return traffic(model, plan(), END)


@cache
def matured(model: Model) -> pd.DataFrame:
    """Scored requests with the newest label of each, and whether the prediction was right or how far off it was."""
    newest = made(model).labels.sort_values("labeled_at", kind="stable").drop_duplicates("request_id", keep="last")
    rows = made(model).log.merge(newest, on="request_id")
    right = rows["prediction"] == rows["label"] if model.classifies else (rows["prediction"] - rows["label"]).abs()
    return rows.assign(loss=1 - right.astype(float) if model.classifies else right)


def within(rows: pd.DataFrame, start: datetime, end: datetime) -> pd.DataFrame:
    return rows[(rows["predicted_at"] >= start) & (rows["predicted_at"] < end)]


def only(kind: str, model: Model = CREDIT) -> Planted:
    return next(p for p in plan().of(model.stream.name) if p.kind == kind)


def calm_days(model: Model) -> list[datetime]:
    """Days of the sixty with nothing planted into their requests or their truth."""
    busy = plan().of(model.stream.name)
    watched = [start for start in days(plan(), END) if start >= plan().start]
    return [d for d in watched if not any(p.start < d + DAY and d < p.end for p in busy)]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.stream.name)
def test_a_day_depends_on_seed_plan_and_date_only(model: Model) -> None:
    again = day(model.stream, make_plan(7, END), END - 10 * DAY)
    first = day(model.stream, plan(), END - 10 * DAY)
    pd.testing.assert_frame_equal(first.requests, again.requests)
    pd.testing.assert_frame_equal(first.labels, again.labels)
    other = day(model.stream, make_plan(8, END), END - 10 * DAY)
    assert not other.requests.equals(first.requests)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.stream.name)
def test_what_is_planted_changes_nothing_but_its_own_span(model: Model) -> None:
    quiet = replace(plan(), planted=())
    for start in (plan().start + 2 * DAY, END - 17 * DAY):
        pd.testing.assert_frame_equal(
            day(model.stream, plan(), start).requests, day(model.stream, quiet, start).requests
        )


def test_the_plan_survives_its_file_and_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "demo" / "incidents.json"
    first = load_or_make(path, seed=7, end=END)
    assert first == plan()
    assert dumps(read(path)) == path.read_text()
    assert load_or_make(path, seed=1, end=END + DAY) == first


def test_both_models_have_incidents_all_over_the_sixty_days_and_in_the_last_seven() -> None:
    for model in MODELS:
        planted = plan().of(model.stream.name)
        assert all(plan().start <= p.start < p.end <= END for p in planted)
        assert sum(p.end > END - 7 * DAY for p in planted) >= 3
        assert sum(p.end <= END - 7 * DAY for p in planted) >= 5


def test_accuracy_is_realistic_and_stable_when_nothing_happens() -> None:
    rows = matured(CREDIT)
    reference = 1 - within(rows, trained_until(plan()), reference_until(plan()))["loss"].mean()
    assert 0.85 <= reference <= 0.9
    settled = [d for d in calm_days(CREDIT) if d < END - 9 * DAY]
    accuracy = [1 - within(rows, d, d + DAY)["loss"].mean() for d in settled]
    assert np.abs(np.array(accuracy) / reference - 1).max() < 0.05


def test_the_error_of_the_regressor_is_stable_in_every_window() -> None:
    rows = matured(DELIVERY)
    reference = within(rows, trained_until(plan()), reference_until(plan()))["loss"].mean()
    windows = [d + i * 6 * HOUR for d in calm_days(DELIVERY) if d < END - 2 * DAY for i in range(4)]
    errors = [within(rows, w, w + 6 * HOUR)["loss"].mean() for w in windows]
    assert max(errors) / reference < 1.15


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.stream.name)
def test_volume_is_comparable_with_the_same_weekday_before(model: Model) -> None:
    counts = made(model).log.groupby(made(model).log["predicted_at"].dt.floor("6h")).size()
    for start in calm_days(model):
        for hour in (0, 6, 12, 18):
            window = start + hour * HOUR
            usual = np.median([counts[window - week * 7 * DAY] for week in (1, 2, 3, 4)])
            assert 0.75 < counts[window] / usual < 1.33


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.stream.name)
def test_calm_service_is_healthy(model: Model) -> None:
    log = made(model).log
    for start in calm_days(model):
        rows = within(log, start, start + DAY)
        assert rows["latency_ms"].quantile(0.99) < 300
        assert (rows["status_code"] != 200).mean() < 0.01


def test_a_quarter_of_a_feature_holds_the_sentinel() -> None:
    p = only("sentinel")
    rows = within(made(CREDIT).log, p.start, p.end)
    assert (rows[p.feature] == -999).mean() == pytest.approx(0.25, abs=0.02)
    assert (within(made(CREDIT).log, p.end, p.end + DAY)[p.feature] == -999).sum() == 0


def test_a_category_is_respelled_and_a_fifth_is_null() -> None:
    p = only("respelled")
    assert "North" in set(within(made(CREDIT).log, p.start, p.end)["region"])
    assert "north" not in set(within(made(CREDIT).log, p.start, p.end)["region"])
    p = only("nulls")
    assert within(made(CREDIT).log, p.start, p.end)[p.feature].isna().mean() > 0.2


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.stream.name)
def test_service_is_slow_or_fails_and_volume_falls(model: Model) -> None:
    p = only("service", model)
    rows = within(made(model).log, p.start, p.end)
    assert rows["latency_ms"].quantile(0.99) > 1000
    if model is CREDIT:
        assert (rows["status_code"] >= 500).mean() > 0.1
    assert rows["prediction"].isna().equals(rows["status_code"] != 200)
    p = only("volume", model)
    before = within(made(model).log, p.start - 7 * DAY, p.end - 7 * DAY)
    assert len(within(made(model).log, p.start, p.end)) / len(before) < 0.4


def test_the_population_shifts_without_harm() -> None:
    p, rows = only("shift"), matured(CREDIT)
    moved, before = within(rows, p.start, p.end), within(rows, p.start - 4 * DAY, p.start)
    assert moved["age"].mean() < before["age"].mean() - 10
    assert moved["loss"].mean() == pytest.approx(before["loss"].mean(), rel=0.1)


def test_the_concept_drift_hurts_by_a_fifth_and_matures_within_the_last_week() -> None:
    p, rows = only("concept"), matured(CREDIT)
    before, after = within(rows, p.start - 7 * DAY, p.start), within(rows, p.start, p.start + 7 * DAY)
    assert (1 - after["loss"].mean()) / (1 - before["loss"].mean()) < 0.8
    assert p.start + 3 * DAY + 7 * DAY > END - 7 * DAY
    features = list(credit.NUMERIC)
    assert after[features].mean().to_numpy() == pytest.approx(before[features].mean().to_numpy(), rel=0.06)


def test_labels_are_late_defaults_come_sooner_and_a_few_never() -> None:
    log = within(made(CREDIT).log, END - 50 * DAY, END - 30 * DAY)
    first = made(CREDIT).labels.drop_duplicates("request_id")
    rows = log[log["status_code"] == 200].merge(first, on="request_id", how="left")
    delay = (rows["labeled_at"] - rows["predicted_at"]) / DAY
    assert delay[rows["label"] == 1].median() < 2 < 3 < delay[rows["label"] == 0].median()
    assert 0.02 < rows["label"].isna().mean() < 0.04
    assert (made(CREDIT).labels["labeled_at"] < END).all()


def known_before(model: Model, p: Planted, moment: datetime) -> float:
    """Loss on the planted span as it was known at a moment."""
    labels = made(model).labels
    known = labels[labels["labeled_at"] < moment].sort_values("labeled_at", kind="stable")
    rows = within(made(model).log, p.start, p.end).merge(known.drop_duplicates("request_id", keep="last"))
    right = (rows["prediction"] == rows["label"]) if model.classifies else (rows["prediction"] - rows["label"]).abs()
    return float(1 - right.astype(float).mean() if model.classifies else right.mean())


def test_wrong_labels_are_set_right_and_right_ones_overturned() -> None:
    wrong, overturned = only("labels_wrong", DELIVERY), only("labels_overturned")
    assert wrong.corrected is not None
    assert overturned.corrected is not None
    assert wrong.corrected > wrong.end + 2 * DAY
    assert known_before(DELIVERY, wrong, wrong.corrected) > 2 * known_before(DELIVERY, wrong, END)
    assert overturned.corrected > overturned.end + 7 * DAY
    assert known_before(CREDIT, overturned, END) > 1.5 * known_before(CREDIT, overturned, overturned.corrected)


def test_two_versions_run_beside_each_other_for_a_while() -> None:
    share = (made(CREDIT).log["model_version"] == "v2").groupby(made(CREDIT).log["predicted_at"].dt.floor("D")).mean()
    days_with_both = share[share > 0]
    assert len(days_with_both) == 14
    assert days_with_both.to_numpy() == pytest.approx(0.1, abs=0.03)


def test_retraining_on_what_is_known_beats_the_model_that_drifted() -> None:
    """As of the night on which the third drifted day has matured."""
    p = only("concept")
    as_of = p.start + 10 * DAY
    labels = made(CREDIT).labels
    known = labels[labels["labeled_at"] < as_of].drop_duplicates("request_id", keep="last")
    rows = within(made(CREDIT).log, as_of - 36 * DAY, as_of - 7 * DAY).merge(known)
    rows = rows[rows["prediction"].notna()].rename(columns={"predicted_at": "timestamp"})
    before, after = hold_out(rows)
    challenger = train("demo.training:train_credit", before, as_of)
    result = compare(after, challenger, task="binary", features=credit.FEATURES)
    assert result.better
    assert result.difference > 0.1


def test_the_monitor_files_are_valid_and_their_dates_fit_the_plan(tmp_path: Path) -> None:
    generate.write_monitors(plan(), tmp_path, until=END)
    for model in MODELS:
        monitor = load_monitor(tmp_path / f"{model.stream.name}.yml")
        assert tuple(monitor.features) == model.features
        assert (monitor.start, monitor.end) == (plan().start, END)
        assert monitor.reference is not None
        assert (monitor.reference.start, monitor.reference.end) == (trained_until(plan()), reference_until(plan()))
        assert monitor.max_age == 8 * DAY
        rules = {rule.id for rule in monitor.rules}
        assert all(rules.issuperset(p.rules) for p in plan().of(monitor.name))


def test_a_second_load_adds_only_what_has_come_since(postgres_url: sa.URL) -> None:
    earlier = traffic(DELIVERY, plan(), END - 3 * DAY)
    assert loaded_until(postgres_url, DELIVERY) is None
    first = generate.load(postgres_url, DELIVERY, earlier, until=END - 3 * DAY)
    assert loaded_until(postgres_url, DELIVERY) == END - 3 * DAY
    second = generate.load(postgres_url, DELIVERY, made(DELIVERY), until=END)
    assert loaded_until(postgres_url, DELIVERY) == END
    totals = tuple(a + b for a, b in zip(first, second, strict=True))
    assert totals == (len(made(DELIVERY).log), len(made(DELIVERY).labels))
    tables = [sa.table(name, sa.column("request_id")) for name in (DELIVERY.log, DELIVERY.labels)]
    with sa.create_engine(postgres_url, poolclass=sa.NullPool).connect() as connection:
        counts = [connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() for table in tables]
        indexes = {index["name"] for index in sa.inspect(connection).get_indexes(DELIVERY.labels)}
    assert tuple(counts) == totals
    assert indexes == {"delivery_labels_labeled_at", "delivery_labels_request_id"}


def test_midnight_is_utc() -> None:
    assert midnight(END.date()) == END
