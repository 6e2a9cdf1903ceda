"""Drafts beside a folder of monitors: found like others, held to what drafts may say, never in another's place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from hindsight.errors import ConfigError
from hindsight.monitors.loader import lint, load_file, load_folder, load_monitor, names_in
from tests.builders import monitor_file

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a file into the folder `monitors` or `drafts`, and return its path."""
    for name in ("monitors", "drafts"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(f"HINDSIGHT_{name.upper()}", str(tmp_path / name))

    def written(folder: str, file: dict[str, Any] | str, name: str = "") -> Path:
        text = file if isinstance(file, str) else yaml.safe_dump(file)
        path = tmp_path / folder / f"{name or yaml.safe_load(text)['name']}.yml"
        path.write_text(text)
        return path

    return written


def test_a_draft_is_a_monitor_like_others(write: Write) -> None:
    folder = write("monitors", monitor_file()).parent
    write("drafts", monitor_file(name="fraud"))

    assert set(load_folder(folder).monitors) == {"credit", "fraud"}
    assert load_monitor("fraud", folder).name == "fraud"
    assert names_in(folder) == ["credit", "fraud"]


def test_drafts_go_with_the_folder_of_the_settings_alone(write: Write, tmp_path: Path) -> None:
    write("drafts", monitor_file(name="fraud"))
    (tmp_path / "other").mkdir()

    assert load_folder(tmp_path / "other").monitors == {}


def test_where_both_folders_are_one_no_file_is_found_twice(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write("monitors", monitor_file()).parent
    monkeypatch.setenv("HINDSIGHT_DRAFTS", str(folder))

    assert set(load_folder(folder).monitors) == {"credit"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("retrain", {"train": "os:system"}),
        ("trusted", ["os.PathLike"]),
        ("rules", [{"id": "drift", "then": ["email", "dag:drop_all"]}]),
        ("rules", [{"id": "drift", "then": "dag:drop_all"}]),
        ("renamed_from", ["loans"]),
        ("reference", {"parquet": "/etc/passwd"}),
        ("calendar", {"holidays": "../../secrets.txt"}),
        ("metrics", {"profit": "lending.metrics:profit"}),
    ],
)
def test_a_draft_that_names_code_or_a_file_is_no_monitor_and_says_so_with_its_line(
    key: str, value: Any, write: Write
) -> None:
    path = write("drafts", yaml.safe_dump(monitor_file(), sort_keys=False) + yaml.safe_dump({key: value}))
    line = path.read_text().splitlines().index(f"{key}:") + 1
    found = [problem for problem in lint([path]) if "no draft may say that" in problem.message]

    assert [problem.field.partition(".")[0].partition("[")[0] for problem in found] == [key]
    assert found[0].line is not None
    assert found[0].line >= line
    assert load_folder(path.parents[1] / "monitors").monitors == {}
    with pytest.raises(ConfigError, match=rf"{path.name}:\d+ {key}.*no draft may say that"):
        load_file(path)


def test_a_draft_has_no_template(write: Write) -> None:
    base = write("drafts", "retrain: {train: 'os:system'}\n", name="base")
    path = write("drafts", yaml.safe_dump(monitor_file() | {"extends": base.name}))

    with pytest.raises(ConfigError, match="extends: is read from another file"):
        load_file(path)


def test_the_same_file_in_the_folder_of_monitors_may_say_it(write: Write) -> None:
    file = monitor_file(renamed_from=["loans"], calendar={"holidays": "days.txt"}, retrain={"train": "a.b:c"})

    assert load_file(write("monitors", file)).renamed_from == ("loans",)


def test_a_country_is_no_file(write: Write) -> None:
    assert load_file(write("drafts", monitor_file(calendar={"holidays": "DE-BY"}))).calendar is not None


def test_a_draft_does_not_take_the_name_of_another_monitor(write: Write) -> None:
    own = write("monitors", monitor_file(owner="risk"))
    draft = write("drafts", monitor_file(owner="somebody"))
    loaded = load_folder(own.parent)

    assert loaded.monitors["credit"].owner == load_monitor("credit", own.parent).owner == "risk"
    assert [problem.file for problem in loaded.problems] == [draft]
    assert loaded.twice == {draft}


def test_two_monitors_of_one_name_are_told_with_the_draft(write: Write) -> None:
    own = write("monitors", monitor_file())
    again = write("monitors", yaml.safe_dump(monitor_file()), name="again")
    draft = write("drafts", monitor_file())
    loaded = load_folder(own.parent)

    assert loaded.monitors == {}
    assert {problem.file for problem in loaded.problems} == {own, again, draft}


def test_a_link_out_of_the_folder_of_drafts_is_still_a_draft(write: Write, tmp_path: Path) -> None:
    own = tmp_path / "elsewhere.yml"
    own.write_text(yaml.safe_dump(monitor_file(retrain={"train": "os:system"})))
    (tmp_path / "drafts" / "credit.yml").symlink_to(own)

    assert load_folder(tmp_path / "monitors").monitors == {}
