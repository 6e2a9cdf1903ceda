"""Roles: which column of an unknown table is the id, the time, the prediction and so on, guessed from name and values.

A guess says why it was made. What the user names is taken as it is, if there is such a column.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from hindsight.errors import ConfigError, did_you_mean
from hindsight.proposals.values import is_status
from hindsight.vocabulary.facts import ColumnFacts, TableFacts, number, snake

NONE = "none"  # what a user writes where a guess is to be dropped
NEEDED = ("timestamp", "id", "prediction")

_NAMES: Mapping[str, tuple[str, ...]] = {
    "timestamp": (
        "predicted_at", "prediction_time", "prediction_timestamp", "prediction_ts", "inference_time",
        "inference_timestamp", "scored_at", "score_time", "requested_at", "request_time", "request_timestamp",
        "timestamp", "ts", "event_time", "event_timestamp", "event_ts", "logged_at", "created_at", "time", "datetime",
        "served_at", "date", "day",
    ),
    "id": (
        "request_id", "prediction_id", "inference_id", "event_id", "transaction_id", "record_id", "row_id", "uuid",
        "guid", "id",
    ),
    "prediction": (
        "prediction", "predicted", "pred", "y_pred", "y_hat", "yhat", "predicted_label", "predicted_class",
        "predicted_value", "prediction_label", "prediction_value", "model_output", "output", "decision", "forecast",
        "estimate",
    ),
    "score": (
        "score", "probability", "proba", "prob", "y_score", "y_proba", "predicted_probability", "predicted_proba",
        "prediction_score", "prediction_probability", "pred_score", "pred_proba", "model_score", "risk_score",
        "confidence",
    ),
    "model_version": ("model_version", "version", "model_ver", "model_tag", "model_revision"),
    "latency_ms": (
        "latency_ms", "latency", "response_time_ms", "response_ms", "duration_ms", "elapsed_ms", "inference_ms",
        "inference_time_ms", "took_ms", "response_time",
    ),
    "status_code": ("status_code", "http_status", "http_status_code", "response_code", "response_status", "status"),
    "cost": ("cost", "cost_usd", "cost_eur", "inference_cost", "prediction_cost", "request_cost", "compute_cost"),
    "label": (
        "label", "true_label", "ground_truth", "y_true", "target", "actual", "actual_label", "actual_value", "truth",
        "true_value", "true_class", "observed", "outcome", "actual_class", "y",
    ),
    "arrived_at": (
        "labeled_at", "labelled_at", "label_time", "label_timestamp", "label_ts", "arrived_at", "arrived",
        "received_at", "confirmed_at", "resolved_at", "observed_at", "settled_at", "recorded_at", "created_at",
        "inserted_at", "loaded_at", "updated_at", "timestamp", "ts",
    ),
}  # fmt: skip
_OF_LABELS = re.compile(r"label|truth|actual|outcome|confirm|settle|resol")
_OF_NO_EVENT = re.compile(r"birth|dob|expir|valid_|updated|modified|deleted|since|until|due")


@dataclass(frozen=True, slots=True)
class Guess:
    """A column for a role and why; `given` where the user said so."""

    column: str
    why: str
    given: bool = False


Roles = dict[str, Guess]


def guess(table: TableFacts, given: Mapping[str, str], role: str, taken: Iterable[str] = ()) -> Guess | None:
    """Return the column most likely to have a role, None where none is likely; columns in `taken` have another.

    Raises ConfigError where the user names a column that is not there.
    """
    if named := given.get(role):
        return None if named == NONE and role not in NEEDED else Guess(_there(table, named, role), "you said so", True)
    free = [column for column in table.columns.values() if column.name not in {*taken, *given.values()}]
    return next(_candidates(free, role), None)


def guess_all(table: TableFacts, given: Mapping[str, str]) -> Roles:
    """Guess every role of a table of predictions; raise ConfigError where one that is needed is not to be found."""
    found: Roles = {}
    for role in _NAMES:
        if role == "arrived_at" and "label" not in found and "arrived_at" not in given:
            continue
        one = guess(table, given, role, taken=[known.column for known in found.values()])
        if one is not None:
            found[role] = one
    missing = [role for role in NEEDED if role not in found]
    if missing:
        raise ConfigError("\n".join(lacking(table, role) for role in missing))
    return found


def lacking(table: TableFacts, role: str) -> str:
    """Say that no column looks like a role that is needed, which columns there are, and how to name one."""
    wanted = {
        "timestamp": "no column holds the date and time of the prediction",
        "id": "no column tells the rows apart",
        "prediction": "no column is called like a prediction",
    }[role]
    listed = ", ".join(f"{column.name} ({column.type})" for column in list(table.columns.values())[:40])
    more = f" and {len(table.columns) - 40} more" if len(table.columns) > 40 else ""
    unreadable = f"; of no use to a monitor file: {', '.join(map(repr, table.unnameable))}" if table.unnameable else ""
    hint = "; times kept as text or numbers need a view that converts them" if role == "timestamp" else ""
    empty = "; the table is empty" if not table.looked_at else ""
    return (
        f"{table.name}: {wanted}{empty} - name it with --{role} COLUMN{hint}; "
        f"the columns are {listed or 'none'}{more}{unreadable}"
    )


def _there(table: TableFacts, column: str, role: str) -> str:
    if column in table.columns:
        return column
    option = f"--{role.replace('_', '-')}"
    if column in table.unnameable:
        raise ConfigError(
            f"{option} {column!r}: a monitor file takes names of letters a to z, digits and _; rename it in a view"
        )
    hint = did_you_mean(column, table.columns) or f"; it has {', '.join(list(table.columns)[:40]) or 'none'}"
    raise ConfigError(f"{option}: {table.name} has no column {column!r}{hint}")


def _candidates(free: list[ColumnFacts], role: str) -> Iterator[Guess]:
    """Yield guesses, the best first: by well-known name, then by what a role allows besides."""
    fits = _FITS[role]
    by_name = {snake(column.name): column for column in free if fits(column)}
    for name in _NAMES[role]:
        if name in by_name:
            yield Guess(by_name[name].name, f"by its name{_described(by_name[name], role)}")
    yield from _OTHERWISE.get(role, _nothing)([column for column in free if fits(column)])


def _described(column: ColumnFacts, role: str) -> str:
    if role == "id":
        return f", unique in {column.known:,} rows" if column.known else ""
    if role in ("label", "prediction", "model_version") and 0 < column.distinct <= 20:
        return f", {column.distinct} value{'s' * (column.distinct != 1)}"
    if role in ("score", "latency_ms", "cost", "status_code") and column.range:
        return f", {number(column.range[0])} to {number(column.range[1])}"
    return ""


def _nothing(columns: list[ColumnFacts]) -> Iterator[Guess]:
    yield from ()


def _any_time(columns: list[ColumnFacts]) -> Iterator[Guess]:
    plain = [c for c in columns if not (_OF_LABELS.search(c.name.casefold()) or _OF_NO_EVENT.search(c.name.casefold()))]
    for column in sorted(plain, key=lambda column: (column.nulls, -column.distinct)):
        yield Guess(column.name, f"holds times ({column.type})")


def _any_unique(columns: list[ColumnFacts]) -> Iterator[Guess]:
    called = [c for c in columns if re.search(r"(^|_)(id|uuid|guid|key|no|number|ref)$|[a-z]I[dD]$", c.name)]
    texts = [column for column in columns if column.kind == "text" and column not in called]
    for column in (*called, *texts):
        yield Guess(column.name, f"unique in {column.known:,} rows")


def _called_like_a_prediction(columns: list[ColumnFacts]) -> Iterator[Guess]:
    for column in columns:
        if re.search(r"(^|_)(pred|predicted|prediction|yhat|forecast)", snake(column.name)):
            yield Guess(column.name, "called like a prediction")


def _called_like_a_score(columns: list[ColumnFacts]) -> Iterator[Guess]:
    for column in columns:
        if re.search(r"(^|_)(prob|proba|probability)$", snake(column.name)):
            yield Guess(column.name, "called like a probability")


def _only_status_codes(columns: list[ColumnFacts]) -> Iterator[Guess]:
    for column in filter(is_status, columns):
        yield Guess(column.name, f"holds status codes of HTTP{_described(column, 'status_code')}")


def _called_like_a_label(columns: list[ColumnFacts]) -> Iterator[Guess]:
    for column in columns:
        if _OF_LABELS.search(snake(column.name)):
            yield Guess(column.name, "a time, called like a label")


def _within(column: ColumnFacts, low: float, high: float) -> bool:
    return column.is_number and column.range is not None and low <= column.range[0] and column.range[1] <= high


_FITS: Mapping[str, Callable[[ColumnFacts], bool]] = {
    "timestamp": lambda column: column.kind == "time" and column.known > 0,
    "id": lambda column: column.kind in ("integer", "text") and (column.is_unique or not column.rows),
    "prediction": lambda column: column.kind in ("integer", "fraction", "boolean", "text"),
    "score": lambda column: _within(column, 0.0, 1.0),
    "model_version": lambda column: column.kind in ("integer", "fraction", "text") and 0 < column.distinct <= 100,
    "latency_ms": lambda column: _within(column, 0.0, float("inf")),
    "status_code": lambda column: _within(column, 100, 599) and column.is_whole,
    "cost": lambda column: _within(column, 0.0, float("inf")),
    "label": lambda column: column.kind in ("integer", "fraction", "boolean", "text") and column.known > 0,
    "arrived_at": lambda column: column.kind == "time" and column.known > 0,
}
_OTHERWISE: Mapping[str, Callable[[list[ColumnFacts]], Iterator[Guess]]] = {
    "timestamp": _any_time,
    "id": _any_unique,
    "prediction": _called_like_a_prediction,
    "score": _called_like_a_score,
    "status_code": _only_status_codes,
    "arrived_at": _called_like_a_label,
}
