"""What users test their monitor files with: the page's own example, labels, and what is said of odd frames."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from ruamel.yaml import YAML

from hindsight.errors import ConfigError, DataError
from hindsight.testing import rehearse
from tests.builders import at
from tests.pipeline.world import a_day, days, file_of_the_world

PAGE = Path(__file__).parents[1] / "docs" / "testing.md"
DAYS = days("2026-08-25", 6)


@pytest.fixture
def example(tmp_path: Path) -> dict[str, Any]:
    """The names that the page's example defines, and a folder to call its tests with."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, str(PAGE), "exec"), names)  # what users copy is what is run
    path = tmp_path / "loans.yml"
    path.write_text(names["MONITOR"])
    return names | {"path": path}


@pytest.fixture
def monitor(tmp_path: Path) -> Path:
    """A monitor file with labels, whose reference are the first three days."""
    path = tmp_path / "credit.yml"
    YAML().dump(file_of_the_world(start="2026-08-25", labels={"matures_after": "1d", "min_labels": 50}), path)
    return path


def frames(*, wrong: str = "") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Six days of predictions and labels; hardly any of one day is right."""
    made = [a_day(day, n=120, right=0.2 if day == wrong else 0.9) for day in DAYS]
    predictions, labels = ([row for day in made for row in day[part]] for part in (0, 1))
    return pd.DataFrame(predictions), pd.DataFrame(labels)


def test_the_example_of_the_page_holds(example: dict[str, Any]) -> None:
    example["test_a_quiet_week_keeps_the_budget"](example["path"])
    example["test_an_income_in_another_currency_is_told"](example["path"])


def test_late_labels_page(monitor: Path) -> None:
    predictions, labels = frames(wrong="2026-08-29")
    found = rehearse(monitor, predictions, labels)
    (page,) = (case for case in found.cases if "accuracy_drop" in case.rules)
    assert (str(page.severity), page.windows) == ("P0", (at("2026-08-29"),))
    assert (found.start, found.windows) == (at("2026-08-28"), 3)


def test_a_column_that_is_missing_is_said_with_the_line_of_the_file(monitor: Path) -> None:
    predictions, labels = frames()
    with pytest.raises(ConfigError) as raised:
        rehearse(monitor, predictions.drop(columns=["amount", "latency_ms"]), labels.drop(columns="label"))
    said = str(raised.value).splitlines()
    line = {key: number for number, text in enumerate(monitor.read_text().splitlines(), 1) for key in [text.strip()]}
    where = f"{monitor}:{line['amount: numeric']} features.amount: "
    assert any(one.startswith(where) and "predictions.amount" in one for one in said)
    assert any("source.predictions.latency_ms" in one for one in said)
    assert any("source.labels.label" in one for one in said)


def test_what_cannot_be_rehearsed_is_refused(monitor: Path) -> None:
    predictions, _ = frames()
    with pytest.raises(ConfigError, match="reference: no row of the frame lies in 2026-08-25 to 2026-08-28"):
        rehearse(monitor, predictions[predictions["predicted_at"] >= at("2026-08-28")])
    with pytest.raises(DataError, match="no row with a time"):
        rehearse(monitor, predictions.head(0))
    with pytest.raises(ConfigError, match="is not before end"):
        rehearse(monitor, predictions, start="2026-08-30", end="2026-08-29")
    with pytest.raises(DataError, match="predictions: column 'amount' of list cannot be stored"):
        rehearse(monitor, predictions.assign(amount=[[1.0]] * len(predictions)))


def test_times_without_a_zone_and_with_another_are_the_same(monitor: Path) -> None:
    predictions, _ = frames()
    early = predictions["predicted_at"] < at("2026-08-29")
    moved = predictions.assign(amount=predictions["amount"].where(early, -999.0))
    there = moved.assign(predicted_at=moved["predicted_at"].dt.tz_convert("Asia/Kolkata"))
    naive = moved.assign(predicted_at=moved["predicted_at"].dt.tz_localize(None))
    found = [rehearse(monitor, frame, start=at("2026-08-28")) for frame in (there, naive)]
    assert found[0].tellings == found[1].tellings
    assert any("amount" in case.columns for case in found[0].cases)
