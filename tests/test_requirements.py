"""What is installed is what was asked for, without the holes that are known, and no secret lies in the repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
CLOSED = {  # from which version on a known hole is closed
    "aiosmtplib": "5.1.3",  # commands injected by an address: GHSA-v3q9-hj7j-63hq; by STARTTLS: GHSA-vxj7-4xrp-5vr4
    "pyarrow": "14.0.1",  # code run by a file that is read: CVE-2023-47248
    "jinja2": "3.1.6",  # out of the sandbox: CVE-2025-27516
    "cryptography": "42.0.4",  # a crash by a key that does not fit: CVE-2024-26130
}
SECRETS = re.compile(
    "-----BEGIN (RSA |EC |OPENSSH )?PRIVATE KEY-----|"
    "AKIA[0-9A-Z]{16}|ghp_[0-9A-Za-z]{36}|xox[bpars]-[0-9A-Za-z-]{20,}|hooks\\.slack\\.com/services/T[0-9A-Z]{8,}"
)
TEXTS = {".py", ".md", ".yml", ".yaml", ".toml", ".txt", ".in", ".env", ".json", ".j2", ".css", ""}
MADE = {".venv", ".venv-nannyml", ".venv-readers", ".venv-engines", ".git", "data", "__pycache__"}


def requirements(name: str) -> list[Requirement]:
    lines = (line.partition(" #")[0].strip() for line in (ROOT / name).read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]


def pins(lock: str) -> dict[str, set[str]]:
    """The versions a lock pins each package to: one, or one for each Python."""
    found: dict[str, set[str]] = {}
    for pinned in requirements(lock):
        (pin,) = pinned.specifier
        assert pin.operator == "==", f"{pinned} is no pin"
        found.setdefault(canonicalize_name(pinned.name), set()).add(pin.version)
    return found


@pytest.mark.parametrize(
    ("asked", "lock"), [("requirements.in", "requirements.txt"), ("requirements-dev.in", "requirements-dev.txt")]
)
def test_what_is_pinned_is_what_was_asked_for(asked: str, lock: str) -> None:
    pinned = pins(lock)
    for wanted in requirements(asked):
        versions = pinned.get(canonicalize_name(wanted.name), set())
        assert versions, f"{wanted} is not locked: make lock"
        assert all(map(wanted.specifier.contains, versions)), f"{wanted} is locked as {versions}: make lock"


def test_known_holes_are_closed() -> None:
    pinned = pins("requirements.txt")
    for name, version in CLOSED.items():
        at_least = Requirement(f"{name}>={version}").specifier
        assert all(map(at_least.contains, pinned[name])), f"{name} {pinned[name]}"


def test_no_secret_is_kept_in_the_repository() -> None:
    files = [p for p in ROOT.rglob("*") if p.is_file() and p.suffix in TEXTS and not MADE & set(p.parts)]
    found = [str(p) for p in files if p != Path(__file__) and SECRETS.search(p.read_text(errors="replace"))]
    assert SECRETS.search("AKIA" + 16 * "A")
    assert len(files) > 100
    assert found == []
