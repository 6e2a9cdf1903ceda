"""Features: what a column that has no role is: a number, a category, something personal, or nothing a model reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_interface
from typing import Literal

from hindsight.vocabulary.facts import ColumnFacts, number, snake

MOST_CATEGORIES = 500  # a text of more values than this, or of more than a fifth of its rows, names single things
STANDINS = {-1.0, -9.0, -99.0, -999.0, -9999.0, -99999.0}
FLAGS, CODES, MANY = 2, 20, 1000

_PERSONAL = re.compile(
    r"(^|_)(e_?mail|phone|telephone|mobile_number|msisdn|fax|ssn|social_security|passport|iban|card_number|pan|"
    r"ip|ip_addr|ip_address|ipv4|ipv6|mac_address|first_?name|last_?name|full_?name|sur_?name|given_?name|family_?name|"
    r"(user|customer|client|patient|person|holder|contact|employee|driver|owner|billing|shipping)_?name|nick_?name|"
    r"maiden_name|street|home_address|postal_address|address_line_?\d?|date_of_birth|birth_?date|birthday|dob|"
    r"national_id|tax_id|driving_licen[cs]e)(_|$)|^(name|address)$"
)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")
_PHONE = re.compile(r"(\+|00(?=[1-9]))[\d ()/.-]{7,20}|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}")
_DATE = re.compile(r"(\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{4})([T ]\d{1,2}:.*)?")
_OF_THINGS = re.compile(r"(^|_)(id|uuid|guid|key|hash|sha|md5|token|session|trace|span|url|uri|path)$")
_CODED = re.compile(
    r"(^|_)(type|code|class|category|kind|group|segment|channel|zone|cluster|bucket|status|flag|is|has|region|country)"
    r"(_|$)"
)
_GROUPING = re.compile(r"(^|_)(region|country|market|segment|channel|platform|device|tier|plan|product|hotel|store)")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a column is, and why."""

    kind: Literal["numeric", "categorical", "personal", "left out"]
    why: str


def personal(column: ColumnFacts) -> str:
    """Return why a column looks as if it told who somebody is, "" where it does not."""
    if _PERSONAL.search(snake(column.name)):
        return "by its name"
    texts = [value.strip() for value, _ in column.common if isinstance(value, str)]
    for what, looks_so in _LOOKS.items():
        if texts and sum(looks_so(text) for text in texts) >= 0.8 * len(texts):
            return f"holds {what}"
    return ""


def _is_ip(text: str) -> bool:
    try:
        ip_interface(text)
    except ValueError:
        return False
    return True


def finding(column: ColumnFacts) -> Finding:
    """Say what a column without a role is to a monitor."""
    if why := personal(column):
        return Finding("personal", why)
    if not column.known:
        return Finding("left out", "null in every row")
    if column.kind == "time":
        return Finding("left out", "a time")
    if column.is_time_of_day:
        return Finding("left out", "a time of day without a date")
    if column.kind == "other":
        return Finding("left out", f"of type {column.type}")
    if _OF_THINGS.search(snake(column.name)) and column.distinct > CODES:
        return Finding("left out", f"an id or address: {column.distinct:,} values in {column.known:,} rows")
    return _text(column) if column.kind == "text" else _number(column)


def best_segment(columns: Iterable[ColumnFacts], rows_a_window: float) -> tuple[ColumnFacts, float] | None:
    """Return the category that splits the rows into two to eight groups worth a look each, and its smallest share."""
    found = []
    for column in columns:
        counts = [count for _, count in column.common]
        if 2 <= column.distinct <= 8 and column.known and len(counts) == column.distinct:
            smallest = min(counts) / column.known
            if smallest * rows_a_window >= 20 and smallest >= 0.01:
                found.append((not _GROUPING.search(snake(column.name)), -smallest, column.name, column, smallest))
    return min(found)[3:] if found else None


def seen(column: ColumnFacts) -> str:
    """Say in a few words what a column holds; no value of it, but the range of a number."""
    parts = []
    if column.range:
        parts.append(f"{number(column.range[0])} to {number(column.range[1])}")
    if column.distinct == 1:
        parts.append("one value in all rows looked at")
    elif column.distinct <= CODES or column.kind == "text":
        parts.append(f"{column.distinct:,} values")
    if column.nulls:
        parts.append(f"{100 * column.null_share:.2g} % null")
    if column.early_distinct <= 1 < column.distinct:
        parts.append(f"CHECK: {'one value' if column.early_distinct else 'null'} in all of the first third of the time")
    if column.range and column.range[0] in STANDINS and column.quantiles[0.25] >= 0:
        parts.append(f"CHECK: does {number(column.range[0])} stand for unknown?")
    return ", ".join(parts)


def _text(column: ColumnFacts) -> Finding:
    texts = [str(value).strip() for value, _ in column.common]
    if texts and sum(_DATE.fullmatch(text) is not None for text in texts) >= 0.8 * len(texts):
        return Finding("left out", "dates kept as text")
    if column.distinct > MOST_CATEGORIES or column.distinct > max(CODES, column.known / 5):
        if all(_is_number(value) for value, _ in column.common):
            return Finding("numeric", f"text that holds numbers; {seen(column)}")
        return Finding("left out", f"names or free text: {column.distinct:,} values in {column.known:,} rows")
    return Finding("categorical", seen(column))


def _number(column: ColumnFacts) -> Finding:
    if column.kind == "boolean" or (column.is_whole and column.distinct <= FLAGS and column.distinct > 1):
        return Finding("categorical", seen(column))
    if column.kind == "integer" and column.distinct <= CODES and _CODED.search(snake(column.name)):
        return Finding("categorical", f"called like a code; {seen(column)}")
    if column.kind == "integer" and column.is_unique and column.known > MANY:
        return Finding("left out", f"another value in every row of {column.known:,}")
    return Finding("numeric", seen(column))


def _is_number(value: object) -> bool:
    try:
        return bool(str(value).strip()) and abs(float(str(value))) < float("inf")
    except ValueError:
        return False


_LOOKS: Mapping[str, Callable[[str], bool]] = {
    "e-mail addresses": lambda text: _EMAIL.fullmatch(text) is not None,
    "telephone numbers": lambda text: _PHONE.fullmatch(text) is not None,
    "IP addresses": _is_ip,
}
