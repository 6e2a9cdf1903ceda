"""A page drawn without the pictures nobody sees is the page Evidently draws, letter for letter."""

from __future__ import annotations

import re
from contextlib import nullcontext

import pytest

from hindsight.reports import evidently
from tests.reports.test_evidently_report import report, rows, with_labels

BY_CHANCE = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")


@pytest.mark.parametrize("labelled", [False, True], ids=["rows", "labelled rows"])
def test_nothing_of_the_page_is_missing(labelled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    reference, current = rows(), rows(1)
    if labelled:
        reference, current = with_labels(reference), with_labels(current, 2)
    ours = report(reference, current)
    from evidently.presets import DataDriftPreset  # imported by now, with its warnings kept quiet

    monkeypatch.setattr(evidently, "drift_table", DataDriftPreset)
    monkeypatch.setattr(evidently, "one_picture_a_column", nullcontext)
    assert BY_CHANCE.sub("", ours) == BY_CHANCE.sub("", report(reference, current))
