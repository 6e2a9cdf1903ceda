"""Mailbox: an SMTP server on loopback that keeps what it gets, and a page to look at it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import escape
from pathlib import Path
from typing import Any

_PAGE = """<!doctype html><meta charset="utf-8"><title>Mailbox of the demo</title>
<style>body{{font:15px/1.5 system-ui;max-width:60rem;margin:2rem auto}}pre{{white-space:pre-wrap}}
summary{{cursor:pointer}}small{{color:#666}}details{{border-bottom:1px solid #ddd;padding:.5rem 0}}</style>
<h1>{n} mails</h1>
{mails}
"""
_MAIL = (
    "<details><summary>{subject} <small>{to}, {date}</small></summary>"
    "<pre>{text}</pre><a href='{file}'>{file}</a></details>"
)


class _Keeper:
    """What aiosmtpd calls for each mail."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 aiosmtpd's name
        keep(self.folder, envelope.content)
        return "250 kept"


@contextmanager
def serving(folder: Path, port: int = 1025) -> Iterator[int]:
    """Take mail on loopback, at `port` or the next that is free, until the block ends; yield the port."""
    from aiosmtpd.controller import Controller

    folder.mkdir(parents=True, exist_ok=True)
    write_page(folder)
    taken = free_port(port)
    server = Controller(_Keeper(folder), hostname="127.0.0.1", port=taken)
    server.start()
    try:
        yield taken
    finally:
        server.stop()


def keep(folder: Path, content: bytes) -> Path:
    """Write one mail to the folder and the page anew; return its file."""
    path = folder / f"{len(list(folder.glob('*.eml'))) + 1:04d}.eml"
    path.write_bytes(content)
    write_page(folder)
    return path


def mails(folder: Path) -> list[tuple[Path, EmailMessage]]:
    """Return every kept mail with its file, in the order they came."""
    return [(path, _parse(path)) for path in sorted(folder.glob("*.eml"))]


def _parse(path: Path) -> EmailMessage:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    if not isinstance(message, EmailMessage):
        raise TypeError(f"{path} is not a mail")
    return message


def write_page(folder: Path) -> None:
    """Write index.html: every mail with its plain text; nothing a mail says is taken for HTML."""
    items = [
        _MAIL.format(
            subject=escape(str(mail["Subject"]).strip()),
            to=escape(str(mail["To"])),
            date=escape(str(mail["Date"])),
            text=escape(_text(mail)),
            file=path.name,
        )
        for path, mail in reversed(mails(folder))
    ]
    (folder / "index.html").write_text(_PAGE.format(n=len(items), mails="\n".join(items)))


def _text(mail: EmailMessage) -> str:
    part = mail.get_body(preferencelist=("plain",))
    return "" if part is None else str(part.get_content())


def free_port(first: int) -> int:
    """Return the first port from `first` on that nobody listens on at loopback."""
    for port in range(first, first + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port from {first} to {first + 99} on 127.0.0.1")
