"""Fleet, parsing: the CPU of one loop of Airflow's own DAG processor over 500 monitors, beside as many empty DAGs.

Counted is all of it, by the operating system: forking a process for each file, parsing, serialising, and the manager
that compares what came with what its database has. The manager and its database (SQLite) are new for each way; what a
loop costs is that of the second, when nothing has changed any more. Half the monitors retrain, so that 500 files make
1,500 DAGs, and two keep promises: 1,502.

HINDSIGHT_FLEET says how many monitors there are instead of 500, for a quick look; HINDSIGHT_BESIDE names another
checkout to measure beside.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
MANY = int(os.environ.get("HINDSIGHT_FLEET", "500"))
LOOPS = 2
BESIDE = os.environ.get("HINDSIGHT_BESIDE", "")
OWN = "hindsight_dags"


def rows() -> dict[str, float]:
    """Return CPU seconds of a loop: the floor, one file a monitor, the shipped files, those of another checkout."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        monitors = Path(name) / "include" / "monitors"
        write_monitors(monitors)
        for way, write in WAYS.items():
            folder = Path(name) / f"dags{way}"
            folder.mkdir()
            write(folder, monitors)
            said = measured(way, folder, monitors)
            total, manager = said["loops"][-1]
            title = f"loop_{MANY}{way}"
            assert said["dags"] == found.get(f"loop_{MANY}_floor_dags", said["dags"]), f"{way}: {said['dags']} DAGs"
            found |= {f"{title}_cpu_s": total, f"{title}_manager_cpu_s": manager, f"{title}_dags": said["dags"]}
            found |= {f"changed_of_{MANY}_cpu_s": cost for cost, _ in said["again"]}
    return found | {f"loop_{MANY}_times_floor": found[f"loop_{MANY}_cpu_s"] / found[f"loop_{MANY}_floor_cpu_s"]}


def write_monitors(folder: Path) -> None:
    """Write the example as many times as there are monitors; only every second one retrains."""
    folder.mkdir(parents=True)
    example = (ROOT / "include" / "monitors" / "example.yml").read_text().replace("state: archived", "state: active  ")
    plain = example.partition("\nretrain:")[0] + "\n"
    for k in range(MANY):
        text = (example if k % 2 else plain).replace("name: example ", f"name: fleet_{k:03} ")
        (folder / f"fleet_{k:03}.yml").write_text(text)


def write_floor(folder: Path, monitors: Path) -> None:
    """Write as many files with as many DAGs that have nothing in them."""
    for k in range(MANY):
        lines = [f'DAG("{kind}__fleet_{k:03}")' for kind in ("monitor", "labels", "retrain", "rollback")]
        text = "\n".join(f"{'abcd'[i]} = {line}" for i, line in enumerate(lines if k % 2 else lines[:2]))
        (folder / f"fleet_{k:03}.py").write_text(f"from airflow.sdk import DAG\n\n{text}\n")
    upkeep = "\n".join(f'{name[0]} = DAG("{name}")' for name in ("relay", "maintenance", "look_back"))
    (folder / "upkeep.py").write_text(f"from airflow.sdk import DAG\n\n{upkeep}\n")


def write_own(folder: Path, monitors: Path) -> None:
    """Write what `hindsight dags --write` writes."""
    from hindsight.airflow.dag_files import carry_out, plan

    carry_out(plan(folder, monitors))


def write_shipped(folder: Path, monitors: Path) -> None:
    """Copy the DAG files of the project."""
    shutil.copytree(ROOT / "dags", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", OWN))


def write_before(folder: Path, monitors: Path) -> None:
    """Copy the DAG files of another checkout, which is run with its own package."""
    shutil.copytree(Path(BESIDE) / "dags", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))


WAYS: dict[str, Callable[[Path, Path], None]] = {"_floor": write_floor, "": write_own, "_shipped": write_shipped}
if BESIDE:
    WAYS["_before"] = write_before


def measured(way: str, folder: Path, monitors: Path) -> dict[str, Any]:
    """Run Airflow's DAG processor over a folder in a process and with a database of its own; return what it says."""
    checkout = Path(BESIDE) if way == "_before" else ROOT
    own = folder / OWN / "fleet_001.py"
    environment = os.environ | {
        "AIRFLOW_HOME": str(folder.parent / f"home{way}"),
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "600",
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(checkout / "plugins"),
        "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "900",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "0",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "86400",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "CHANGED_MONITOR": str(monitors / "fleet_001.yml"),
        "HINDSIGHT_MONITORS": str(monitors),
        "PYTHONPATH": os.pathsep.join((str(checkout / "include"), str(ROOT))),
    }
    command = [sys.executable, "-m", "benchmarks.dag_processor", str(folder), str(LOOPS)]
    command += [str(own)] if own.is_file() else []
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    assert found["errors"] == 0, f"{way}: {found['errors']} import errors"
    return found
