from __future__ import annotations

from pathlib import Path

import pytest

from hindsight.settings import drafts_folder, project_root, read_settings


def test_relative_paths_start_at_airflow_home(tmp_path: Path) -> None:
    settings = read_settings({"AIRFLOW_HOME": str(tmp_path)})

    assert settings.data == str(tmp_path / "data")
    assert settings.monitors == tmp_path / "include" / "monitors"
    assert settings.great_expectations == tmp_path / "great_expectations"


def test_without_airflow_home_they_start_at_the_project_around_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "deep" / "down").mkdir(parents=True)

    assert read_settings({}, start=tmp_path / "deep" / "down").root == tmp_path


def test_outside_any_project_they_start_at_hindsight_itself(tmp_path: Path) -> None:
    assert (project_root(tmp_path) / "include" / "hindsight" / "settings.py").is_file()


def test_absolute_paths_and_uris_stay_as_they_are(tmp_path: Path) -> None:
    environ = {"AIRFLOW_HOME": "/elsewhere", "HINDSIGHT_MONITORS": str(tmp_path)}

    assert read_settings(environ | {"HINDSIGHT_DATA": "s3://bucket/ml"}).data == "s3://bucket/ml"
    assert read_settings(environ | {"HINDSIGHT_DATA": "/srv/ml"}).data == "/srv/ml"
    assert read_settings(environ).monitors == tmp_path


def test_an_empty_variable_counts_as_absent(tmp_path: Path) -> None:
    settings = read_settings({"AIRFLOW_HOME": str(tmp_path), "HINDSIGHT_DATA": "", "HINDSIGHT_MONITORS": ""})

    assert settings.data == str(tmp_path / "data")
    assert settings.monitors == tmp_path / "include" / "monitors"


@pytest.mark.parametrize("said", [None, "", "drafts", "../drafts", "/srv/drafts", "~/drafts"])
def test_the_folder_of_drafts_is_found_alike_both_ways(
    said: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    if said is not None:
        monkeypatch.setenv("HINDSIGHT_DRAFTS", said)

    assert drafts_folder() == read_settings().drafts
    assert bool(said) == (drafts_folder() is not None)
