"""Postfix, Exim and OpenSMTPD as Debian has them, for example.com on loopback; their people are ann and bob."""

from __future__ import annotations

import os
import smtplib
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.surroundings import sandbox
from tests.surroundings.configurations import CONFIGURATIONS, Rules

UNPACKED = Path(os.environ.get("HINDSIGHT_SURROUNDINGS", "/nowhere"))


def skip_unless_fetched() -> None:
    """Skip the whole module that calls this where no servers have been fetched."""
    if not UNPACKED.is_dir():
        why = "HINDSIGHT_SURROUNDINGS names no folder of servers: make surroundings fetches and runs them"
        pytest.skip(why, allow_module_level=True)


@dataclass
class MailServer:
    """One server that can be stopped and started again; what it has delivered and queued outlives it."""

    name: str
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it greets."""
        command = CONFIGURATIONS[self.name].command
        self.process = sandbox.started(command, UNPACKED / self.name, self.folder)
        _until(self._greets, f"{self.name} greets nobody", self._log)

    def stop(self) -> None:
        """Kill it and everything it has started, and wait until nobody listens."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
            _until(lambda: not self._listens(), f"{self.name} still listens", self._log)

    def mailbox(self, person: str) -> list[bytes]:
        """The mails a person has got, as they lie there, once nothing the server has taken waits in its queue."""
        _until(lambda: not self._queued(), f"{self.name} does not deliver", self._log)
        return [path.read_bytes() for path in sorted((self.folder / f"var/home/{person}/Maildir/new").glob("*"))]

    def mails(self, person: str) -> list[EmailMessage]:
        """The same, read."""
        return [message_from_bytes(mail, policy=policy.default) for mail in self.mailbox(person)]

    def offers(self) -> dict[str, str]:
        """What it says it can do in its answer to EHLO."""
        with smtplib.SMTP("127.0.0.1", self.port) as asked:
            asked.ehlo()
            return asked.esmtp_features

    def can_tls(self) -> bool:
        """Whether a handshake after STARTTLS succeeds, whoever vouches for the certificate."""
        lax = ssl.create_default_context()
        lax.check_hostname, lax.verify_mode = False, ssl.CERT_NONE
        with smtplib.SMTP("127.0.0.1", self.port) as asked:
            try:
                asked.starttls(context=lax)
            except ssl.SSLError:
                asked.close()
                return False
        return True

    def _queued(self) -> bool:
        queues = (self.folder / "var" / queue for queue in CONFIGURATIONS[self.name].queues)
        return any(files for queue in queues for _, _, files in os.walk(queue))

    def _listens(self) -> bool:
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", self.port)) == 0

    def _greets(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"{self.name} has ended: {self._log()}"
        with socket.socket() as tried:
            tried.settimeout(5)
            try:
                tried.connect(("127.0.0.1", self.port))
                return tried.recv(3) == b"220"
            except OSError:
                return False

    def _log(self) -> str:
        logs = [self.folder / "log", *(self.folder / "var/log").rglob("*")]
        return "\n".join(log.read_text() for log in logs if log.is_file())[-4000:]


@contextmanager
def a_server(name: str, folder: Path, rules: Rules) -> Iterator[MailServer]:
    """Run a server with these rules in a folder; skip the test where it cannot be run."""
    if not (UNPACKED / name).is_dir():
        pytest.skip(f"{name} could not be fetched: make surroundings says why")
    if why := sandbox.why_not():
        pytest.skip(why)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = CONFIGURATIONS[name]
    sandbox.prepare(folder, made.files(port, rules), made.owners)
    server = MailServer(name, folder, port)
    try:
        server.start()
        yield server
    finally:
        server.stop()


Serve = Callable[[Rules], MailServer]


def _until(holds: Callable[[], bool], otherwise: str, log: Callable[[], str]) -> None:
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until, f"{otherwise}: {log()}"
        time.sleep(0.05)
