"""How long history is kept, as a monitor file says it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from hindsight.errors import ConfigError
from hindsight.monitors.loader import load_file
from hindsight.monitors.retention import FOREVER, before, said
from tests.builders import DAY, a_monitor, at, monitor_file


def loaded(folder: Path, retention: dict[str, Any]) -> Any:
    path = folder / "credit.yml"
    YAML().dump(monitor_file(retention=retention), path)
    return load_file(path).retention


def test_a_length_is_days_years_or_forever(tmp_path: Path) -> None:
    kept = loaded(tmp_path, {"snapshots": "90d", "verdicts": "2y", "models": "forever"})
    assert (kept.snapshots, kept.verdicts, kept.models) == (90 * DAY, 730 * DAY, FOREVER)
    assert [said(length) for length in (kept.snapshots, kept.verdicts, kept.models)] == ["90d", "2y", "forever"]


def test_without_a_word_defaults_hold(tmp_path: Path) -> None:
    kept = loaded(tmp_path, {})
    lengths = (kept.snapshots, kept.verdicts, kept.labels, kept.reports, kept.models, kept.messages)
    assert [length and said(length) for length in lengths] == ["forever", None, None, "180d", "1y", "90d"]
    assert kept == a_monitor().retention


@pytest.mark.parametrize(
    ("retention", "words"),
    [
        ({"snapshots": "3 years"}, "such as 90d, 3y or forever"),
        ({"snapshots": 90}, "such as 15m|a duration|90d"),
        ({"snapshots": "12h"}, "such as 90d, 3y or forever"),
        ({"verdicts": "90d"}, "verdicts are needed as long as the snapshots of their windows, forever"),
        ({"labels": "90d"}, "labels are needed as long"),
        ({"snapshots": "8d"}, "expected more than 8d: a window and labels.matures_after"),
        ({"snapshot": "8d"}, "did you mean 'snapshots'"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(tmp_path: Path, retention: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        loaded(tmp_path, retention)


def test_a_horizon_is_the_start_of_a_window_and_forever_has_none() -> None:
    now = at("2026-09-18T03:00")
    monitor = a_monitor(retention={"snapshots": "10d"})
    assert monitor.horizon(now) == at("2026-09-08")
    assert monitor.horizon(now, 20 * DAY) == at("2026-08-29")
    assert before(FOREVER, now) is before(timedelta(days=99_999 * 365), now) is None
