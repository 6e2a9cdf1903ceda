"""Moving: the files of one name copied to another, and, when nothing speaks of them any more, deleted.

What is copied is the same bytes under another folder. A copy that is cut off is gone on with: what is there stays.
"""

from __future__ import annotations

from collections.abc import Iterator

from hindsight.errors import StoreError
from hindsight.snapshots.names import folder_of
from hindsight.snapshots.port import Files, MissingError
from hindsight.snapshots.seen import TOP as LABELS

_ATTEMPTS = 20


def copy_files(files: Files, old: str, new: str) -> int:
    """Copy what is not there yet of a name's snapshots, baselines and labels seen; return how many files.

    Raises StoreError where another file lies in the way.
    """
    for _ in range(_ATTEMPTS):
        try:
            return _copied(files, old, new)
        except MissingError:  # folded meanwhile: what it held is in the fold that took its place
            files.forget()
    return _copied(files, old, new)


def remove_files(files: Files, old: str, new: str) -> int:
    """Delete the files of a name of which the other has a copy; return how many."""
    gone = 0
    for source, target in _folders(old, new):
        there = {path.removeprefix(target) for path in files.settled(target)}
        for path in files.settled(source):
            if path.removeprefix(source) in there:
                files.remove(path)
                gone += 1
    return gone


def _copied(files: Files, old: str, new: str) -> int:
    copied = 0
    for source, target in _folders(old, new):
        there = {path.removeprefix(target) for path in files.settled(target)}
        # a manifest says that a baseline is whole: it comes after the tables it names
        for path in sorted(files.settled(source), key=lambda path: (path.endswith("manifest.json"), path)):
            if (rest := path.removeprefix(source)) not in there:
                _copy(files, path, target + rest)
                copied += 1
    return copied


def _copy(files: Files, path: str, to: str) -> None:
    data = files.get(path, fresh=True)
    if not files.put_new(to, data) and files.get(to, fresh=True) != data:
        raise StoreError(f"{files.uri(to)}: another file lies where {files.uri(path)} is to move")


def _folders(old: str, new: str) -> Iterator[tuple[str, str]]:
    yield folder_of(old), folder_of(new)
    yield f"{LABELS}/monitor={old}", f"{LABELS}/monitor={new}"
    for kind in ("", ".kpis"):
        yield f"baselines/{old}{kind}", f"baselines/{new}{kind}"
