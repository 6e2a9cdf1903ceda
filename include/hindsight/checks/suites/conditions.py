"""Conditions: which rows an expectation is about (`row_condition`), as objects and no longer as texts.

Great Expectations 1.9 calls the texts deprecated and 2.0 will drop them; suites that hold one are read as if they held
its object.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

PARSERS = ("great_expectations", "great_expectations__experimental__")
_COMPARISON = re.compile(
    r"""\s*col\("(?P<column>[^"]+)"\)\s*
    (?: (?P<notnull>\.notnull\(\))
      | (?P<operator>[<>]=?|[=!]=)\s*
        (?: (?P<number>[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)
          | (?:date\(\s*)? (?P<quote>["'])(?P<text>[^"']*)(?P=quote) (?:\s*\))? ) )\s*""",
    re.VERBOSE | re.IGNORECASE,
)


def translated(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with a text as condition, in the library's own words or in pandas', made an object.

    A text that cannot be understood is left for the library to refuse.
    """
    text, parser = kwargs.get("row_condition"), kwargs.get("condition_parser")
    rest = {key: value for key, value in kwargs.items() if key not in ("row_condition", "condition_parser")}
    if text is None:
        return rest
    if not isinstance(text, str):
        return rest | {"row_condition": text}
    if parser not in PARSERS:
        return rest | {"row_condition": {"type": "pass_through", "pass_through_filter": text}}
    match = _COMPARISON.fullmatch(text)
    return rest | {"row_condition": _object(match)} if match else dict(kwargs)


def columns_of(condition: object) -> Iterator[str]:
    """The columns a condition looks at; one in pandas' words does not say them, see `words_of`."""
    if not isinstance(condition, Mapping):
        return
    column = condition.get("column")
    if isinstance(column, Mapping):
        yield str(column.get("name"))
    for part in condition.get("conditions") or ():
        yield from columns_of(part)


def words_of(condition: object) -> set[str]:
    """Every name in a condition in pandas' words: some are columns."""
    text = condition.get("pass_through_filter", "") if isinstance(condition, Mapping) else ""
    return set(re.findall(r"[A-Za-z_]\w*", str(text)))


def compared(condition: object, column: str, change: Callable[[Any], Any]) -> object:
    """Return a condition in which what `column` is compared with has been passed through `change`."""
    if not isinstance(condition, Mapping):
        return condition
    new = dict(condition)
    if "conditions" in new:
        new["conditions"] = [compared(part, column, change) for part in new["conditions"]]
    about = new.get("column")
    if isinstance(about, Mapping) and about.get("name") == column and "parameter" in new:
        new["parameter"] = change(new["parameter"])
    return new


def _object(match: re.Match[str]) -> dict[str, Any]:
    column = {"name": match["column"]}
    if match["notnull"]:
        return {"type": "nullity", "column": column, "is_null": False}
    value: Any = match["text"]
    if match["number"]:
        value = float(match["number"]) if re.search(r"[.eE]", match["number"]) else int(match["number"])
    return {"type": "comparison", "column": column, "operator": match["operator"], "parameter": value}
