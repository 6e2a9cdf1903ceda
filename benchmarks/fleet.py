"""Fleet: what hundreds of monitors cost; each part measures its rows beside its floor, in one run.

`make bench-fleet` runs every part and writes benchmarks/results/fleet.json and docs/benchmarks-fleet.md; `python -m
benchmarks.fleet parsing` runs one, `--page` none. A part is a module benchmarks/fleet_<part>.py with a function `rows()
-> dict[str, Any]`; rows of parts that are not run stay as they were.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.fleet_page import page

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "fleet.json"
BEFORE = HERE / "fleet_before.json"  # what the build before libraries were asked for less came to
PAGE = HERE.parent / "docs" / "benchmarks-fleet.md"


def parts() -> list[str]:
    """Return the names of all parts."""
    found = (path for path in HERE.glob("fleet_*.py") if "\ndef rows(" in path.read_text(encoding="utf-8"))
    return sorted(path.stem.removeprefix("fleet_") for path in found)


def keep(rows: dict[str, Any], part: str) -> None:
    """Write the rows of a part over those of earlier runs."""
    RESULTS.parent.mkdir(exist_ok=True)
    known = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    measured = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "on": f"{platform.system()}, Python {platform.python_version()}, {os.cpu_count()} cores",
        "waiting": os.getloadavg()[2] / (os.cpu_count() or 1),
    }
    known |= rows | {"measured": known.get("measured", {}) | {part: measured}}
    RESULTS.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
    write_page()


def write_page() -> None:
    """Write the page of what is known by now."""
    PAGE.write_text(page(json.loads(RESULTS.read_text()), json.loads(BEFORE.read_text())), encoding="utf-8")


def main() -> None:
    """Run the parts that are named, or all, and print their rows."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("parts", nargs="*", help=f"of {', '.join(parts())}; all without")
    options.add_argument("--page", action="store_true", help="measure nothing, write the page from the results")
    given = options.parse_args()
    if given.page:
        write_page()
        return
    for part in given.parts or parts():
        rows = importlib.import_module(f"benchmarks.fleet_{part}").rows()
        keep(rows, part)
        for name, value in rows.items():
            print(f"{name:40} {value:10.2f}" if isinstance(value, int | float) else f"{name:40} {value}", flush=True)


if __name__ == "__main__":
    main()
