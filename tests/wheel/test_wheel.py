"""The wheel, in an Airflow of somebody else: pip, one command for the DAG files, and the monitors are there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
import yaml

from tests.builders import monitor_file

pytestmark = pytest.mark.heavy
ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "include" / "hindsight"
THEIRS = 'from airflow.sdk import DAG\n\ntheirs = DAG("nightly_billing")\n'
LOOK = """
import json, sys
from airflow import plugins_manager
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
import hindsight
bag = DagBag(sys.argv[1])
for dag in bag.dags.values():
    DagSerialization.to_dict(dag)
plugins, errors = plugins_manager._get_plugins()
print(json.dumps({
    "dags": sorted(bag.dags), "errors": bag.import_errors, "from": hindsight.__file__,
    "plugins": [plugin.name for plugin in plugins], "wrong": errors,
    "timetables": list(plugins_manager.get_timetables_plugins()),
}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "build", "--quiet", "--wheel", "--python", sys.executable, "-o", folder, ROOT], check=True)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the wheel, and with the packages of this one without its checkout."""
    folder = tmp_path_factory.mktemp("theirs") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    shared = folder.parent / "shared"
    shared.mkdir()
    for package in Path(sysconfig.get_path("purelib")).iterdir():
        if "hindsight" not in package.name:  # the checkout's own record would make each plugin two
            (shared / package.name).symlink_to(package)
    (site / "shared.pth").write_text(f"{shared}\n")
    uv, own = Path(sys.executable).with_name("uv"), folder / "bin" / "python"
    subprocess.run([uv, "pip", "install", "--quiet", "--no-deps", "--python", own, wheel], check=True)
    return own


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "billing.py").write_text(THEIRS)
    (tmp_path / "include" / "monitors").mkdir(parents=True)
    (tmp_path / "include" / "monitors" / "credit.yml").write_text(yaml.safe_dump(monitor_file()))
    return tmp_path


def asked(home: Path, *command: object) -> subprocess.CompletedProcess[str]:
    """Run a command as they would: their home, nothing of ours on any path."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    environment = kept | {"AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    command = tuple(map(str, command))
    return subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, check=False)


def test_the_wheel_carries_everything_that_lies_in_the_package(wheel: Path) -> None:
    there = set(zipfile.ZipFile(wheel).namelist())
    files = {p for p in PACKAGE.rglob("*") if p.is_file() and "__pycache__" not in p.parts}

    assert {f"hindsight/{path.relative_to(PACKAGE).as_posix()}" for path in files} - there == set()
    assert len(files) > 300


def test_it_brings_what_it_needs_and_asks_for_no_more(wheel: Path) -> None:
    from email.parser import Parser

    from packaging.requirements import Requirement

    contents = zipfile.ZipFile(wheel)
    (name,) = (name for name in contents.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = Parser().parsestr(contents.read(name).decode())
    found = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    wanted = [line.partition(" #")[0].strip() for line in (ROOT / "requirements.in").read_text().splitlines()]

    assert {r.name for r in found if not r.marker} == {Requirement(w).name for w in wanted if w and w[0] != "#"}
    assert set(metadata.get_all("Provides-Extra", [])) >= {"s3", "gcs", "azure", "mysql", "duckdb", "celery"}


def test_one_command_puts_the_monitors_beside_their_dags(python: Path, home: Path) -> None:
    done = asked(home, python.with_name("hindsight"), "dags", "--write")
    assert done.returncode == 0, done.stderr
    assert "4 files written, 0 removed" in done.stdout

    looked = asked(home, python, "-c", LOOK, home / "dags")
    assert looked.returncode == 0, looked.stderr
    found = json.loads(looked.stdout.splitlines()[-1])
    ours = {"monitor__credit", "labels__credit", "hindsight__relay", "hindsight__maintenance", "hindsight__review"}
    assert set(found["dags"]) == {"nightly_billing"} | ours
    assert (found["errors"], found["wrong"]) == ({}, {})
    assert found["plugins"].count("hindsight") == 1
    assert "hindsight.airflow.timetable.WindowTimetable" in found["timetables"]
    assert Path(found["from"]).is_relative_to(python.parents[1])


def test_without_a_folder_of_monitors_it_says_what_to_do(python: Path, home: Path) -> None:
    (home / "include" / "monitors" / "credit.yml").unlink()
    (home / "include" / "monitors").rmdir()
    done = asked(home, python.with_name("hindsight"), "dags", "--write")

    assert done.returncode == 1
    assert "hindsight init" in done.stderr
    assert not (home / "dags" / "hindsight_dags").exists()
