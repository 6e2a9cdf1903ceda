"""`renamed_from`: names a monitor had before; each is said once, by one monitor, and is no monitor's any more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from hindsight.monitors.loader import lint, load_file, load_folder
from tests.builders import a_monitor, monitor_file


def write(folder: Path, name: str, **changes: Any) -> Path:
    path = folder / f"{name}.yml"
    YAML().dump(monitor_file(name=name, **changes), path)
    return path


def said(folder: Path) -> list[tuple[str, str]]:
    return [(p.file.name if p.file else "", p.message.replace(f"{folder}/", "")) for p in lint([folder])]


@pytest.mark.parametrize("written", ["credit", ["credit"]])
def test_one_name_or_several_may_be_said(written: Any) -> None:
    assert a_monitor(name="credit_v2", renamed_from=written).renamed_from == ("credit",)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["credit_v2"], "'credit_v2' is the name it has now; say the ones it had before"),
        (["credit", "credit"], "'credit' is said twice; say each name once, oldest first"),
    ],
)
def test_names_that_cannot_be_meant_are_errors(tmp_path: Path, names: list[str], message: str) -> None:
    write(tmp_path, "credit_v2", renamed_from=names)
    assert said(tmp_path) == [("credit_v2.yml", message)]


def test_a_name_that_is_still_in_use_is_an_error_of_the_file_that_was_renamed(tmp_path: Path) -> None:
    write(tmp_path, "credit")
    write(tmp_path, "credit_v2", renamed_from="credit")
    message = "'credit' is still the name in credit.yml; rename or remove that one, or take it out here"
    assert said(tmp_path) == [("credit_v2.yml", message)]
    assert set(load_folder(tmp_path).monitors) == {"credit"}


def test_two_monitors_cannot_come_from_one(tmp_path: Path) -> None:
    write(tmp_path, "credit_a", renamed_from="credit")
    write(tmp_path, "credit_b", renamed_from="credit")
    assert said(tmp_path) == [
        (
            f"credit_{one}.yml",
            f"'credit' is also what credit_{other}.yml was renamed from; its history can move to one only",
        )
        for one, other in ("ab", "ba")
    ]


def test_a_chain_is_one_monitor_that_says_all_its_names(tmp_path: Path) -> None:
    write(tmp_path, "credit_v3", renamed_from=["credit", "credit_v2"])
    assert said(tmp_path) == []


def test_a_name_before_is_never_inherited(tmp_path: Path) -> None:
    write(tmp_path, "base", renamed_from="credit_v1")
    (tmp_path / "credit.yml").write_text("extends: base.yml\nname: credit\n")
    assert load_file(tmp_path / "credit.yml").renamed_from == ()
