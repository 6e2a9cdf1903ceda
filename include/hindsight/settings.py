"""Settings: where monitor files, snapshots and expectations lie; read from the environment, never guessed twice."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Settings:
    """The places of one installation.

    `data` is a path or an fsspec URI that holds snapshots, baselines and reports; `monitors` the folder of monitor
    files; `great_expectations` the folder of the expectation suites; `root` what relative paths start from. `drafts` is
    the folder of the monitors that people made in Airflow, None where nobody may.
    """

    root: Path
    data: str
    monitors: Path
    great_expectations: Path
    drafts: Path | None = None


_of_this_process: dict[str, str] = {}


def settle(monitors: Path) -> None:
    """Let this process read the monitors of a folder, and the suites of the project around it if there are any.

    A process of Airflow works for one DAG file, and the files of a Git bundle lie in a folder of each of its versions.
    """
    suites = _around(monitors, "great_expectations")
    _of_this_process.clear()
    _of_this_process.update(
        {"HINDSIGHT_MONITORS": str(monitors)} | ({"HINDSIGHT_SUITES": str(suites)} if suites else {})
    )


def unsettle() -> None:
    """Take back what `settle` said."""
    _of_this_process.clear()


def monitors_around(file: Path, environ: Mapping[str, str] | None = None) -> Path:
    """Return the folder of the monitors that belong to a DAG file: HINDSIGHT_MONITORS, else include/monitors around it.

    Where there is none, the one of the settings.
    """
    environ = os.environ if environ is None else environ
    beside = None if environ.get("HINDSIGHT_MONITORS") else _around(file, "include/monitors")
    return beside or read_settings(environ).monitors


def _around(start: Path, name: str) -> Path | None:
    return next((folder / name for folder in start.absolute().parents if (folder / name).is_dir()), None)


def read_settings(environ: Mapping[str, str] | None = None, *, start: Path | None = None) -> Settings:
    """Return the settings of the environment (HINDSIGHT_DATA, HINDSIGHT_MONITORS, HINDSIGHT_SUITES, HINDSIGHT_DRAFTS).

    Without an environment it is `os.environ`, and over it what `settle` said. Relative paths start at AIRFLOW_HOME,
    else at the folder of the nearest pyproject.toml at or above `start` (the working directory), else at the folder of
    Hindsight's own.
    """
    environ = os.environ | _of_this_process if environ is None else environ
    home = environ.get("AIRFLOW_HOME")
    root = Path(home).expanduser().resolve() if home else project_root(start or Path.cwd())
    data = environ.get("HINDSIGHT_DATA") or "data"
    return Settings(
        root=root,
        data=data if "://" in data else str(root / Path(data).expanduser()),
        monitors=root / Path(environ.get("HINDSIGHT_MONITORS") or "include/monitors").expanduser(),
        great_expectations=root / Path(environ.get("HINDSIGHT_SUITES") or "great_expectations").expanduser(),
        drafts=root / Path(drafts).expanduser() if (drafts := environ.get("HINDSIGHT_DRAFTS")) else None,
    )


def drafts_folder() -> Path | None:
    """Return the folder of drafts as `read_settings` does, at the price of a look at the environment: of every file."""
    said = Path(os.environ.get("HINDSIGHT_DRAFTS", "")).expanduser()
    return said if said.is_absolute() else read_settings().drafts if said.parts else None


def project_root(start: Path) -> Path:
    """Return the nearest folder at or above `start` that holds pyproject.toml, else the one this package lies in."""
    folders = (start.resolve(), *start.resolve().parents)
    return next((folder for folder in folders if (folder / "pyproject.toml").is_file()), Path(__file__).parents[2])


def reviewed(environ: Mapping[str, str] | None = None) -> Literal["week", "month"] | None:
    """Return what people are told reviews of, by HINDSIGHT_REVIEW: monthly, off or else weekly."""
    said = (os.environ if environ is None else environ).get("HINDSIGHT_REVIEW", "").strip().lower()
    return None if said == "off" else "month" if said == "monthly" else "week"
