"""Settings: where monitor files, snapshots and expectations lie; read from the environment, never guessed twice."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """The places of one installation.

    `data` is a path or an fsspec URI that holds snapshots, baselines and reports; `monitors` the folder of monitor
    files; `great_expectations` the folder of the expectation suites; `root` what relative paths start from.
    """

    root: Path
    data: str
    monitors: Path
    great_expectations: Path


def read_settings(environ: Mapping[str, str] | None = None, *, start: Path | None = None) -> Settings:
    """Return the settings of the environment (HINDSIGHT_DATA, HINDSIGHT_MONITORS), `os.environ` if none is given.

    Relative paths start at AIRFLOW_HOME, else at the folder of the nearest pyproject.toml at or above `start` (the
    working directory), else at the folder of Hindsight's own.
    """
    environ = os.environ if environ is None else environ
    home = environ.get("AIRFLOW_HOME")
    root = Path(home).expanduser().resolve() if home else project_root(start or Path.cwd())
    data = environ.get("HINDSIGHT_DATA") or "data"
    return Settings(
        root=root,
        data=data if "://" in data else str(root / Path(data).expanduser()),
        monitors=root / Path(environ.get("HINDSIGHT_MONITORS") or "include/monitors").expanduser(),
        great_expectations=root / "great_expectations",
    )


def project_root(start: Path) -> Path:
    """Return the nearest folder at or above `start` that holds pyproject.toml, else the one this package lies in."""
    folders = (start.resolve(), *start.resolve().parents)
    return next((folder for folder in folders if (folder / "pyproject.toml").is_file()), Path(__file__).parents[2])
