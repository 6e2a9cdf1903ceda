"""The pydantic base and the small types of which a monitor file is built: nothing unknown, nothing guessed."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from hindsight.vocabulary.windows import parse_duration, parse_moment


class Strict(BaseModel):
    """A frozen model that refuses unknown keys, coerced types and NaN."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, populate_by_name=True, protected_namespaces=()
    )


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _longer_than_zero(value: timedelta) -> timedelta:
    if value > timedelta(0):
        return value
    raise ValueError("expected a duration longer than zero")


def _moment(value: object) -> object:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return parse_moment(value) if isinstance(value, str) else value


def as_tuple(value: object) -> object:
    """Turn a YAML list into the tuple a frozen model holds; leave anything else for validation to judge."""
    return tuple(value) if isinstance(value, list) else value


def one_or_more(value: object) -> object:
    """Turn a single text, too, into the tuple a frozen model holds."""
    return (value,) if isinstance(value, str) else as_tuple(value)


def _identifier(value: str) -> str:
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}(\.[A-Za-z_][A-Za-z0-9_]{0,62})?", value):
        return value
    raise ValueError(f"expected a table or column name of letters a to z, digits and _, got {value!r}")


def _kpi_column(value: str) -> str:
    table, dot, column = value.partition(".")
    if dot and table not in ("labels", "predictions"):
        raise ValueError(f"expected a column, labels.<column> or predictions.<column>, got {value!r}")
    return _identifier(value) if not dot else f"{table}.{_column(column)}"


def _column(value: str) -> str:
    if "." in value:
        raise ValueError(f"expected a column name without a dot, got {value!r}")
    return _identifier(value)


def no_link(text: str) -> str:
    """Say why a text is no link that is safe to show, or "" where it is one."""
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.netloc) and text.isprintable() and " " not in text
    except ValueError:
        good = False
    return "" if good else f"expected a link that starts with https:// or http://, found {text!r}"


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Table = Annotated[str, AfterValidator(_identifier)]
Column = Annotated[str, AfterValidator(_column)]
KpiColumn = Annotated[str, AfterValidator(_kpi_column)]
Delay = Annotated[
    timedelta,
    BeforeValidator(_duration, json_schema_input_type=Annotated[str, Field(pattern=r"^(0|[1-9]\d{0,4})[mhd]$")]),
]
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration, json_schema_input_type=Annotated[str, Field(pattern=r"^[1-9]\d{0,4}[mhd]$")]),
    AfterValidator(_longer_than_zero),
]
Moment = Annotated[
    datetime, BeforeValidator(_moment, json_schema_input_type=Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d")])
]
Columns = Annotated[tuple[Column, ...], BeforeValidator(as_tuple)]
Names = Annotated[tuple[Name, ...], BeforeValidator(as_tuple)]
AnyNames = Annotated[
    tuple[Name, ...],
    BeforeValidator(one_or_more, json_schema_input_type=Name | Annotated[list[Name], Field(min_length=1)]),
]
Tag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,62}$")]
Tags = Annotated[tuple[Tag, ...], BeforeValidator(as_tuple)]
Texts = Annotated[tuple[str, ...], BeforeValidator(as_tuple)]
Dotted = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$")]
Dotteds = Annotated[tuple[Dotted, ...], BeforeValidator(as_tuple)]
Share = Annotated[float, Field(ge=0, le=1)]
