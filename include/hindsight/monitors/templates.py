"""Templates: a monitor file that `extends` another says only what differs from it.

Mappings are merged key by key, down to any depth, and `rules` by their ids; what the file says stands. Any other list,
and any value, is replaced as a whole, and `null` takes out what the template says. A name, and what it was before, are
never inherited. A template may extend another; each value keeps the file and the line it was written in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from hindsight.errors import ConfigError, did_you_mean
from hindsight.monitors.document import Document, Place, Where, read_document

SUFFIXES = (".yml", ".yaml")
BY_ID = "rules"
OWN = ("name", "renamed_from")  # what a monitor never has from its template

_Places = dict[Where, Place]
_Rule = dict[str, object]

_EXTENDS = re.compile(rb"""^(?:extends|"extends"|'extends')\s*:\s*["']?([^\s"'#]+)""", re.MULTILINE)
_NAMES_ITSELF = re.compile(rb"""^(?:name|"name"|'name')\s*:""", re.MULTILINE)


def read_extended(path: Path, read: Callable[[Path], Document] = read_document) -> Document:
    """Return a file as written, laid over the template it extends, if any, and so on.

    Raises ConfigError where the file or a template cannot be read, and where `extends` is no way to one.
    """
    return _extended(read(path), (path.resolve(),), read)


def templates(files: Sequence[Path]) -> set[Path]:
    """Return those of these files that others of them extend and that are no monitors: they do not say their name.

    Files are looked through, not parsed.
    """
    texts = {path: content for path in files if (content := _content(path)) is not None}
    named = {
        path: found[1].decode("utf-8", "replace") for path, text in texts.items() if (found := _EXTENDS.search(text))
    }
    extended = {(path.parent / name).resolve() for path, name in named.items()}
    return {path for path, text in texts.items() if path.resolve() in extended and not _NAMES_ITSELF.search(text)}


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None  # said where it is read as a monitor


def _extended(document: Document, chain: tuple[Path, ...], read: Callable[[Path], Document]) -> Document:
    if "extends" not in document.data:
        return document
    below = document.path.parent / str(document.data["extends"])
    if said := _no_template(document, below, chain):
        raise ConfigError(document.problem(("extends",), said))
    return _laid_over(_extended(read(below), (*chain, below.resolve()), read), document)


def _no_template(document: Document, below: Path, chain: tuple[Path, ...]) -> str:
    """Say why a file cannot extend what it names, or "" where it can."""
    written = document.data["extends"]
    if not isinstance(written, str) or not written.endswith(SUFFIXES) or Path(written).is_absolute():
        return f"expected a file such as base.yml, from the folder of this one on, found {written!r}"
    if (found := below.resolve()) in chain:
        way = " -> ".join(path.name for path in (*chain[chain.index(found) :], found))
        return f"templates extend each other in a circle: {way}"
    if not below.is_file():
        known = [path.name for path in below.parent.glob("*") if path.suffix in SUFFIXES]
        return f"there is no file {below}{did_you_mean(below.name, known)}"
    return ""


def _laid_over(template: Document, document: Document) -> Document:
    places = {where: replace(place, file=place.file or template.path) for where, place in template.places.items()}
    data = dict(template.data)
    for own in (*OWN, "extends"):
        data.pop(own, None)
        _forget(places, (own,))
    merged = Document(document.path, data, places, [*template.problems, *document.problems])
    merged.data = _merged(data, document.data, (), (), places, document.places)
    return merged


def _merged(
    base: dict[str, object], over: dict[str, object], where: Where, written: Where, places: _Places, own: _Places
) -> dict[str, object]:
    """Return `over` laid over `base`, which lies at `where` of the whole; `written` is where it stands in its file."""
    result = dict(base)
    for key, value in over.items():
        at, there = (*where, key), (*written, key)
        below = base.get(key)
        if value is None and key in base:
            del result[key]
            _forget(places, at)
        elif isinstance(below, dict) and isinstance(value, dict):
            places[at] = own[there]
            result[key] = _merged(below, value, at, there, places, own)
        elif at == (BY_ID,) and (known := _by_id(below)) is not None and (changes := _by_id(value)) is not None:
            places[at] = own[there]
            result[key] = _joined(known, changes, places, own)
        else:
            result[key] = value
            _forget(places, at)
            _move(own, there, places, at)
    return result


def _joined(known: list[_Rule], changes: list[_Rule], places: _Places, own: _Places) -> list[_Rule]:
    """Return the rules of both: those of one id merged where the template has it, new ones at the end."""
    rules = list(known)
    for i, rule in enumerate(changes):
        same = next((k for k, other in enumerate(known) if other["id"] == rule["id"]), None)
        at, there = (BY_ID, len(rules) if same is None else same), (BY_ID, i)
        if same is None:
            rules.append(rule)
            _move(own, there, places, at)
        else:
            places[at] = own[there]
            rules[same] = _merged(rules[same], rule, at, there, places, own)
    return rules


def _by_id(value: object) -> list[_Rule] | None:
    """Return rules of which each says its id; None where this is anything else."""
    return value if isinstance(value, list) and all(isinstance(r, dict) and "id" in r for r in value) else None


def _forget(places: _Places, where: Where) -> None:
    for known in [known for known in places if known[: len(where)] == where]:
        del places[known]


def _move(own: _Places, there: Where, places: _Places, at: Where) -> None:
    places |= {(*at, *known[len(there) :]): place for known, place in own.items() if known[: len(there)] == there}
