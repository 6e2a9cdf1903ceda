"""Before the first process of a deployment starts: refuse secrets that are no secrets, and write who may sign in."""

from __future__ import annotations

import base64
import binascii
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

DEMO = "demo-only"  # every secret of demo.env holds it
MIN_LENGTH = {
    "AIRFLOW__API__SECRET_KEY": 32,
    "AIRFLOW__API_AUTH__JWT_SECRET": 64,
    "AIRFLOW__CORE__FERNET_KEY": 44,
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": 0,
    "AIRFLOW_CONN_HINDSIGHT_LEDGER": 0,
    "AIRFLOW_CONN_HINDSIGHT_METRICS": 0,
    "AIRFLOW_CONN_HINDSIGHT_PII": 0,
    "AIRFLOW_CONN_WAREHOUSE": 0,
    "HINDSIGHT_ADMIN_PASSWORD": 12,
    "HINDSIGHT_POSTGRES_PASSWORD": 12,
}
_GUESSED = ("admin", "airflow", "changeme", "hindsight", "password", "postgres", "secret")


def problems(environ: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the secrets of a deployment, one line each; no line holds a secret."""
    return [f"{name}: {why}" for name in MIN_LENGTH for why in _weak(name, environ.get(name, ""), environ)]


def write_users(environ: Mapping[str, str]) -> None:
    """Write the file Airflow's simple auth manager reads passwords from, for its own eyes only."""
    path = Path(environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(json.dumps({"admin": environ["HINDSIGHT_ADMIN_PASSWORD"]}))


def main() -> int:
    """Check the environment and write the users; return 1 and say why where it is refused."""
    if found := problems(os.environ):
        print("\n".join(("refused to start:", *found)), file=sys.stderr)
        return 1
    write_users(os.environ)
    return 0


def _weak(name: str, value: str, environ: Mapping[str, str]) -> list[str]:
    if MIN_LENGTH[name] and len(value) < MIN_LENGTH[name]:
        return [f"expected at least {MIN_LENGTH[name]} characters, found {len(value)}"]
    if name.endswith("FERNET_KEY"):
        try:
            value = base64.urlsafe_b64decode(value).decode("latin-1")
        except (binascii.Error, ValueError):
            return ["expected 32 bytes in URL-safe base64, as Fernet keys are"]
        if len(value) != 32:
            return [f"expected 32 bytes in URL-safe base64, found {len(value)}"]
    if DEMO in value and environ.get("HINDSIGHT_DEMO") != "1":
        return ["is the one printed in demo.env; choose another, or set HINDSIGHT_DEMO=1 on a machine only you reach"]
    if any(value == word or f":{word}@" in value for word in _GUESSED):
        return ["is among the first anybody would try"]
    return []


if __name__ == "__main__":
    sys.exit(main())
