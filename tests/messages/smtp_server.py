"""A real SMTP server on loopback that answers as a test has scripted, and keeps what it accepted."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Session

DROP, SILENT, DRIP = "drop", "silent", "drip"  # close the connection; never answer; answer without an end


@dataclass
class Script:
    """What to answer: per command a list used up one by one, `None` or nothing left = as a good server would.

    Commands are CONNECT, EHLO, AUTH, MAIL, RCPT, DATA (before the text), DOT (after it), QUIT. `always` answers what
    no list does. `names` are those given in EHLO, `recipients` those in RCPT; `size` is the largest mail taken.
    """

    answers: dict[str, list[str | None]] = field(default_factory=dict)
    always: dict[str, str] = field(default_factory=dict)
    accepted: list[EmailMessage] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    size: int | None = None
    login: tuple[str, str] | None = None

    def next(self, command: str) -> str | None:
        self.commands.append(command)
        answers = self.answers.get(command, [])
        return answers.pop(0) if answers else self.always.get(command)


class ScriptedSMTP(SMTP):
    """aiosmtpd with the script asked first."""

    script: Script

    async def _scripted(self, command: str) -> bool:
        answer = self.script.next(command)
        if answer is None:
            return False
        if answer == SILENT:
            await asyncio.sleep(3600)
        while answer == DRIP:
            await self.push("250-more")
            await asyncio.sleep(0.05)
        if answer != DROP:
            await self.push(answer)
        if answer == DROP or answer.startswith("421"):
            self.transport.close()
        return True

    async def _handle_client(self) -> None:
        if not await self._scripted("CONNECT"):
            await super()._handle_client()

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802
        self.script.names.append(hostname)
        if not await self._scripted("EHLO"):
            await super().smtp_EHLO(hostname)

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802
        if not await self._scripted("AUTH"):
            await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg: str) -> None:  # noqa: N802
        if not await self._scripted("MAIL"):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str) -> None:  # noqa: N802
        self.script.recipients.append(arg)
        if not await self._scripted("RCPT"):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if not await self._scripted("DATA"):
            await super().smtp_DATA(arg)

    async def smtp_QUIT(self, arg: str) -> None:  # noqa: N802
        if not await self._scripted("QUIT"):
            await super().smtp_QUIT(arg)


class Inbox:
    """Keeps accepted mail, unless the script has something else to say after the final dot."""

    def __init__(self, script: Script) -> None:
        self.script = script

    async def handle_DATA(self, server: ScriptedSMTP, session: Session, envelope) -> str:  # noqa: N802
        answer = self.script.next("DOT")
        if answer is None or answer == DROP:
            self.script.accepted.append(message_from_bytes(envelope.content, policy=policy.default))
        if answer == DROP:
            server.transport.close()
        if answer == SILENT:
            await asyncio.sleep(3600)
        return answer or "250 kept"


def _server(script: Script, starttls: ssl.SSLContext | None) -> ScriptedSMTP:
    def authenticate(server, session, envelope, mechanism, data) -> AuthResult:
        return AuthResult(success=(data.login.decode(), data.password.decode()) == script.login)

    server = ScriptedSMTP(
        Inbox(script),
        hostname="mail.example.com",
        data_size_limit=script.size or 33_554_432,
        tls_context=starttls,
        require_starttls=starttls is not None,
        authenticator=authenticate,
        auth_require_tls=False,
        loop=asyncio.get_running_loop(),
    )
    server.script = script
    return server


@contextmanager
def running(script: Script, *, tls: ssl.SSLContext | None = None, implicit: bool = False) -> Iterator[int]:
    """Run a server for the script in a thread of its own and give its port; `implicit` is TLS from the first byte."""
    port: Future[int] = Future()
    stop = threading.Event()

    async def serve() -> None:
        peers: list[ScriptedSMTP] = []

        def greet() -> ScriptedSMTP:
            peers.append(_server(script, None if implicit else tls))
            return peers[-1]

        loop = asyncio.get_running_loop()
        server = await loop.create_server(greet, "127.0.0.1", 0, ssl=tls if implicit else None)
        port.set_result(server.sockets[0].getsockname()[1])
        await asyncio.to_thread(stop.wait)
        server.close()
        for peer in peers:
            if peer.transport is not None:
                peer.transport.abort()
        await asyncio.sleep(0)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        yield port.result(timeout=20)
    finally:
        stop.set()
        thread.join()


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's TLS context for 127.0.0.1 and a client's that trusts only that."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2099, 1, 1, tzinfo=dt.UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    client = ssl.create_default_context(cadata=made.public_bytes(serialization.Encoding.PEM).decode())
    return server, client
