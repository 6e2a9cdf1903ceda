"""The shape of the house, read from its source: who may import whom, what stays light, what is never done."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "include" / "hindsight"
SOURCES = sorted([*PACKAGE.rglob("*.py"), *(ROOT / "dags").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")])
TESTS = sorted((ROOT / "tests").rglob("*.py"))
ENTRANCES = [p for p in SOURCES if PACKAGE not in p.parents or (PACKAGE / "airflow") in p.parents]

FLOORS = (
    {"errors", "settings"},
    {"vocabulary"},
    {"monitors"},
    {"verdicts"},
    {"warehouse", "checks", "snapshots", "ledger", "messages", "training", "reports", "proposals"},
    {"pipeline"},
    {"airflow", "terminal", "testing"},
    {"commands"},
    {"cli", "dags", "plugins"},
    {"__main__"},
)
INSIDE = {
    "checks": (
        {"values", "statistics"},
        {"reference", "performance", "suites"},
        {"operations", "quality", "drift", "labels", "estimate", "news"},
        {"kpis"},
    ),
    "pipeline": (
        {"resources", "lint"},
        {"measure"},
        {"judge"},
        {"act", "show", "propose"},
        {"night", "review", "drafts"},
        {"rehearse"},
    ),
}


def floors(plan: tuple[set[str], ...]) -> dict[str, int]:
    """On which floor each room of a plan lies."""
    return {room: floor for floor, rooms in enumerate(plan) for room in rooms}


FLOOR = floors(FLOORS)
SLOW = {"evidently", "great_expectations"}
HEAVY = SLOW | {"pandas", "pyarrow", "sklearn"}
MAY_BE_HEAVY = {"hindsight.airflow.web": "only the api-server imports it, when it mounts the pages"}
MAY_SPEAK_SQL = {"warehouse", "checks", "proposals", "pipeline", "reports"}
OF_THE_LEDGER = {"include/hindsight/pipeline/show/doctor.py": "it looks at the ledger's clock"}
RAW_SQL_ALLOWED: dict[str, str] = {}  # file: the reason

each_source = pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))


def room(path: Path) -> str:
    """The room a file is in: a folder or a lone file of the package, or the folder beside it."""
    inside = path.relative_to(PACKAGE if PACKAGE in path.parents else ROOT).parts
    return inside[0].removesuffix(".py")


def imports(tree: ast.AST) -> Iterator[str]:
    """The full names of all modules imported anywhere below a node."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def at_module_level(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements that run when a module is imported; not those for the type checker only."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        waiting += ast.iter_child_nodes(node)


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@each_source
def test_imports_point_down_and_never_to_a_room_beside(path: Path) -> None:
    here = room(path)
    if path == PACKAGE / "__init__.py":
        return
    assert here in FLOOR, f"{here} has no floor; DESIGN 2 names the rooms"
    for name in imports(parsed(path)):
        there = name.split(".")[1] if name.startswith("hindsight.") else ""
        if there in FLOOR and there != here:
            assert FLOOR[there] < FLOOR[here], f"{here} may not import {name}"


@pytest.mark.parametrize("house", INSIDE)
def test_sub_rooms_import_only_what_lies_below_them(house: str) -> None:
    floor = floors(INSIDE[house])
    for path in sorted((PACKAGE / house).rglob("*.py")):
        here = path.relative_to(PACKAGE / house).parts[0].removesuffix(".py")
        if here == "__init__":
            continue
        assert here in floor, f"{house}/{here} has no floor; the room's docstring names them"
        for name in imports(parsed(path)):
            there = name.split(".")[2] if name.startswith(f"hindsight.{house}.") else here
            if there != here:
                assert floor[there] < floor[here], f"{house}/{here} may not import {name}"


FOLDERS = {path.parent for path in PACKAGE.rglob("__init__.py")}
ROOMS = sorted(path for path in FOLDERS if path.name not in {"hindsight", "migrations"})


@pytest.mark.parametrize("folder", ROOMS, ids=lambda path: path.name)
def test_the_docstring_of_a_room_names_what_is_in_it(folder: Path) -> None:
    said = ast.get_docstring(parsed(folder / "__init__.py")) or ""
    there = {path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert {name for name in there - {"__init__"} if not re.search(rf"\b{name}\b", said)} == set()


def graph(sources: dict[str, ast.AST]) -> dict[str, set[str]]:
    """Which of these modules each imports, wherever in the file and for whatever purpose."""
    found = {}
    for module, tree in sources.items():
        named = {part for name in imports(tree) for part in (name, name.rpartition(".")[0])}
        found[module] = named & sources.keys() - {module}
    return found


def circles(arrows: dict[str, set[str]]) -> set[str]:
    """The modules that lie on a circle of imports or between two: what is left when those that lead nowhere go."""
    left = {module: set(targets) for module, targets in arrows.items()}
    while free := {module for module in left if not left[module] & left.keys()}:
        left = {module: targets for module, targets in left.items() if module not in free}
    return set(left)


def test_no_two_files_import_each_other_in_a_circle() -> None:
    folders = {"include": PACKAGE, ".": ROOT / "demo", "./": ROOT / "benchmarks", "./.": ROOT / "tests"}
    sources = {
        ".".join(path.relative_to(ROOT / base).with_suffix("").parts).removesuffix(".__init__"): parsed(path)
        for base, folder in folders.items()
        for path in folder.rglob("*.py")
    }
    lazy = {"hindsight", "hindsight.pipeline"}  # they name what they load on first use, for the type checker
    arrows = {module: targets - lazy for module, targets in graph(sources).items() if module not in lazy}
    assert not circles(arrows)


def test_a_circle_of_imports_would_be_noticed() -> None:
    texts = {
        "a": "import b",
        "b": "def f():\n    from c import x",
        "c": "if TYPE_CHECKING:\n    import a.y",
        "d": "import a",
    }
    arrows = graph({name: ast.parse(text) for name, text in texts.items()})
    assert circles(arrows) == {"a", "b", "c", "d"}
    assert circles(arrows | {"c": set()}) == set()


@each_source
def test_only_the_airflow_room_imports_airflow(path: Path) -> None:
    if room(path) not in {"airflow", "dags", "plugins"}:
        assert not [name for name in imports(parsed(path)) if name.split(".")[0] == "airflow"]


@each_source
def test_evidently_and_great_expectations_are_imported_where_they_are_used(path: Path) -> None:
    found = {name.split(".")[0] for node in at_module_level(parsed(path)) for name in imports(node)}
    assert not found & SLOW


@each_source
def test_mail_goes_through_aiosmtplib_only(path: Path) -> None:
    assert not [name for name in imports(parsed(path)) if name.split(".")[0] == "smtplib"]


@each_source
def test_sql_is_built_of_constructs_not_of_text(path: Path) -> None:
    if str(path.relative_to(ROOT)) in RAW_SQL_ALLOWED:
        return
    tree = parsed(path)
    raw = {"text", "literal_column", "TextClause"}
    assert not {f"sqlalchemy.{name}" for name in raw} & set(imports(tree))
    attributes = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in raw)
    assert not [ast.unparse(node) for node in attributes if ast.unparse(node.value) in {"sa", "sqlalchemy"}]


@each_source
def test_nothing_outside_the_dialects_asks_which_database_it_talks_to(path: Path) -> None:
    if room(path) not in MAY_SPEAK_SQL or "dialects" in path.parts or str(path.relative_to(ROOT)) in OF_THE_LEDGER:
        return
    engines = {file.stem for file in (PACKAGE / "warehouse" / "dialects").glob("*.py")}
    compared = (node for node in ast.walk(parsed(path)) if isinstance(node, ast.Compare | ast.Dict | ast.MatchValue))
    constants = (one for node in compared for one in ast.walk(node) if isinstance(one, ast.Constant))
    assert not [one.value for one in constants if one.value in engines]


@pytest.mark.parametrize("path", [*SOURCES, *TESTS], ids=lambda p: str(p.relative_to(ROOT)))
def test_no_file_is_longer_than_one_can_hold_in_mind(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_there_is_one_plugin_file_because_airflow_executes_them_all() -> None:
    assert {path.name for path in (ROOT / "plugins").rglob("*.py")} <= {"hindsight_plugin.py"}


def test_there_is_no_package_where_python_would_shadow_great_expectations() -> None:
    assert not list((ROOT / "great_expectations").rglob("__init__.py"))


MEASURE = """
import importlib, runpy, sys
try:
    import airflow.sdk, airflow.plugins_manager
except ImportError:
    pass
heavy = set(sys.argv[1].split(","))
assert not heavy & set(sys.modules), "Airflow itself imports them: nothing can be measured"
for target in sys.argv[2:]:
    runpy.run_path(target) if target.endswith(".py") else importlib.import_module(target)
    found = sorted(heavy & set(sys.modules))
    if found:
        sys.exit(f"{target} imports {', '.join(found)}")
"""


def test_dag_files_the_plugin_and_reading_monitor_files_stay_light(tmp_path: Path) -> None:
    """All are imported in turn by a fresh process; the first that loads a heavy library is named."""
    targets = ["hindsight", "hindsight.monitors.loader", "hindsight.vocabulary.rows", "hindsight.reports.pages"]
    for path in ENTRANCES:
        in_package = PACKAGE in path.parents
        name = ".".join(path.relative_to(ROOT / "include").with_suffix("").parts) if in_package else str(path)
        if name not in MAY_BE_HEAVY:
            targets.append(name.removesuffix(".__init__"))
    environment = os.environ | {
        "PYTHONPATH": str(ROOT / "include"),
        "PYTHONWARNINGS": "ignore",
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "HINDSIGHT_MONITORS": str(ROOT / "include" / "monitors"),
    }
    command = [sys.executable, "-c", MEASURE, ",".join(sorted(HEAVY)), *targets]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
