"""DAG files: how long Airflow takes to parse them for many monitors, and for the one DAG a task belongs to.

`python -m benchmarks.dags --monitors 100` writes that many monitor files and parses every file in dags/, each time in a
process of its own; it prints processor seconds without the import of Airflow, which every process pays anyway.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PARSE = """
import sys, time
from airflow.dag_processing.dagbag import DagBag
began = time.process_time()
bag = DagBag(sys.argv[1])
print(len(bag.dags), time.process_time() - began, sorted(set(sys.modules) & {"pandas", "pyarrow", "evidently"}))
"""


def parsed(folder: Path, wanted: str | None = None) -> str:
    """Parse dags/ in a new process, for all DAGs or as a task of `wanted` does; return what it says."""
    environment = os.environ | {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "HINDSIGHT_MONITORS": str(folder / "monitors"),
        "PYTHONPATH": str(ROOT / "include"),
    }
    if wanted:
        environment["_AIRFLOW_PARSING_CONTEXT_DAG_ID"] = wanted
    command = [sys.executable, "-c", PARSE, str(ROOT / "dags")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip().splitlines()[-1]


def main() -> None:
    """Write the monitors, parse, print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--monitors", type=int, default=100)
    many = options.parse_args().monitors
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "monitors").mkdir()
        example = (ROOT / "include" / "monitors" / "example.yml").read_text()
        for k in range(many):
            text = example.replace("name: example ", f"name: example_{k:03} ").replace("state: paused", "state: active")
            (folder / "monitors" / f"example_{k:03}.yml").write_text(text)
        for title, wanted in (("all", None), ("one", "monitor__example_000")):
            dags, seconds, heavy = parsed(folder, wanted).split(maxsplit=2)
            print(f"{title}: {dags} DAGs of {many} monitors in {float(seconds):.2f} s; heavy imports: {heavy}")


if __name__ == "__main__":
    main()
