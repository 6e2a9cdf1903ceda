"""DAG files of monitors, one each: a monitor that changed costs the DAG processor its own file, not all."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hindsight.airflow.declared import ERRORS, OWN, REST, UPKEEP, own_file
from hindsight.errors import ConfigError
from hindsight.monitors.loader import files_in, files_of, load_folder, require_folder

MARK = "# written by: hindsight dags --write"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done in a folder: the texts of files to write, the files that go, how many stay as they are."""

    folder: Path
    write: Mapping[Path, str]
    remove: tuple[Path, ...]
    unchanged: int


def airflows_folder() -> Path:
    """Return the folder Airflow is set to look for DAGs in."""
    from airflow.sdk import conf

    return Path(conf.get("core", "dags_folder"))


def plan(dags: Path, monitors: Path) -> Plan:
    """Return what gives each monitor file of `monitors` a DAG file in the folder hindsight_dags of `dags`.

    A DAG file is written where there is none, where it is another, and where its monitor file or a template of it is
    newer, so that Airflow parses it at once. Files whose monitor is gone go. Raises ConfigError where there is no such
    folder of monitors, and where a file is in the way that was not written by this.
    """
    folder = dags.absolute() / OWN
    wanted = _texts(folder, require_folder(monitors).absolute())
    foreign = [path for path in wanted if path.exists() and not _is_ours(path)]
    if foreign:
        said = ", ".join(map(str, sorted(foreign)))
        raise ConfigError(f"{said}: not written by hindsight dags; move it, or give another folder of DAGs")
    write = {path: text for path, (text, newest) in wanted.items() if _is_old(path, text, newest)}
    there = folder.glob("*.py") if folder.is_dir() else ()
    gone = tuple(sorted(path for path in there if path not in wanted and _is_ours(path)))
    return Plan(folder, write, gone, len(wanted) - len(write))


def carry_out(plan: Plan) -> None:
    """Write and remove the files of a plan, each as a whole."""
    plan.folder.mkdir(parents=True, exist_ok=True)
    for path, text in plan.write.items():
        fresh = path.with_suffix(".new")  # Airflow looks at .py only
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    for path in plan.remove:
        path.unlink(missing_ok=True)


def _texts(folder: Path, monitors: Path) -> dict[Path, tuple[str, float]]:
    """Return the text of each file there should be, and when what it stands for last changed."""
    where = _from(folder, monitors)
    shared = {REST: "rest_dags", ERRORS: "file_errors", UPKEEP: "upkeep_dags"}
    texts = {folder / name: (_text(build, where), 0.0) for name, build in shared.items()}
    twice = load_folder(monitors).twice  # left out until their names differ; what is broken has a file that says so
    for path in files_in(monitors):  # drafts are built with the rest: one that is approved needs no file written
        if path not in twice:
            newest = max(file.stat().st_mtime for file in files_of(path))
            texts[folder / own_file(path)] = (_text("monitor_dags", f"{where}/{path.name}"), newest)
    return texts


def _text(build: str, where: str) -> str:
    return f"{MARK}\nfrom hindsight.airflow.declared import {build}\n{build}(__file__, {json.dumps(where)})\n"


def _from(folder: Path, monitors: Path) -> str:
    """Return the way from one folder to another; where they share nothing but the root of the disk, the whole path."""
    shared = os.path.commonpath([folder, monitors])
    return str(monitors) if shared == os.path.sep else Path(os.path.relpath(monitors, folder)).as_posix()


def _is_old(path: Path, text: str, newest: float) -> bool:
    return not path.exists() or path.read_text(encoding="utf-8") != text or path.stat().st_mtime < newest


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        return file.readline().rstrip() == MARK.encode()
