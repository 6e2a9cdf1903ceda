"""What pydantic found wrong with a monitor file, said in the words of the file's writer: expected this, found that."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from hindsight.errors import did_you_mean
from hindsight.monitors.document import Place, Where

_EXPECTED = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "tuple_type": "a list",
    "time_delta_type": "a duration such as 15m, 6h or 7d",
    "datetime_type": "a date such as 2026-09-01",
}
_LIMITS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}
_PATTERNS = {
    r"^[a-z][a-z0-9_]{0,62}$": "a name of lower-case letters, digits and underscores, at most 63 long",
    r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$": "a function as package.module:function",
}


def explain(
    error: ValidationError, model: type[BaseModel], places: Mapping[Where, Place]
) -> Iterator[tuple[Where, str]]:
    """Yield where and what, one per wrong value: the branches of a union are joined, follow-up errors are left out."""
    found: dict[Where, list[Any]] = {}
    for detail in error.errors():
        found.setdefault(_where(detail["loc"], places, missing=detail["type"] == "missing"), []).append(detail)
    for where, details in found.items():
        inner = any(path[: len(where)] == where and len(path) > len(where) for path in found)
        if not (inner and all(detail["type"] in _EXPECTED for detail in details)):
            yield where, _message(where, details, model, places)


def _where(loc: tuple[int | str, ...], places: Mapping[Where, Place], *, missing: bool) -> Where:
    """Keep of pydantic's location only the parts the file has: it also names validators and branches of unions."""
    where: Where = ()
    for part in loc:
        if (*where, part) in places:
            where = (*where, part)
    return (*where, loc[-1]) if missing else where


def _message(where: Where, details: list[Any], model: type[BaseModel], places: Mapping[Where, Place]) -> str:
    first = details[0]
    if first["type"] == "extra_forbidden":
        known = sorted(known_keys(model, where[:-1]))
        hint = did_you_mean(str(where[-1]), known) or f"; known are {', '.join(known)}"
        return f"unknown key {where[-1]!r}{hint}"
    if first["type"] == "missing":
        return "is missing"
    told = [detail for detail in details if detail["type"] == "value_error"]
    if told:
        return str(told[0]["ctx"]["error"])
    expected = " or ".join(dict.fromkeys(_expected(detail) for detail in details))
    found = _found(first["input"], places.get(where, Place(0)).text)
    return f"expected {expected}, found {found}{_hint(details, first['input'])}"


def _expected(detail: Any) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _LIMITS:
        words, key = _LIMITS[kind]
        return f"{words} {context[key]:g}"
    if kind in ("literal_error", "enum"):
        return str(context["expected"])
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(context["pattern"], f"text like {context['pattern']}")
    return _EXPECTED.get(kind, str(detail["msg"]).removeprefix("Input should be ").removeprefix("a valid "))


def _found(value: object, source: str) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:59] + "…")
    if isinstance(value, (list, tuple)):
        return "a list"
    return "a mapping" if isinstance(value, dict) else source or repr(value)


def _hint(details: list[Any], value: object) -> str:
    kinds = {detail["type"] for detail in details}
    if "string_type" in kinds and isinstance(value, (bool, int, float)):
        return " - put it in quotes"
    if kinds == {"tuple_type"} and isinstance(value, str):
        return f" - write [{value}]"
    if kinds == {"tuple_type"} and isinstance(value, dict):
        return " - write [{…}], or each entry on a line that begins with a dash"
    if kinds == {"dict_type"} and isinstance(value, list):
        return " - write {name: value, …}"
    if isinstance(value, str) and kinds & {"literal_error", "enum"}:
        return did_you_mean(value, re.findall(r"'([^']*)'", " ".join(_expected(detail) for detail in details)))
    if isinstance(value, str) and kinds == {"bool_type"} and value.lower() in ("yes", "no", "on", "off"):
        return f" - write {'true' if value.lower() in ('yes', 'on') else 'false'}"
    return ""


def known_keys(annotation: Any, where: Where = ()) -> set[str]:
    """Return the keys a file may have at a place below a model or any other annotation of one of its fields."""
    inner = get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = {info.alias or name: info.annotation for name, info in annotation.model_fields.items()}
        return known_keys(fields.get(str(where[0])), where[1:]) if where else set(fields)
    if get_origin(annotation) is dict:
        return known_keys(inner[1], where[1:])
    if get_origin(annotation) is tuple:
        return known_keys(inner[0], where[1:])
    return {key for each in inner for key in known_keys(each, where)}
