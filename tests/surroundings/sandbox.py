"""A sandbox for a server unpacked and not installed: /etc, /var and users of its own; all of it goes when it is killed.

Only its processes see these: a mount namespace holds them, and what is below the folder is all that stays.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

USERS = {
    "root": 0,
    "postfix": 6001,
    "postdrop": 6002,
    "Debian-exim": 6003,
    "opensmtpd": 6004,
    "opensmtpq": 6005,
    "ann": 6101,
    "bob": 6102,
    "postmaster": 6103,
    "nobody": 65534,
}
PEOPLE = ("ann", "bob", "postmaster")
_INSIDE = """set -e
mount -t overlay overlay -o "lowerdir=$1/usr:/usr" /usr
mount --bind "$2/var" /var
mount -t tmpfs tmpfs /run
mount --bind "$2/etc" /etc
cd /
shift 2
"$@"
"""
_ALONE = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")


@cache
def why_not() -> str:
    """Why no sandbox can be made here, or ""."""
    if os.geteuid() != 0:
        return "a mail server needs root: it delivers as the recipient"
    if shutil.which("unshare") is None:
        return "unshare is not installed (Debian: util-linux)"
    mount = "mount -t tmpfs tmpfs /run && mount -t overlay overlay -o lowerdir=/etc:/usr /usr"
    tried = subprocess.run([*_ALONE, "sh", "-c", mount], capture_output=True, text=True)
    return f"no file system can be mounted here: {tried.stderr.strip()}" if tried.returncode else ""


def prepare(folder: Path, etc: Mapping[str, str], owners: Mapping[str, str]) -> None:
    """Make /etc, with these files, and /var, with these folders and whose they are, and a home for every person."""
    users = "".join(f"{name}:x:{id}:{id}::/var/home/{name}:/bin/sh\n" for name, id in USERS.items())
    groups = "".join(f"{name}:x:{id}:\n" for name, id in (USERS | {"mail": 8, "nogroup": 65533}).items())
    etc = {"passwd": users, "group": groups, "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n"} | etc
    etc = {"hosts": "127.0.0.1 localhost mail.example.com\n", "resolv.conf": "nameserver 127.0.0.1\n"} | etc
    for name, text in etc.items():
        path = folder / "etc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755 if text.startswith("#!") else 0o640 if "PRIVATE KEY" in text else 0o644)
        os.chown(path, 0, USERS["Debian-exim"])  # which reads its key as nobody else would
    for place, owner in owners.items() | {(f"home/{who}", who) for who in PEOPLE}:
        path = folder / "var" / place
        path.mkdir(parents=True, exist_ok=True)
        os.chown(path, USERS[owner], USERS[owner])
    for path in (folder, *folder.rglob("*/")):
        path.chmod(0o755)  # whatever the umask
    (folder / "var/run").symlink_to("/run")


def started(command: Sequence[str], unpacked: Path, folder: Path) -> subprocess.Popen[bytes]:
    """Run a command of an unpacked package in the sandbox of a folder; killing it kills all that it has started."""
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [*_ALONE, "sh", "-c", _INSIDE, "sh", str(unpacked), str(folder), *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
