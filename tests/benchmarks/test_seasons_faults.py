"""Planted faults: what each does to a small log, in numbers that can be told beforehand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.seasons_faults import DAY, GRID, Fault, plant

START = pd.Timestamp("2026-01-05", tz="UTC")
ONSET = START + 50 * DAY
ROWS_A_DAY = 100


def a_log(days: int = 120) -> pd.DataFrame:
    n = days * ROWS_A_DAY
    i = np.arange(n)
    frame = pd.DataFrame({"id": [f"r{k}" for k in i], "predicted_at": START + pd.to_timedelta(i * 864, unit="s")})
    frame["x"], frame["y"] = i % 10 + 1.0, i % 7 * 100.0
    frame["k"] = np.where(i % 5 == 0, "a", "b")
    frame["prediction"] = (i % 2).astype(int)
    frame["label"] = (i % 2).astype(float)
    return frame.assign(labeled_at=frame["predicted_at"] + DAY)


def a_fault(kind: str, strength: str = "middle", **rest: object) -> Fault:
    fault = Fault("s", kind, strength, ONSET, columns=("x",), window=DAY)
    return replace(fault, **rest)  # type: ignore[arg-type]


def after(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["predicted_at"] >= ONSET]


@pytest.mark.parametrize(("kind", "strength", "rest"), [
    ("shift", "weak", {"size": 3.0}),
    ("unit", "middle", {}),
    ("nulls", "strong", {"size": 0.6}),
    ("sentinel", "middle", {"size": 0.1}),
    ("respelt", "middle", {"columns": ("k",), "category": "a"}),
    ("lost", "middle", {"columns": ("k",), "category": "a"}),
    ("stuck", "middle", {}),
    ("rows_lost", "middle", {"size": 0.5}),
    ("rows_doubled", "middle", {"size": 0.5}),
    ("swapped", "middle", {"columns": ("x", "y")}),
    ("labels_flipped", "middle", {"size": 0.15}),
    ("ramp", "middle", {"size": 0.5}),
])  # fmt: skip
def test_a_fault_changes_something_from_its_onset_on_and_nothing_before(
    kind: str, strength: str, rest: dict[str, object]
) -> None:
    log, fault = a_log(), a_fault(kind, strength, **rest)
    made = plant(log, fault)
    before, rows = made["predicted_at"] < ONSET, log["predicted_at"] < ONSET
    pd.testing.assert_frame_equal(made[before], log[rows], check_dtype=False)
    assert not after(made).reset_index(drop=True).equals(after(log).reset_index(drop=True))
    pd.testing.assert_frame_equal(plant(log, fault), made)  # the same seed, the same fault
    pd.testing.assert_frame_equal(log, a_log())


def test_numbers_are_changed_by_what_the_fault_says() -> None:
    log = a_log()
    old = after(log)["x"]
    assert (after(plant(log, a_fault("shift", size=3.0)))["x"] - old).unique() == pytest.approx([3.0])
    for turn, (factor, offset) in enumerate(((1.8, 32.0), (0.001, 0.0), (2.54, 0.0))):
        assert after(plant(log, a_fault("unit", turn=turn)))["x"].to_numpy() == pytest.approx(old * factor + offset)
    ramped = after(plant(log, a_fault("ramp", size=0.5)))["x"] - old
    assert ramped.iloc[10 * ROWS_A_DAY] == pytest.approx(5.0)
    assert ramped.iloc[-1] == pytest.approx(30.0)  # after sixty days it stays


def test_shares_of_rows_are_hit_as_often_as_the_strength_says() -> None:
    log = a_log()
    nulls = after(plant(log, a_fault("nulls", size=0.2)))["x"].isna().mean()
    stand_ins = (after(plant(log, a_fault("sentinel", size=0.1)))["x"] == -999.0).mean()
    left = len(after(plant(log, a_fault("rows_lost", size=0.9)))) / len(after(log))
    doubled = after(plant(log, a_fault("rows_doubled", size=0.5)))
    flipped = (after(plant(log, a_fault("labels_flipped", size=0.3)))["label"] != after(log)["label"]).mean()
    assert (nulls, stand_ins, left, flipped) == pytest.approx((0.2, 0.1, 0.1, 0.3), abs=0.02)
    assert len(doubled) / len(after(log)) == pytest.approx(1.5, abs=0.02)
    assert doubled["id"].nunique() == len(after(log))


def test_stand_ins_and_spellings_take_turns() -> None:
    log = a_log()
    assert 0.0 in set(after(plant(log, a_fault("sentinel", size=0.4, turn=1)))["x"])
    texts = after(plant(log, a_fault("sentinel", size=0.4, columns=("k",))))["k"]
    assert "unknown" in set(texts)
    respelt = {
        turn: set(after(plant(log, a_fault("respelt", columns=("k",), category="a", turn=turn)))["k"])
        for turn in range(3)
    }
    assert respelt == {0: {"A", "b"}, 1: {"a ", "b"}, 2: {"a_de", "b"}}
    assert after(plant(log, a_fault("lost", columns=("k",), category="a")))["k"].isna().mean() == pytest.approx(0.2)
    assert set(after(plant(log, a_fault("lost", columns=("k",), category="a", turn=1)))["k"]) == {"other", "b"}


def test_a_stuck_value_is_the_last_good_one_for_a_window_or_for_good() -> None:
    log = a_log()
    last = log.loc[log["predicted_at"] < ONSET, "x"].iloc[-1]
    for_good, one_window = (after(plant(log, a_fault("stuck", strength)))["x"] for strength in ("middle", "weak"))
    assert set(for_good) == {last}
    assert set(one_window.iloc[:ROWS_A_DAY]) == {last}
    assert one_window.iloc[ROWS_A_DAY:].equals(after(log)["x"].iloc[ROWS_A_DAY:])


def test_a_fault_in_a_segment_leaves_the_other_rows_alone() -> None:
    log = a_log()
    made = plant(log, a_fault("shift", size=3.0, segment=("k", "a")))
    moved = made["x"] - log["x"]
    assert set(moved[(log["k"] == "a") & (log["predicted_at"] >= ONSET)]) == {3.0}
    assert set(moved[log["k"] == "b"]) == {0.0}


def test_a_changed_relation_adds_to_numbers_and_turns_classes_by_chance() -> None:
    log = a_log()
    numbers = log.assign(label=log["label"] + 10.5)

    def half(rows: pd.DataFrame) -> pd.Series:
        return pd.Series(0.5, index=rows.index)

    added = after(plant(numbers, a_fault("relation"), half))["label"] - after(numbers)["label"]
    assert set(added) == {0.5}
    classes = after(plant(log, a_fault("relation"), half))["label"]
    was_zero = after(log)["label"] == 0
    assert classes[was_zero].mean() == pytest.approx(0.5, abs=0.03)
    assert (classes[~was_zero] == 1).all()
    with pytest.raises(ValueError, match="needs to know"):
        plant(log, a_fault("relation"))


def test_the_grid_holds_every_kind_strength_and_place() -> None:
    assert {kind: (len(strengths), len(places)) for kind, (strengths, places) in GRID.items()} == {
        "shift": (3, 2), "unit": (1, 2), "nulls": (3, 2), "sentinel": (3, 2), "respelt": (3, 1), "lost": (3, 1),
        "stuck": (2, 2), "rows_lost": (3, 1), "rows_doubled": (3, 1), "swapped": (1, 1), "labels_flipped": (3, 1),
        "relation": (1, 1), "ramp": (1, 1),
    }  # fmt: skip
