"""Truth: which table of a schema holds the labels of another, guessed from its name and columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from hindsight.errors import ConfigError, did_you_mean
from hindsight.proposals.roles import Guess, guess
from hindsight.proposals.values import one_class
from hindsight.vocabulary.facts import ColumnFacts, TableFacts, snake

MOST_COLUMNS = 12
_IDS = ("request_id", "prediction_id", "inference_id", "event_id", "transaction_id", "record_id")
_NAMED = re.compile(r"label|truth|outcome|actual|feedback|target")


def likely_tables(tables: Mapping[str, Sequence[str]], predictions: str, id: str) -> list[tuple[str, str]]:
    """Return the tables that may hold labels, the likeliest first, each with its column of ids.

    Those that nothing but the column of ids speaks for are last (`is_named_so` tells them).
    """
    stem = predictions.rpartition(".")[2].casefold()
    found = []
    for name, columns in tables.items():
        shared = _shared(columns, id, stem)
        bare = name.rpartition(".")[2].casefold()
        if name == predictions or shared is None or not 2 <= len(columns) <= MOST_COLUMNS:
            continue
        has_label = any(_NAMED.search(column.casefold()) for column in columns if column != shared)
        is_named = _NAMED.search(bare) is not None
        related = bare.startswith(stem) or stem.startswith(bare.split("_")[0])
        likeness = (2 * is_named + has_label + 3 * related) if has_label or is_named else 0
        found.append((-likeness, len(columns), name, shared))
    return [(name, shared) for *_, name, shared in sorted(found)]


def is_named_so(table: TableFacts) -> bool:
    """Whether a table or one of its columns is called as labels are."""
    return any(_NAMED.search(name.casefold()) for name in (table.name.rpartition(".")[2], *table.columns))


def may_be_truth(label: ColumnFacts, prediction: ColumnFacts) -> bool:
    """Whether a column that is not called a label may be one: yes or no, or classes written as the predicted ones."""
    known, held = set(map(one_class, prediction.values)), set(map(one_class, label.values))
    return (prediction.distinct == 2 and label.kind == "boolean") or (bool(held) and held <= known)


def named_table(tables: Mapping[str, Sequence[str]], wanted: str, id: str, predictions: str = "") -> tuple[str, str]:
    """Return the table of labels the user names and its column of ids; raise ConfigError where there is none."""
    if wanted not in tables:
        hint = did_you_mean(wanted, tables) or f"; there are {', '.join(tables) or 'none'}"
        raise ConfigError(f"--labels-table: no such table or view {wanted!r}{hint}")
    shared = _shared(tables[wanted], id, predictions.rpartition(".")[2].casefold())
    if shared is None:
        raise ConfigError(
            f"--labels-table: {wanted} has no column {id!r} to join it by (it has {', '.join(tables[wanted])}); "
            "name the column both tables share with --id, or make a view that has it"
        )
    return wanted, shared


def label_columns(table: TableFacts, id: str, given: Mapping[str, str]) -> tuple[Guess, Guess | None] | None:
    """Return the columns of a table of labels that hold the label and when it arrived; None where none is a label."""
    own = {role: column for role, column in given.items() if role in ("label", "arrived_at")}
    arrived = guess(table, own, "arrived_at", taken=[id]) or _only_time(table, own)
    taken = [id, *([arrived.column] if arrived else [])]
    label = guess(table, own, "label", taken=taken)
    if label is None:
        rest = [c for c in table.columns.values() if c.name not in taken and c.kind not in ("time", "other")]
        yes_or_no = [c for c in rest if c.kind == "boolean"]
        lone = rest if len(rest) == 1 else yes_or_no
        if len(lone) != 1 or "label" in own:
            return None
        label = Guess(lone[0].name, "the only other column" if len(rest) == 1 else "the only yes or no")
    return label, arrived


def _only_time(table: TableFacts, given: Mapping[str, str]) -> Guess | None:
    times = [column.name for column in table.columns.values() if column.kind == "time" and column.known]
    return Guess(times[0], "the only time") if len(times) == 1 and "arrived_at" not in given else None


def _shared(columns: Sequence[str], id: str, stem: str = "") -> str | None:
    """The column of ids: of the same name or, where that is a bare `id`, one of the usual names or `<table>_id`."""
    by_name = {snake(column): column for column in columns}
    of_table = [f"{stem}_id", f"{stem.removesuffix('s')}_id"] if stem else []
    wanted = (id, *of_table, *_IDS) if snake(id) in ("id", "uuid", "guid") else (id,)
    return next((by_name[snake(name)] for name in wanted if snake(name) in by_name), None)
