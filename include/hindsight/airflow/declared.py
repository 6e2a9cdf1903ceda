"""Which DAGs a DAG file builds: those of its own monitor file, or of all that have no DAG file of their own.

A process of Airflow works for one DAG file at a time. Before anything is built it is told where the monitors and suites
of that file lie, so that a run reads those of the same bundle, in the version it began with.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from airflow.sdk import DAG, get_parsing_context

from hindsight.airflow.dags import labels_dag, monitor_dag, retrain_dag, rollback_dag
from hindsight.airflow.enabled import is_enabled
from hindsight.airflow.proposing import propose_dag
from hindsight.airflow.upkeep import maintenance_dag, relay_dag, review_dag
from hindsight.errors import ConfigError, Problem
from hindsight.monitors.drafts import is_draft
from hindsight.monitors.loader import Loaded, find_file, load_file, load_folder, monitor_files, require_folder
from hindsight.monitors.model import Monitor
from hindsight.settings import monitors_around, read_settings, reviewed, settle

OWN = "hindsight_dags"  # the folder of files that `hindsight dags --write` wrote
REST, ERRORS, UPKEEP = "hindsight__rest.py", "hindsight__errors.py", "hindsight__upkeep.py"

_KINDS: dict[str, tuple[Callable[[Monitor], bool], Callable[[Monitor], DAG]]] = {
    "monitor": (lambda monitor: True, monitor_dag),
    "labels": (lambda monitor: monitor.source.labels is not None, labels_dag),
    "retrain": (
        lambda monitor: monitor.retrain is not None and monitor.retrain_dag == f"retrain__{monitor.name}",
        retrain_dag,
    ),
    "rollback": (lambda monitor: monitor.retrain is not None, rollback_dag),
}


def monitor_dags(dag_file: str, monitor_file: str) -> None:
    """Build the DAGs of a monitor file, whose path starts at the folder of the DAG file.

    Raises ConfigError with everything that is wrong with it, which Airflow shows as import error of the DAG file.
    """
    if not is_enabled():
        return
    path = Path(os.path.normpath(Path(dag_file).parent / monitor_file))
    settle(path.parent)
    if not path.is_file():
        raise ConfigError(Problem("the monitor file is gone; hindsight dags --write removes its DAG file", path))
    _build(path)


def rest_dags(dag_file: str, folder: str | None = None) -> None:
    """Build the DAGs of the monitors in a folder that have no DAG file of their own; broken ones are left out.

    The folder starts at that of the DAG file; without one it is the one of the project around the DAG file. Raises
    ConfigError where it is missing. A shipped file builds nothing where files were written beside it.
    """
    if _is_idle(dag_file, folder):
        return
    where = _at_home(dag_file, folder)
    kind, _, name = (get_parsing_context().dag_id or "").partition("__")
    if kind in _KINDS:  # for one task: no other file matters
        _build(find_file(name, where))
    elif not kind:
        rest, loaded = _rest(dag_file, where)
        for _, path in sorted((name, path) for name, path in loaded.files.items() if path in rest):
            _build(path)


def file_errors(dag_file: str, folder: str | None = None) -> None:
    """Raise ConfigError with all that is wrong with monitor files that have no DAG file of their own to show it."""
    if get_parsing_context().dag_id is None and not _is_idle(dag_file, folder):
        where = _at_home(dag_file, folder)
        rest, loaded = _rest(dag_file, where)
        shown_elsewhere = {path.resolve() for path in monitor_files(where) if path not in rest}
        if problems := [
            one for one in loaded.problems if one.file is None or one.file.resolve() not in shown_elsewhere
        ]:
            raise ConfigError(*problems)


def upkeep_dags(dag_file: str, folder: str | None = None) -> None:
    """Build the relay, the maintenance and the reviews, for the monitors of a folder as `rest_dags` finds it.

    Where HINDSIGHT_DRAFTS says where drafts go, the DAG that proposes them too.
    """
    if not _is_idle(dag_file, folder):
        _at_home(dag_file, folder)
        relay_dag()
        maintenance_dag()
        if read_settings().drafts:
            propose_dag()
        if kind := reviewed():
            review_dag(kind)


def own_file(monitor_file: Path) -> str:
    """Return the name of a monitor file's own DAG file: credit.py for credit.yml."""
    plain = monitor_file.suffix == ".yml" and not monitor_file.name.startswith("hindsight__")
    return f"{monitor_file.stem if plain else monitor_file.name}.py"


def _build(path: Path) -> None:
    """Build the DAGs of a monitor file: all, none where it is archived, or the one that Airflow parses for.

    Those of a draft are paused until somebody turns them on.
    """
    monitor, wanted = load_file(path), get_parsing_context().dag_id
    for kind, (has, build) in _KINDS.items():
        asked = monitor.state != "archived" if wanted is None else wanted == f"{kind}__{monitor.name}"
        if asked and has(monitor):
            build(monitor).is_paused_upon_creation = is_draft(path)


def _rest(dag_file: str, where: Path) -> tuple[set[Path], Loaded]:
    """Return the monitor files without a DAG file of their own, and the folder; none: nothing is read."""
    beside = Path(dag_file).parent
    files = monitor_files(where)
    rest = {path for path in files if beside.name != OWN or is_draft(path) or not (beside / own_file(path)).is_file()}
    return rest, load_folder(where) if rest else Loaded({}, {}, ())


def _is_idle(dag_file: str, folder: str | None) -> bool:
    """Whether it builds nothing: a shipped file, which names no folder, where files were written beside it, and any
    file where HINDSIGHT_ENABLED says so."""
    return not is_enabled() or (folder is None and (Path(dag_file).parent / OWN / REST).is_file())


def _at_home(dag_file: str, folder: str | None) -> Path:
    own = Path(dag_file).absolute()
    where = Path(os.path.normpath(own.parent / folder)) if folder else monitors_around(own)
    settle(require_folder(where))
    return where
