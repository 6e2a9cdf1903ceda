"""A YAML file as plain data that remembers every line: no key twice, no value guessed, no code executed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from hindsight.errors import ConfigError, Problem

MAX_BYTES = 256 * 1024
MAX_VALUES = 20_000  # after aliases are expanded: a bomb of nine lines would make billions
MAX_DEPTH = 20
ROOT_KEYS = "expected a mapping of keys such as name, model and source"

_YAML = "tag:yaml.org,2002:"
_PLAIN_TAGS = {_YAML + tag for tag in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq", "merge")}
_INTEGER = re.compile(r"[-+]?(0|[1-9]\d{0,17})")
_FLOAT = re.compile(r"[-+]?((\d+\.\d*|\.\d+)([eE][-+]?\d{1,3})?|\d+[eE][-+]?\d{1,3})")
_FLOAT_OF_1_2 = re.compile(r"[-+]?(\d+(\.\d*)?[eE][-+]?\d+|\.\d+([eE][-+]\d+)?)$")  # beyond those of YAML 1.1
_NOT_FINITE = {".inf": math.inf, "-.inf": -math.inf, ".nan": math.nan}
_WORDS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NOTHING = {"", "~", "null", "Null", "NULL"}
_MAPPING, _SEQUENCE = (MappingNode, yaml.MappingNode), (SequenceNode, yaml.SequenceNode)
_SCALAR = (ScalarNode, yaml.ScalarNode)
_READ_OTHERWISE = re.compile(  # tabs and ends of lines, anchors and tags, directives, a comment after a block's sign
    r"[\t\x85\u2028\u2029\ufeff]|(^|[\s\[{,:-])[&!]|^%|[|>][-+\d]*#|[\"']:\S", re.MULTILINE
)

Where = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands and how it was written there, "" for lists and mappings; `file` where that is a template."""

    line: int
    text: str = ""
    file: Path | None = None


@dataclass(slots=True)
class Document:
    """The data of a file and the place of every value in it; `problems` found while reading, in file order."""

    path: Path
    data: dict[str, object] = field(default_factory=dict)
    places: dict[Where, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, where: Where, message: str) -> Problem:
        """Return a problem at a value or, where the file has no such value, at the nearest one that holds it."""
        known = where
        while known and known not in self.places:
            known = known[:-1]
        place = self.places.get(known)
        file = (place and place.file) or self.path
        return Problem(message, file, place.line if place else None, field_name(where))


def field_name(where: Where) -> str:
    """Return a path as users read it: rules[0].metric."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".")


def read_document(path: Path) -> Document:
    """Read one YAML 1.2 file of at most 256 kB; raise ConfigError where it cannot be read as one mapping at all.

    Numbers, true, false and null are typed; dates, `yes`, `0123` and everything else stay text, and so do all keys.
    """
    root = _compose(path, _text(path))
    document = Document(path)
    if not isinstance(root, _MAPPING):
        found = "the file is empty" if root is None or _is_nothing(root) else f"found {_shape(root)}"
        raise ConfigError(Problem(f"{ROOT_KEYS}; {found}", path, 1))
    document.data = _Builder(document).mapping(root, ())
    return document


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as exc:
        raise ConfigError(Problem(f"cannot be read: {exc.strerror or exc}", path)) from exc
    if len(content) > MAX_BYTES:
        raise ConfigError(Problem("larger than 256 kB; a monitor file is one mapping about one model", path))
    if content.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise ConfigError(Problem("starts with a byte order mark; save it as UTF-8 without BOM (column 1)", path, 1))
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as exc:
        line, column = _position(content[: exc.start])
        message = f"byte 0x{content[exc.start]:02x} is not UTF-8; save the file as UTF-8 (column {column})"
        raise ConfigError(Problem(message, path, line)) from exc


def _position(before: bytes) -> tuple[int, int]:
    """Line and column, both counted from 1, of what follows these bytes."""
    last = before.rpartition(b"\n")[2]
    return before.count(b"\n") + 1, len(last.decode("utf-8", "replace")) + 1


def _compose(path: Path, text: str) -> Any:
    """Return the tree of a text: by libyaml, fifteen times as fast, where that reads it as the reader in Python does.

    What libyaml has a complaint about is read in Python too, which says what is wrong, and where.
    """
    if yaml.__with_libyaml__ and not _READ_OTHERWISE.search(text):
        with suppress(yaml.YAMLError, ValueError, RecursionError):
            return yaml.compose(text, Loader=_loader())
    return _composed_in_python(path, text)


@cache
def _loader() -> Any:
    """Return libyaml's loader, which knows YAML 1.1, with the numbers of YAML 1.2."""
    loader: Any = type("Loader", (yaml.CSafeLoader,), {})
    loader.add_implicit_resolver(_YAML + "float", _FLOAT_OF_1_2, [*"-+.0123456789"])
    return loader


def _composed_in_python(path: Path, text: str) -> Node | None:
    reader = YAML(typ="safe", pure=True)
    reader.composer.warn_double_anchors = False
    try:
        root: Node | None = reader.compose(text)
    except MarkedYAMLError as exc:
        raise ConfigError(_syntax_problem(path, exc)) from exc
    except ReaderError as exc:
        line, column = _position(text[: exc.position].encode())
        message = f"character {chr(exc.character)!r} is not allowed in YAML (column {column})"
        raise ConfigError(Problem(message, path, line)) from exc
    except (YAMLError, ValueError) as exc:
        raise ConfigError(Problem(f"not valid YAML: {exc}", path)) from exc
    except RecursionError as exc:
        raise ConfigError(Problem(f"nested deeper than {MAX_DEPTH} levels", path)) from exc
    return root


def _syntax_problem(path: Path, error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    what = error.problem or error.context or "not valid YAML"
    if "\\t" in what:
        what = "found a tab; YAML is indented with spaces"
    elif error.context and error.problem:
        what = f"{what} {error.context}"
    column = f" (column {mark.column + 1})" if mark else ""
    return Problem(f"not valid YAML: {what}{column}", path, mark.line + 1 if mark else None)


class _Builder:
    """Turns composed nodes into plain data, noting places and problems on the way."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._values = 0

    def mapping(self, node: MappingNode | yaml.MappingNode, where: Where) -> dict[str, object]:
        result: dict[str, object] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, _SCALAR):
                self._report(where, f"expected a name as key, found {_shape(key_node)}", line)
                continue
            key = str(key_node.value)
            if key in lines:
                self._report((*where, key), f"key is already given in line {lines[key]}; keep one of the two", line)
                continue
            lines[key] = line
            result[key] = self._value(value_node, (*where, key), line)
        return result

    def _value(self, node: Node, where: Where, line: int) -> object:
        self._values += 1
        if self._values > MAX_VALUES or len(where) > MAX_DEPTH:
            limit = f"{MAX_VALUES:,} values" if self._values > MAX_VALUES else f"{MAX_DEPTH} levels"
            raise ConfigError(Problem(f"holds more than {limit} once aliases are expanded", self._document.path, line))
        self._document.places[where] = Place(line, str(node.value) if isinstance(node, _SCALAR) else "")
        if node.tag not in _PLAIN_TAGS:
            self._report(where, f"tag {_shown(str(node.tag))} is not allowed; write plain values", line)
            return None
        if isinstance(node, _MAPPING):
            return self.mapping(node, where)
        if isinstance(node, _SEQUENCE):
            return [self._value(item, (*where, i), item.start_mark.line + 1) for i, item in enumerate(node.value)]
        return _scalar(node) if isinstance(node, _SCALAR) else None

    def _report(self, where: Where, message: str, line: int) -> None:
        self._document.problems.append(Problem(message, self._document.path, line, field_name(where)))


def _scalar(node: ScalarNode) -> object:
    text = str(node.value)
    if node.tag == _YAML + "str" or node.style:
        return text
    if _is_nothing(node):
        return None
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return _NOT_FINITE.get(text.lower().lstrip("+"), text)


def _is_nothing(node: Node) -> bool:
    return isinstance(node, _SCALAR) and not node.style and node.value in _NOTHING


def _shape(node: Node) -> str:
    if isinstance(node, _SEQUENCE):
        return "a list"
    return "a mapping" if isinstance(node, _MAPPING) else f"the text {_cut(str(node.value))}"


def _shown(tag: str) -> str:
    return "!!" + tag.removeprefix(_YAML) if tag.startswith(_YAML) else _cut(tag)


def _cut(text: str, length: int = 60) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def in_file_order(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems as one reads them: by file, then by line."""
    return sorted(problems, key=lambda problem: (str(problem.file or ""), problem.line or 0))
