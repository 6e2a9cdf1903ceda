"""`make surroundings`: unpack the servers Debian has, without installing them, each with what is missing for it."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.surroundings.sandbox import why_not

PACKAGES = {
    "postfix": "postfix",
    "exim": "exim4-daemon-light",
    "opensmtpd": "opensmtpd",
    "alertmanager": "prometheus-alertmanager",
    "prometheus": "prometheus",
}
ALERTMANAGER = """#!/bin/sh
# its template lies in /usr/share, where only this process sees it
exec unshare --mount sh -c '
    mount -t overlay overlay -o "lowerdir=$0/usr:/usr" /usr && exec /usr/bin/prometheus-alertmanager "$@"
' {unpacked} "$@"
"""
_NEEDED = re.compile(r"^Inst (\S+) (?:\[\S+\] )?\((\S+) ", re.M)


def main(folder: Path) -> None:
    """Unpack every server below a folder; one that cannot be had is said, and its tests are skipped."""
    if why := why_not():
        print(f"make: nothing is fetched: {why}", file=sys.stderr)
        return
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    for name, package in PACKAGES.items():
        try:
            if not (folder / name).is_dir():
                fetch(package, folder / name)
        except OSError as exc:
            print(f"make: {package} is left out: {exc}", file=sys.stderr)
    if (folder / "alertmanager").is_dir():
        command = folder / "bin/prometheus-alertmanager"
        command.write_text(ALERTMANAGER.format(unpacked=shlex.quote(str(folder.resolve() / "alertmanager"))))
        command.chmod(0o755)


def fetch(package: str, folder: Path) -> None:
    """Unpack a package into a folder, with what it needs and this machine lacks."""
    plan = _ran("apt-get", "install", "--simulate", "--no-install-recommends", "--reinstall", package)
    wanted = [f"{name}={version}" for name, version in _NEEDED.findall(plan)]
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        _ran("apt-get", "download", *wanted, at=place)
        for archive in sorted(Path(place).glob("*.deb")):
            _ran("dpkg", "--extract", str(archive), f"{place}/root")
        Path(place, "root").rename(folder)


def _ran(*command: str, at: str | None = None) -> str:
    done = subprocess.run(command, cwd=at, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"{' '.join(command[:2])}: {done.stderr.strip()} - apt-get update may help")
    return done.stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]))
