"""The alarm benchmark: its draws have the law of rows, its verdicts are Hindsight's, its peers are the peers' own."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import ks_2samp

from benchmarks import alarms, alarms_cells, alarms_peers, alarms_replay, alarms_tables
from benchmarks.alarms_draws import (
    FIXED,
    SAME,
    Change,
    Deciles,
    Draw,
    categorical,
    counted_numeric,
    drifted,
    learn_from_rows,
    numeric,
    split,
)
from hindsight.checks.statistics.effects import psi
from hindsight.checks.values.bins import decile_bins
from hindsight.checks.values.distributions import ks_p


def a_generator(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def a_draw(weight: float, p: float, threshold: float = 0.03) -> Draw:
    return Draw(weight, p, lambda: threshold, lambda: (np.zeros(1), np.zeros(1)))


def test_a_feature_drifts_when_it_is_large_and_significant_among_all_of_its_window() -> None:
    draws = [a_draw(0.2, 1e-6), a_draw(0.05, 1e-6), a_draw(0.2, 0.01), a_draw(0.025, 1e-6)]
    assert drifted(draws) == {"fixed": [True, False, False, False], "auto": [True, True, False, False]}


def test_a_threshold_is_learnt_only_where_a_verdict_hangs_on_it() -> None:
    def never() -> float:
        raise AssertionError("it was learnt")

    draws = [Draw(0.019, 1e-9, never, lambda: (np.zeros(1), np.zeros(1))), Draw(0.2, 0.5, never, a_draw(0, 1).rows)]
    assert drifted(draws)["auto"] == [False, False]


def test_the_verdict_on_rows_is_that_of_the_window_job() -> None:
    rng = a_generator()
    changes = [SAME, Change(shift=0.25), Change(shift=0.5), Change(nulls=0.05)]
    draws = [numeric(rng, 400, 8_000, [change])[0] for change in changes]
    reference, window = (
        pa.table({f"x{i}": pa.array(draw.rows()[side], from_pandas=True) for i, draw in enumerate(draws)})
        for side in (0, 1)
    )
    kinds = dict.fromkeys(reference.column_names, "numeric")
    assert drifted(draws) == alarms_cells.verdicts(reference, window, kinds)
    assert drifted(draws)["auto"] == [False, True, True, True]


def test_the_verdict_on_counted_categories_is_that_of_the_window_job() -> None:
    rng = a_generator(2)
    draws = [categorical(rng, 1_000, 20_000, 5, change) for change in (SAME, Change(swap=0.05), Change(swap=0.15))]
    rows = [[[f"v{code:03}" for code in side] for side in draw.rows()] for draw in draws]
    reference, window = (pa.table({f"x{i}": sides[side] for i, sides in enumerate(rows)}) for side in (0, 1))
    kinds = dict.fromkeys(reference.column_names, "categorical")
    assert drifted(draws) == alarms_cells.verdicts(reference, window, kinds)
    assert drifted(draws) == {"fixed": [False, False, True], "auto": [False, True, True]}


@pytest.mark.parametrize("change", [SAME, Change(shift=0.3), Change(nulls=0.02)])
def test_counts_have_the_law_of_rows(change: Change) -> None:
    rows = [numeric(a_generator(i), 100, 1_000, [change])[0] for i in range(120)]
    counts = [counted_numeric(a_generator(i), 100, 1_000, change) for i in range(1_000, 1_500)]
    assert ks_2samp([draw.weight for draw in rows], [draw.weight for draw in counts]).pvalue > 0.01


def test_thresholds_learnt_from_counts_have_the_law_of_those_from_rows() -> None:
    rows = [learn_from_rows(a_generator(i).standard_normal(2_000), 100) for i in range(40)]
    counts = [counted_numeric(a_generator(i), 100, 2_000).threshold for i in range(1_000, 1_300)]
    assert ks_2samp(rows, counts).pvalue > 0.01


def test_the_edges_drawn_are_deciles_of_normal_rows() -> None:
    drawn = [Deciles.draw(a_generator(i), 205) for i in range(400)]
    of_rows = [decile_bins(np.sort(a_generator(i).standard_normal(205))).edges for i in range(600, 1_000)]
    for place in range(9):
        found = ks_2samp([deciles.edges[place] for deciles in drawn], [edges[place] for edges in of_rows])
        assert found.pvalue > 0.005
    rows = np.sort(a_generator().standard_normal(205))
    below = np.searchsorted(rows, decile_bins(rows).edges, side="left")
    assert all(np.array_equal(deciles.below, below) for deciles in drawn)


def test_the_gap_at_the_deciles_is_never_over_that_of_the_rows() -> None:
    rng = a_generator()
    for _ in range(30):
        [draw] = numeric(rng, 100, 2_000)
        reference, window = draw.rows()
        edges = decile_bins(np.sort(reference)).edges
        below = [np.searchsorted(np.sort(side), edges, side="left") / len(side) for side in (reference, window)]
        gap = float(np.abs(below[0] - below[1]).max())
        assert ks_p(gap, 2_000, 100) >= draw.p


def test_a_reference_is_divided_into_windows_without_losing_a_row() -> None:
    counts = np.array([300, 500, 1_200, 0])
    windows = split(a_generator(), counts, 100)
    assert len(windows) == 20
    assert np.array_equal(sum(windows), counts)
    assert {int(window.sum()) for window in windows} == {100}


def test_columns_without_change_rarely_drift_and_a_large_change_always_does() -> None:
    rng = a_generator()
    quiet = [draw for _ in range(80) for draw in (categorical(rng, 1_000, 20_000, 50), numeric(rng, 100, 2_000)[0])]
    assert sum(any(drifted([draw])["fixed"]) for draw in quiet) <= 3
    assert all(drifted([counted_numeric(rng, 10_000, 200_000, Change(shift=0.5))])["fixed"] == [True] for _ in range(9))


def test_effects_are_those_of_the_definition() -> None:
    draw = categorical(a_generator(), 1_000, 20_000, 5)
    reference, window = (np.bincount(side, minlength=5) for side in draw.rows())
    assert draw.weight == pytest.approx(psi(reference, window))
    assert FIXED == 0.1


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("m", [800, 4_000])
def test_evidently_says_what_its_preset_says(m: int) -> None:
    import pandas as pd
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    rng = a_generator(4)
    numbers = {f"x{i}": (rng.normal(0, 1, m), rng.normal(0.06 * i, 1, 300)) for i in range(3)}
    codes = {f"c{k}": (rng.integers(0, k, m), rng.integers(0, k, 300)) for k in (2, 5, 60)}
    definition = DataDefinition(numerical_columns=list(numbers), categorical_columns=list(codes))
    before, now = (
        Dataset.from_pandas(
            pd.DataFrame({name: pair[side] for name, pair in (numbers | codes).items()}), data_definition=definition
        )
        for side in (0, 1)
    )
    report = Report([DataDriftPreset()]).run(now, before).dict()
    by_preset = {
        metric["config"]["column"]: bool(
            metric["value"] >= metric["config"]["threshold"]
            if m > 1_000
            else metric["value"] < metric["config"]["threshold"]
        )
        for metric in report["metrics"]
        if "column" in metric["config"]
    }
    ours = {name: alarms_peers.evidently(*pair, numeric=name in numbers) for name, pair in (numbers | codes).items()}
    assert ours == by_preset
    assert len(set(ours.values())) == 2


def test_nannyml_alarms_over_a_tenth_or_three_deviations_of_its_own_chunks() -> None:
    reference = np.tile([0, 0, 1, 1], 50)
    quiet, moved, unseen = np.tile([0, 1], 10), np.zeros(20, int), np.full(20, 7)
    assert alarms_peers.nannyml(reference, quiet, numeric=False) == (False, False)
    assert alarms_peers.nannyml(reference, moved, numeric=False) == (True, True)
    assert alarms_peers.nannyml(reference, unseen, numeric=False) == (True, True)
    rng = a_generator()
    rows = rng.standard_normal(2_000)
    assert alarms_peers.nannyml(rows, rows[:100] + 5, numeric=True) == (True, True)
    with_nulls = np.where(rng.random(1_000) < 0.5, np.nan, rows[:1_000])
    assert alarms_peers.nannyml(rows, with_nulls, numeric=True) == (False, None)  # two chunks have no deviation


def test_real_rows_are_compared_without_overlap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet as pq

    folder = tmp_path / "little"
    folder.mkdir()
    rng = a_generator()
    table = pa.table({"x": rng.standard_normal(3_000), "c": rng.integers(0, 3, 3_000).astype(str).tolist()})
    pq.write_table(table, folder / "reference.parquet")
    (folder / "case.json").write_text('{"numeric": ["x"], "categorical": ["c"]}')
    monkeypatch.setenv("HINDSIGHT_CASES", str(tmp_path))
    alarms_cells._table.cache_clear()
    cell = alarms_cells.Real("little", 100)
    tally = cell.block(a_generator(), 3, 1)
    assert (cell.m, tally["2", "fixed", "windows"], tally["2", "auto", "alarms"]) == (2_000, 3, 0)
    assert tally["2", "evidently", "windows"] == 1
    assert alarms_cells.Real("little", 2_000).m == 1_000
    alarms_cells._table.cache_clear()


def test_the_same_columns_make_windows_of_every_size() -> None:
    tally = alarms_cells.Null(5, 100, 2_000).block(a_generator(), 2, 1)
    assert [tally[size, "auto", "windows"] for size in ("1", "10", "50")] == [100, 10, 2]
    assert [tally[size, "nannyml", "windows"] for size in ("1", "10", "50")] == [50, 5, 1]


def test_power_counts_the_changed_feature_alone() -> None:
    tally = alarms_cells.Power(10_000).block(a_generator(), 5, 0)
    found = {change: tally[change, "auto", "alarms"] for change, *_ in tally}
    assert found == {"shift 0.1": 0, "shift 0.25": 5, "shift 0.5": 5, "1 % nulls": 5, "10 % swap": 5}
    assert tally["shift 0.25", "fixed", "alarms"] == 0


def test_every_window_is_drawn_once_and_the_peers_see_the_first() -> None:
    cell = alarms_cells.Null(5, 100, 2_000)
    some = list(alarms.tasks([cell], 25, seed=1))
    assert [(task.block, task.windows, task.peers) for task in some] == [(0, 10, 2), (1, 10, 0), (2, 5, 0)]


def test_numbers_do_not_depend_on_the_processes() -> None:
    cells = [alarms_cells.Null(5, 100, 1_000, (1, 10)), alarms_cells.Null(0, 10_000, 200_000)]
    some = list(alarms.tasks(cells, 12, seed=3))

    def total(order: list[alarms.Task]) -> Counter[tuple[str, ...]]:
        tallies: Counter[tuple[str, ...]] = Counter()
        for task in order:
            name, tally, _ = alarms.Task(task.cell, task.block, task.windows, 0, task.seed).run()
            tallies.update({(name, *key): value for key, value in tally.items()})
        return tallies

    assert total(some) == total(some[::-1])


def a_run() -> dict[str, object]:
    """Small numbers of every part, as `measure` returns them."""
    null, power = alarms_cells.Null(5, 1_000, 20_000), alarms_cells.Power(1_000)
    counted = (("windows", 2_000), ("alarms", 12))
    quiet = Counter({("10", mode, what): n for mode in ("fixed", "auto") for what, n in counted})
    found = Counter(
        {
            (change, mode, what): n
            for change in ("shift 0.25", "shift 0.5")
            for mode in ("fixed", "auto")
            for what, n in (("windows", 2_000), ("alarms", 1_990))
        }
    )
    one = {"name": "replay/elec2", "about": "weeks", "windows": 16, "months": 3.7, "pages": 1, "notices": 2}
    parts = {
        "cells": list(alarms._cells(null, quiet)),
        "power": list(alarms._cells(power, found)),
        "replays": [one | {"pages_per_month": 0.27, "notices_per_month": 0.54, "which": []}],
        "processor_seconds": {},
    }
    return alarms.summary(parts) | parts


def test_goals_are_about_the_worst_cell_and_the_interval() -> None:
    found = a_run()
    assert found["worst_false_alarm_rate"] == pytest.approx(0.006)
    assert found["power_auto_quarter_sigma"] == found["power_fixed_half_sigma"] == pytest.approx(0.995)
    assert found["false_pages_per_model_month"] == 0.27
    assert [goal["met"] for goal in found["goals"]] == [True] * 4
    found["cells"][0]["rules"]["auto"] |= {"rate": 0.02, "lower": 0.015}
    assert [goal["met"] for goal in alarms.summary(found)["goals"]] == [False, True, True, True]


def test_the_page_keeps_what_people_wrote_around_the_tables() -> None:
    about = alarms_tables.about(datetime(2026, 11, 20, tzinfo=UTC), draws=2_000, seed=1, processes=2)
    found = a_run() | {"about": about | {"skipped": ["a case"], "wall_seconds": 120}}
    first = alarms_tables.page(found, "")
    assert "0.60 [0.34–1.05]" in first
    assert "Measured 2026-11-20" in first
    assert "Left out: a case." in first
    mine = first.replace("# False alarms and power", "# My own words") + "and after\n"
    assert alarms_tables.page(found, mine) == mine


def test_only_drift_that_begins_in_a_clean_window_is_false() -> None:
    day, start = timedelta(days=1), datetime(2024, 3, 1, tzinfo=UTC)
    clean = [(start + day * i, start + day * (i + 1)) for i in range(30)]

    def a_story(rule: str, days: int, feature: str = "") -> dict[str, object]:
        return {"series": {"rule": rule, "feature": feature}, "started": (start + day * days).isoformat()}

    stories = [a_story("drift", 2, "age"), a_story("drift", 40), a_story("drift_share", 3), a_story("volume", 4)]
    found = alarms_replay.summary(alarms_replay.STRETCHES[1], clean, day, stories)
    assert (found["pages"], found["notices"]) == (1, 1)
    assert found["pages_per_month"] == pytest.approx(30.4375 / 30)
    assert found["which"] == ["2024-03-03 age", "2024-03-04 drift_share"]


def test_without_real_cases_there_are_none_of_their_cells_and_no_replay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HINDSIGHT_CASES", str(tmp_path))
    assert not any(isinstance(cell, alarms_cells.Real) for cell in alarms_cells.grid())
    assert not alarms._stretches()
