"""Pool: connections that are closed as soon as they are given back, but within `lending`, where one serves all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.pool import ConnectionPoolEntry


class Closable(Protocol):
    """A connection of any driver."""

    def close(self) -> object:
        """Close it."""


Lent = TypeVar("Lent", bound=Closable)


class LendingPool(sa.NullPool):
    """Holds no connection that nobody works with: a warehouse is read for seconds a day, and DuckDB locks its file."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._borrowers = 0
        self._idle: list[ConnectionPoolEntry] = []
        self._others: dict[str, Any] = {}

    @contextmanager
    def lending(self) -> Iterator[None]:
        """Within it, also from further inside, what is given back is kept for the next one who asks."""
        self._borrowers += 1
        try:
            yield
        finally:
            self._borrowers -= 1
            if not self._borrowers:
                self._close_all()

    @contextmanager
    def other(self, key: str, opened: Callable[[], Lent], works: Callable[[Lent], bool]) -> Iterator[Lent]:
        """A connection of another driver, lent as SQLAlchemy's are; one that was not read to its end is closed."""
        connection = self._others.pop(key, None)
        if connection is None or not works(connection):
            connection = opened()
        try:
            yield connection
        except BaseException:  # GeneratorExit too: the rest of an answer is still under way
            connection.close()
            raise
        if self._borrowers and key not in self._others:
            self._others[key] = connection
        else:
            connection.close()

    def _close_all(self) -> None:
        for connection in (*self._others.values(), *self._idle):
            connection.close()
        self._others.clear()
        self._idle.clear()

    def _do_get(self) -> ConnectionPoolEntry:
        return self._idle.pop() if self._idle else super()._do_get()

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        if self._borrowers:
            self._idle.append(record)
        else:
            super()._do_return_conn(record)
