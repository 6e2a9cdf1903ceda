"""`make fleet`: Debian's Redis unpacked without being installed, and what Celery needs, in a folder of their own."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.surroundings.__main__ import fetch


def main(folder: Path) -> None:
    """Unpack Redis below a folder, once."""
    folder.mkdir(exist_ok=True)
    if not (folder / "redis").is_dir():
        fetch("redis-server", folder / "redis")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
