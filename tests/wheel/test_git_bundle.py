"""A real Git bundle: a run of an old version reads the monitor and the suites of that version."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.builders import monitor_file

pytestmark = pytest.mark.heavy
ROOT = Path(__file__).parents[2]
PROVIDER = ("apache-airflow-providers-git", "gitpython", "gitdb", "smmap")
LOOK = """
import sys
from pathlib import Path
from airflow.providers.git.bundles.git import GitDagBundle
from airflow.dag_processing.dagbag import BundleDagBag
from hindsight.airflow.tasks import load
from hindsight.settings import read_settings

repository, version, file = sys.argv[1:]
bundle = GitDagBundle(name="models", repo_url=repository, tracking_ref="main", subdir="dags", version=version or None)
bundle.initialize()
bag = BundleDagBag(dag_folder=str(bundle.path / file), bundle_path=bundle.path, bundle_name="models")
suites = read_settings().great_expectations.is_relative_to(bundle.path.parent)
print(bag.dags["monitor__credit"].timetable.lateness, load("credit").lateness, suites, len(bag.import_errors))
"""


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("provider")
    uv = Path(sys.executable).with_name("uv")
    install = [uv, "pip", "install", "--quiet", "--no-deps", "--python", sys.executable, "--target", folder]
    subprocess.run([*install, *PROVIDER], check=True)
    return folder


def committed(repository: Path, message: str) -> str:
    def git(*words: str) -> str:
        who = ("-c", "user.name=they", "-c", "user.email=they@example.com")
        done = subprocess.run(["git", "-C", repository, *who, *words], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init", "--quiet", "--initial-branch", "main")
    git("add", "--all")
    git("commit", "--quiet", "--message", message)
    return git("rev-parse", "HEAD")


@pytest.mark.parametrize("file", ["monitors.py", "hindsight_dags/credit.py"])
def test_a_run_reads_the_monitor_of_its_version(provider: Path, tmp_path: Path, file: str) -> None:
    repository, monitors = tmp_path / "models", tmp_path / "models" / "include" / "monitors"
    monitors.mkdir(parents=True)
    (repository / "great_expectations").mkdir()
    (repository / "great_expectations" / "README").write_text("suites")
    shutil.copytree(ROOT / "dags", repository / "dags", ignore=shutil.ignore_patterns("__pycache__", "hindsight_dags"))
    home = tmp_path / "home"
    environment = {name: value for name, value in os.environ.items() if name != "HINDSIGHT_MONITORS"} | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(home / "bundles"),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "PYTHONPATH": os.pathsep.join((str(ROOT / "include"), str(provider))),
    }
    versions = {}
    for lateness in ("10m", "20m"):
        (monitors / "credit.yml").write_text(yaml.safe_dump(monitor_file(lateness=lateness)))
        if "/" in file:
            write = [sys.executable, "-m", "hindsight", "dags", "--write", str(repository / "dags")]
            subprocess.run(write, env=environment, check=True, capture_output=True)
        versions[lateness] = committed(repository, lateness)

    for version, lateness in ((versions["10m"], "0:10:00"), (versions["20m"], "0:20:00"), ("", "0:20:00")):
        look = [sys.executable, "-c", LOOK, str(repository), version, file]
        done = subprocess.run(look, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.split("\n")[-2] == f"{lateness} {lateness} True 0"
