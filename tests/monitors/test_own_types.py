"""`trusted`: types of the user's own are named strictly, and lint says which cannot be found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from hindsight.errors import ConfigError
from hindsight.monitors.loader import lint, load_file
from tests.builders import monitor_file

KNOWN = "tests.training.boosters.Booster"


def a_file(folder: Path, **changes: Any) -> Path:
    path = folder / "credit.yml"
    path.write_text(yaml.safe_dump(monitor_file(**changes), sort_keys=False))
    return path


def test_named_types_are_kept_in_order(tmp_path: Path) -> None:
    path = a_file(tmp_path, trusted=[KNOWN, "tests.training.boosters.halved"])
    assert load_file(path).trusted == (KNOWN, "tests.training.boosters.halved")
    assert lint([path]) == []
    assert load_file(a_file(tmp_path)).trusted == ()


@pytest.mark.parametrize("trusted", [["Booster"], ["my models.Booster"], ["os:system"], [3], "lending.Booster", ["a."]])
def test_what_is_no_list_of_full_names_is_refused(trusted: object, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="trusted"):
        load_file(a_file(tmp_path, trusted=trusted))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("no_such_package.Booster", "cannot be imported: ModuleNotFoundError"),
        ("tests.training.boosters.Bosster", "module 'tests.training.boosters' has no type or function 'Bosster'"),
    ],
)
def test_lint_says_which_cannot_be_found_and_a_dag_file_does_not_look(name: str, why: str, tmp_path: Path) -> None:
    path = a_file(tmp_path, trusted=[KNOWN, name], windw="1d")
    found = {problem.field: problem for problem in lint([path])}
    assert why in found["trusted[1]"].message
    assert found["trusted[1]"].line == 1 + path.read_text().splitlines().index(f"- {name}")
    assert "windw" in found
    assert load_file(a_file(tmp_path, trusted=[name])).trusted == (name,)
