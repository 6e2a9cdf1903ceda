"""The edges of the process, counted: every moment at which it asks the disk, a database or a server for something.

At the n-th such moment the process is killed, or what was asked for fails as the real thing does: the disk says EIO,
the database breaks off, the connection to the server is gone. What is written when it is killed is half written.
"""

from __future__ import annotations

import asyncio
import errno
import http.client
import os
import signal
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, NoReturn

import sqlalchemy as sa
from aiosmtplib.protocol import SMTPProtocol

from hindsight.snapshots import local

ON_DISK = {"link": "store link", "mkdir": "store mkdir", "unlink": "store delete", "fsync": "store sync"}


@dataclass
class Edges:
    """What was asked for so far, in order, and which of it fails; `fail_at` counts from 0, None is never."""

    fail_at: int | None = None
    killing: bool = True
    seen: list[str] = field(default_factory=list)

    def fails(self, operation: str, half_done: Callable[[], object] = lambda: None) -> bool:
        """Count an operation; True where it is to fail, which a process that is killed does not live to see."""
        self.seen.append(operation)
        if self.fail_at != len(self.seen) - 1:
            return False
        half_done()
        if self.killing:
            os.kill(os.getpid(), signal.SIGKILL)
        return True


def watch(edges: Edges, ledger: sa.Engine, warehouse: sa.Engine) -> None:
    """Count from now on what this process asks for; only a process that ends soon may be watched."""
    _watch_database(edges, ledger, "ledger")
    _watch_database(edges, warehouse, "warehouse")
    _watch_store(edges)
    _watch_mail(edges)
    _watch_channels(edges)


def _watch_database(edges: Edges, engine: sa.Engine, name: str) -> None:
    def statement(_connection: Any, _cursor: Any, text: str, *_rest: Any) -> None:
        if edges.fails(f"{name} {_verb(text)}"):
            _break_off(text)

    def commit(connection: sa.Connection) -> None:
        is_reading = connection.get_execution_options().get("reading", False)
        if not is_reading and edges.fails(f"{name} commit"):
            _break_off("COMMIT")

    def connect(*_: Any) -> None:
        if edges.fails(f"{name} connect"):
            raise sqlite3.OperationalError("unable to open database file")

    sa.event.listen(engine, "before_cursor_execute", statement)
    sa.event.listen(engine, "commit", commit)
    sa.event.listen(engine, "do_connect", connect)


def _verb(statement: str) -> str:
    verb = statement.split(maxsplit=1)[0].lower()
    return {"insert": "write", "update": "write", "delete": "write", "begin": "begin"}.get(verb, "read")


def _break_off(statement: str) -> NoReturn:
    raise sa.exc.OperationalError(statement, None, sqlite3.OperationalError("disk I/O error"))


def _watch_store(edges: Edges) -> None:
    """Stand before the functions of the system that the local store calls, and before no other caller of them."""

    def asked(operation: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **rest: Any) -> Any:
            if edges.fails(operation):
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return call(*args, **rest)

        return counted

    def opened(path: str, mode: str) -> Any:
        if edges.fails("store create" if "x" in mode else "store read"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return _Torn(open(path, mode), edges)  # the store closes it

    changed = {name: asked(operation, getattr(os, name)) for name, operation in ON_DISK.items()}
    local.os = SimpleNamespace(**{**vars(os), **changed})  # type: ignore[attr-defined]
    local.open = opened  # type: ignore[attr-defined]


class _Torn:
    """An open file, of which a write that fails leaves half."""

    def __init__(self, file: Any, edges: Edges) -> None:
        self._file, self._edges = file, edges

    def __enter__(self) -> _Torn:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: bytes) -> int:
        def half() -> None:
            self._file.write(data[: len(data) // 2])
            self._file.flush()

        if self._edges.fails("store write", half):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return int(self._file.write(data))


def _watch_mail(edges: Edges) -> None:
    """Stand before each command to the mail server and before each of its answers; a failure hangs up for real."""
    connect, write, answer = asyncio.BaseEventLoop.create_connection, SMTPProtocol.write, SMTPProtocol.read_response

    async def connecting(*args: Any, **rest: Any) -> Any:
        if edges.fails("mail connect"):
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        return await connect(*args, **rest)

    def writing(protocol: SMTPProtocol, data: bytes) -> None:
        if edges.fails("mail send"):
            _hang_up(protocol)
        write(protocol, data)

    async def answering(protocol: SMTPProtocol, *args: Any, **rest: Any) -> Any:
        if edges.fails("mail answer"):
            _hang_up(protocol)
        return await answer(protocol, *args, **rest)

    asyncio.BaseEventLoop.create_connection = connecting  # type: ignore[method-assign]
    SMTPProtocol.write, SMTPProtocol.read_response = writing, answering  # type: ignore[method-assign]


def _hang_up(protocol: SMTPProtocol) -> None:
    assert isinstance(protocol.transport, asyncio.WriteTransport)
    protocol.transport.abort()


def _watch_channels(edges: Edges) -> None:
    """Stand before what is posted to a channel and before the answer to it."""
    send, answer = http.client.HTTPConnection.send, http.client.HTTPConnection.getresponse

    def sending(connection: http.client.HTTPConnection, data: Any) -> None:
        if edges.fails("channel send"):
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        send(connection, data)

    def answering(connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
        if edges.fails("channel answer"):
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        return answer(connection)

    http.client.HTTPConnection.send = sending  # type: ignore[method-assign]
    http.client.HTTPConnection.getresponse = answering  # type: ignore[method-assign]
