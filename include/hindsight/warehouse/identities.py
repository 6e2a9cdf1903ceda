"""Identities: labels that belong to no prediction because the two tables write the same id in two ways.

It is proved by looking the ids up as the other table would write them; only ids that match nothing as they are count.
Ids are held in memory here and never kept: what may be shown of them is for the caller to decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import pyarrow as pa
import sqlalchemy as sa

from hindsight.monitors.model import Monitor
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.connect import reading
from hindsight.warehouse.labels import alike, arrived_in, declared_labels, label_tables, same_id, there_is
from hindsight.warehouse.predictions import logged_in
from hindsight.warehouse.relations import Relation
from hindsight.warehouse.spelling import Spelling, difference, respelt

ASKED, AT_ONCE = 200, 500  # more ids prove no more
ALONE = 0.9  # of the newest labels without a prediction: only then is another prefix a sign that these are meant


@dataclass(frozen=True, slots=True)
class Unmatched:
    """The newest labels at a moment: how many were `asked` for, the `ids` of those without a prediction, and `proved`:
    how many of these are found among the predictions without a label (some of which are `waiting`) once they are
    written as those are.
    """

    asked: int = 0
    ids: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    proved: int = 0
    labels: Spelling = field(default_factory=Spelling)
    predictions: Spelling = field(default_factory=Spelling)

    @property
    def share(self) -> float:
        """Those without a prediction among the newest labels."""
        return len(self.ids) / self.asked if self.asked else 0.0

    def difference(self, *, personal: bool) -> str:
        """How the two tables write their ids, where it differs; no part of one where they are personal."""
        return difference(self.labels, self.predictions, personal=personal)


@dataclass(frozen=True, slots=True)
class Respelt:
    """Of `asked` predictions without a label those that have one under another spelling: their id and the label's."""

    asked: int
    pairs: tuple[tuple[str, str], ...]


def newest_unmatched(engine: sa.Engine, monitor: Monitor, as_of: datetime) -> Unmatched:
    """Look at the newest labels known at `as_of`, at most 200, and at what becomes of those without a prediction.

    Labels and predictions count that came in the time in which a window matures. Errors as for `labels.labelled`.
    """
    with reading(engine, monitor.source.connection), engine.connect() as connection:
        pair = label_tables(engine, monitor)
        newest = _newest(connection, monitor, pair, as_of)
        ids = tuple(id for id, has_prediction in newest.items() if not has_prediction)
        if not ids:
            return Unmatched(len(newest))
        waiting = _unlabelled(connection, monitor, pair, Window(_since(monitor, as_of), as_of), as_of)
        found = Unmatched(len(newest), ids, tuple(waiting), 0, Spelling.of(ids), Spelling.of(waiting))
        forwards = _looked_up(
            connection,
            (pair[0], monitor.source.predictions.id),
            ids,
            found.labels,
            found.predictions,
            ~_has_label(monitor, pair, as_of),
            found.share,
        )
        backwards = _found(connection, monitor, pair, waiting, found, None, as_of)
    return replace(found, proved=max(len(forwards), len(backwards)))


def respelt_labels(
    engine: sa.Engine,
    monitor: Monitor,
    window: Window,
    known: Unmatched,
    *,
    since: datetime | None,
    until: datetime,
) -> Respelt:
    """Ask for up to 200 predictions of a window that lack a label whether one came in [since, until) under another
    spelling, and for no other prediction; errors as for `labels.labelled`.
    """
    with reading(engine, monitor.source.connection), engine.connect() as connection:
        pair = label_tables(engine, monitor)
        ids = _unlabelled(connection, monitor, pair, window, until)
        found = _found(connection, monitor, pair, ids, known, since, until)
    return Respelt(len(ids), tuple(found.items()))


def _found(
    connection: sa.Connection,
    monitor: Monitor,
    pair: tuple[Relation, Relation],
    ids: Sequence[str],
    known: Unmatched,
    since: datetime | None,
    until: datetime,
) -> dict[str, str]:
    """Return of these ids of predictions those that a label in [since, until) has which belongs to no other."""
    orphan = sa.and_(arrived_in(monitor, pair[1], since, until), ~_has_prediction(monitor, pair))
    return _looked_up(
        connection, (pair[1], declared_labels(monitor).id), ids, Spelling.of(ids), known.labels, orphan, known.share
    )


def _since(monitor: Monitor, as_of: datetime) -> datetime:
    """The start of the oldest window whose labels are still awaited."""
    return as_of - monitor.labels.matures_after - 2 * monitor.window


def _newest(
    connection: sa.Connection, monitor: Monitor, pair: tuple[Relation, Relation], as_of: datetime
) -> dict[str, bool]:
    """Return the ids of the newest labels, and whether each is that of a prediction."""
    id, arrived_at = _their_id(monitor, pair), declared_labels(monitor).arrived_at
    order = [pair[1].table.c[arrived_at].desc(), id] if arrived_at else [id.desc()]
    known = (arrived_in(monitor, pair[1], _since(monitor, as_of), as_of), id.is_not(None))
    columns = (id.label("id"), _shown(pair[1], id).label("shown"))
    newest = sa.select(*columns).where(*known).order_by(*order).limit(ASKED).subquery()
    predicted = there_is(pair[0], alike(pair[0].dialect, _our_id(monitor, pair), newest.c.id))
    asked = sa.select(newest.c.shown, sa.case((predicted, 1), else_=0))  # not every database selects a condition
    return {str(one): bool(has) for one, has in connection.execute(asked)}


def _unlabelled(
    connection: sa.Connection,
    monitor: Monitor,
    pair: tuple[Relation, Relation],
    window: Window,
    as_of: datetime,
) -> list[str]:
    id = _our_id(monitor, pair)
    where = (logged_in(monitor, pair[0], window), id.is_not(None), ~_has_label(monitor, pair, as_of))
    chosen = sa.select(_shown(pair[0], id)).where(*where).order_by(id).limit(ASKED)
    return list(dict.fromkeys(map(str, connection.execute(chosen).scalars())))


def _looked_up(
    connection: sa.Connection,
    place: tuple[Relation, str],
    ids: Sequence[str],
    own: Spelling,
    other: Spelling,
    where: sa.ColumnElement[bool],
    share: float,
) -> dict[str, str]:
    """Return of these ids those that the column has under another spelling, in rows that `where` holds for."""
    spellings = {id: respelt(id, own, other, affixes=share >= ALONE) for id in ids}
    there = _written_in(connection, place, {text for some in spellings.values() for text in some}, where)
    found = {id: next((text for text in some if text in there), None) for id, some in spellings.items()}
    return {id: text for id, text in found.items() if text is not None}


def _written_in(
    connection: sa.Connection,
    place: tuple[Relation, str],
    texts: Iterable[str],
    where: sa.ColumnElement[bool],
) -> set[str]:
    """Return which of the texts the column holds, each written as the column writes it."""
    relation, name = place
    key, read = _comparable(relation.table.c[name])
    shown = _shown(relation, key)
    wanted = {value for text in sorted(texts) if (value := read(text)) is not None}
    found: set[str] = set()
    ordered = sorted(wanted, key=str)
    for start in range(0, len(ordered), AT_ONCE):
        asked = sa.select(shown).where(key.in_(ordered[start : start + AT_ONCE]), where)  # found by the index
        by_code_points = asked.group_by(relation.dialect.exact(key), shown)
        found |= {str(value) for value in connection.execute(by_code_points).scalars()}
    return found


def _shown(relation: Relation, id: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """An id of the relation as its text is read, without the padding of CHAR(n); one that is a number stays one."""
    expression, kind = relation.dialect.readable(id)
    return expression if kind == pa.string() else id


def _comparable(column: sa.ColumnElement[Any]) -> tuple[sa.ColumnElement[Any], Callable[[str], object]]:
    """Return the column, and how a text is written so that an index on it can find it; None where it cannot be there.

    Numbers with a fraction and whatever else is no text are compared as text, as `same_id` does.
    """
    if isinstance(column.type, sa.Integer):
        return column, lambda text: int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None
    if isinstance(column.type, sa.Uuid):
        return column, _uuid
    if isinstance(column.type, sa.String):
        return column, lambda text: text
    return sa.cast(column, sa.Text()), lambda text: text


def _uuid(text: str) -> UUID | None:
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text else None


def _our_id(monitor: Monitor, pair: tuple[Relation, Relation]) -> sa.ColumnElement[Any]:
    return pair[0].table.c[monitor.source.predictions.id]


def _their_id(monitor: Monitor, pair: tuple[Relation, Relation]) -> sa.ColumnElement[Any]:
    return pair[1].table.c[declared_labels(monitor).id]


def _has_label(monitor: Monitor, pair: tuple[Relation, Relation], as_of: datetime) -> sa.ColumnElement[bool]:
    known = arrived_in(monitor, pair[1], None, as_of)
    return there_is(pair[1], same_id(monitor, *pair), known)


def _has_prediction(monitor: Monitor, pair: tuple[Relation, Relation]) -> sa.ColumnElement[bool]:
    return there_is(pair[0], same_id(monitor, *pair))
