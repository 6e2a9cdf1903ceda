"""Names monitors had before: no two monitors come from one, and none of them is still a monitor's. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from hindsight.errors import Problem
from hindsight.monitors.document import read_document
from hindsight.monitors.model import Monitor


def in_use(monitors: Mapping[Path, Monitor]) -> dict[Path, list[Problem]]:
    """Return, by file, what is wrong with the names monitors had before, as files read together say."""
    now = {monitor.name: path for path, monitor in monitors.items()}
    before: dict[str, list[Path]] = {}
    for path, monitor in monitors.items():
        for name in monitor.renamed_from:
            before.setdefault(name, []).append(path)
    found = {path: list(_wrong(path, monitor, now, before)) for path, monitor in monitors.items()}
    return {path: problems for path, problems in found.items() if problems}


def _wrong(
    path: Path, monitor: Monitor, now: Mapping[str, Path], before: Mapping[str, list[Path]]
) -> Iterator[Problem]:
    for name in monitor.renamed_from:
        if name in now:
            said = (
                f"{name!r} is still the name in {now[name].resolve()}; rename or remove that one, or take it out here"
            )
            yield _placed(path, said)
        for other in before[name]:
            if other != path:
                said = f"{name!r} is also what {other.resolve()} was renamed from; its history can move to one only"
                yield _placed(path, said)


def _placed(path: Path, said: str) -> Problem:
    place = read_document(path).places[("renamed_from",)]
    return Problem(said, path.resolve(), place.line, "renamed_from")
