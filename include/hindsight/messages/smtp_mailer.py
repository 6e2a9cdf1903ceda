"""Mail over SMTP, many on one connection; no password and no mail of a secured connection leaves in the clear."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache, partial
from typing import Any, Protocol

import aiosmtplib

from hindsight.errors import ConfigError
from hindsight.messages.mime import as_email, dotted, without_chart
from hindsight.messages.smtp_answers import Step, fate, in_words, is_too_large
from hindsight.messages.wording import clean
from hindsight.vocabulary.letters import Attempt, Envelope, Fate

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")
_HOST = re.compile(
    r"(?=.{4,253}\Z)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)
_LITERAL = re.compile(r"\[[0-9A-Fa-f.:]+\]|\[IPv6:[0-9A-Fa-f.:]+\]")
_NOWHERE = (".local", ".localdomain", ".localhost", ".internal", ".lan", ".home", ".arpa", ".test", ".invalid")
MAX_TIMEOUT_S = 120.0
AFTER_DOT_S = 600.0  # RFC 5321, 4.5.3.2.6: who gives up earlier gets copies delivered
MAILS = 10  # on one connection: what comes after them Exim takes and lets lie until its next queue run, half an hour
LONGEST_S = 3 * MAX_TIMEOUT_S + 2 * AFTER_DOT_S  # one mail: on a worn-out connection, on a new one, without its chart


class Session(Protocol):
    """One conversation with a mail server, in which many mails are handed over."""

    def send(self, envelope: Envelope) -> Attempt:
        """Try once to hand over one mail and say what became of it; never raises for what a server does."""
        ...

    def takes_postmaster_of(self, recipient: str) -> bool:
        """Whether the server takes mail from us for the postmaster of the recipient's domain; nothing is sent."""
        ...


class Mailer(Protocol):
    """Whatever hands mail over; `connection` names where it is configured, for messages to people."""

    @property
    def connection(self) -> str: ...

    def session(self) -> AbstractContextManager[Session]:
        """Begin a conversation; the server is reached for with the first mail only."""
        ...


class Security(StrEnum):
    """How a connection is encrypted."""

    TLS = "tls"
    STARTTLS = "starttls"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """Where mail is handed over and as whom.

    `timeout_s` is the total time one mail may take until its text is on the way, `after_dot_s` how long the server may
    then think about it. `helo` is the name given in EHLO, made of this machine's or the sender's domain without one.
    """

    host: str
    port: int
    from_email: str
    security: Security
    login: str = ""
    password: str = field(default="", repr=False)
    timeout_s: float = 30.0
    connection: str = "hindsight_smtp"
    helo: str = ""
    after_dot_s: float = AFTER_DOT_S

    def __post_init__(self) -> None:
        if not is_address(self.from_email):
            raise ConfigError(f"connection {self.connection}: from_email {self.from_email!r} is not an ASCII address")
        if self.helo and not (_HOST.fullmatch(self.helo) or _LITERAL.fullmatch(self.helo)):
            raise ConfigError(
                f"connection {self.connection}: helo {self.helo!r} is no full host name - such as mail.example.com"
            )
        if self.security is Security.CLEAR and self.password and not _is_loopback(self.host):
            raise ConfigError(
                f"connection {self.connection}: disable_tls would send the password in the clear to {self.host}"
                " - remove disable_tls, or the password"
            )


def settings_from(
    *, host: str, port: int | None, login: str, password: str, extra: Mapping[str, Any], connection: str
) -> SmtpSettings:
    """Read the fields of an Airflow smtp connection; raise ConfigError for what cannot be.

    Port 587 and 25 mean STARTTLS, any other TLS from the first byte, unless extra says disable_ssl (STARTTLS) and
    disable_tls (in the clear). `from_email` defaults to a login that is an address, `helo` to a name made here.
    """
    number = port or 465
    implicit = not _flag(extra.get("disable_ssl", number in (25, 587)))
    starttls = Security.CLEAR if _flag(extra.get("disable_tls", False)) else Security.STARTTLS
    return SmtpSettings(
        host=host or "localhost",
        port=number,
        from_email=str(extra.get("from_email") or login or ""),
        security=Security.TLS if implicit else starttls,
        login=login or "",
        password=password or "",
        timeout_s=min(float(extra.get("timeout") or 30), MAX_TIMEOUT_S),
        connection=connection,
        helo=str(extra.get("helo") or "").strip(),
    )


def is_address(text: str) -> bool:
    """Whether this is a plain ASCII address that can stand in an SMTP command."""
    return len(text) <= 254 and _ADDRESS.fullmatch(text) is not None


def own_name(from_email: str) -> str:
    """Return the name for EHLO: this machine's where it is a full one of the Internet, else the sender's domain.

    Many servers refuse a bare host name, as a container has it, or one that can exist nowhere else.
    """
    name = _machine()
    if _HOST.fullmatch(name) and not name.lower().endswith(_NOWHERE):
        return name
    return from_email.rpartition("@")[2]


@cache
def _machine() -> str:
    return socket.getfqdn()


class SmtpMailer:
    """Hands over mail with aiosmtplib."""

    def __init__(self, settings: SmtpSettings, *, tls: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._tls = tls

    @property
    def connection(self) -> str:
        """The Airflow connection the settings came from."""
        return self._settings.connection

    @contextmanager
    def session(self) -> Iterator[SmtpSession]:
        """Begin a conversation; must not be called inside a running event loop."""
        with asyncio.Runner() as runner:
            is_clear = self._settings.security is Security.CLEAR
            tls = None if is_clear else self._tls or ssl.create_default_context()  # which reads every root there is
            session = SmtpSession(self._settings, tls, runner)
            try:
                yield session
            finally:
                session.leave()

    def send(self, envelope: Envelope) -> Attempt:
        """Try once to hand over one mail on a connection of its own."""
        with self.session() as session:
            return session.send(envelope)


class SmtpSession:
    """One connection for ten mails: opened for the first, again after them and where the server has closed it."""

    def __init__(self, settings: SmtpSettings, tls: ssl.SSLContext | None, runner: asyncio.Runner) -> None:
        self._settings = settings
        self._runner = runner
        self._client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            local_hostname=settings.helo or own_name(settings.from_email),
            use_tls=settings.security is Security.TLS,
            start_tls=False,
            tls_context=tls,
            timeout=settings.timeout_s,
        )
        self._step = Step.CONNECT  # the last one tried
        self._carried = 0  # mails the server took on this connection
        self._refused = ""  # the recipient whom it refused last, while that transaction is open

    def send(self, envelope: Envelope) -> Attempt:
        """Try to hand over one mail; where an old connection has worn out, once more on a new one."""
        if not is_address(envelope.recipient):
            return Attempt(Fate.REFUSED, f"{clean(envelope.recipient, 80)!r} is not an ASCII address")
        return self._runner.run(self._converse(envelope))

    def takes_postmaster_of(self, recipient: str) -> bool:
        """Whether the server takes mail from us for the recipient's domain at all; nothing is sent.

        Its postmaster must be taken by whoever serves it or relays to it (RFC 5321, 4.5.1). Only an open connection is
        asked, and in the transaction that was refused where it is still open.
        """
        return self._client.is_connected and self._runner.run(self._takes_postmaster_of(recipient))

    def leave(self) -> None:
        """Say goodbye, whatever comes of it, and close the connection."""
        self._runner.run(self._leave())

    async def _converse(self, envelope: Envelope) -> Attempt:
        if self._carried >= MAILS:
            await self._leave()
        reused = self._client.is_connected
        error = await self._hand_over(envelope)
        if error is not None and reused and self._is_worn_out(error):
            await self._hang_up()
            error = await self._hand_over(envelope)
        if error is not None and envelope.message.png and is_too_large(error):
            error = await self._hand_over(without_chart(envelope))
        if error is None:
            return Attempt(Fate.SENT, taken=True)
        return Attempt(fate(self._step, error), self._said(error), taken=self._step > Step.RECIPIENT)

    def _is_worn_out(self, error: Exception) -> bool:
        """Whether the server has had enough of the connection: many allow so many mails each, or so long a life."""
        meaning = fate(self._step, error)
        return meaning is Fate.UNREACHABLE or (
            meaning is Fate.LATER and self._step is Step.SENDER and self._carried > 0
        )

    async def _hand_over(self, envelope: Envelope) -> Exception | None:
        settings = self._settings
        try:
            async with asyncio.timeout(settings.timeout_s) as deadline:
                for step, do in self._steps(envelope):
                    self._step = step
                    if step is Step.DOT:
                        deadline.reschedule(asyncio.get_running_loop().time() + settings.after_dot_s)
                    await do()
        except (aiosmtplib.SMTPException, OSError, EOFError) as exc:
            if self._step < Step.SENDER or not _is_an_answer(exc):
                await self._hang_up()
            return exc
        self._carried += 1
        return None

    def _steps(self, envelope: Envelope) -> Iterator[tuple[Step, Callable[[], Awaitable[object]]]]:
        client = self._client
        if not client.is_connected:
            yield from self._opening()
        text = self._text(envelope)
        yield from self._to_sender([f"SIZE={len(text)}"] if client.supports_extension("size") else [])
        self._refused = envelope.recipient
        yield Step.RECIPIENT, partial(client.rcpt, envelope.recipient)
        yield Step.DATA, self._ask_for_data
        yield Step.DOT, partial(self._finish, text)
        self._refused = ""

    def _opening(self) -> Iterator[tuple[Step, Callable[[], Awaitable[object]]]]:
        self._carried = 0
        yield Step.CONNECT, self._client.connect
        yield Step.GREET, self._client.ehlo
        if self._settings.security is Security.STARTTLS:
            yield Step.SECURE, self._client.starttls
            yield Step.GREET, self._client.ehlo
        if self._settings.password:
            yield Step.LOGIN, self._login

    def _to_sender(self, options: list[str]) -> Iterator[tuple[Step, Callable[[], Awaitable[object]]]]:
        if self._refused:
            yield Step.SENDER, self._client.rset
        self._refused = ""
        yield Step.SENDER, partial(self._client.mail, self._settings.from_email, options=options)

    def _text(self, envelope: Envelope) -> bytes:
        """Return the mail, without its chart where the server says beforehand that it is too large (RFC 1870)."""
        text = as_email(envelope, self._settings.from_email).as_bytes()
        limit = self._client.esmtp_extensions.get("size", "")
        if envelope.message.png and limit.isdigit() and 0 < int(limit) < len(text):
            return as_email(without_chart(envelope), self._settings.from_email).as_bytes()
        return text

    async def _login(self) -> None:
        """Log in by one method only: the library would try a wrong password with each, and accounts get locked."""
        client = self._client
        methods = {"plain": client.auth_plain, "login": client.auth_login, "cram-md5": client.auth_crammd5}
        for name, method in methods.items():
            if name in client.supported_auth_methods:
                await method(self._settings.login.encode(), self._settings.password.encode())
                return
        raise aiosmtplib.SMTPNotSupported("the server offers no login by PLAIN, LOGIN or CRAM-MD5")

    async def _ask_for_data(self) -> None:
        reply = await self._client.execute_command(b"DATA")
        if reply.code != aiosmtplib.SMTPStatus.start_input:
            raise aiosmtplib.SMTPDataError(reply.code, reply.message)

    async def _finish(self, text: bytes) -> None:
        """Send the text and wait for what the server makes of it, far longer than for any other answer."""
        protocol = self._client.protocol
        if protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("connection lost")
        protocol.write(dotted(text))
        reply = await protocol.read_response(timeout=self._settings.after_dot_s)
        if not 200 <= reply.code < 300:
            raise aiosmtplib.SMTPDataError(reply.code, reply.message)

    async def _takes_postmaster_of(self, recipient: str) -> bool:
        try:
            if self._refused != recipient:
                for _, do in self._to_sender([]):
                    await do()
            self._refused = recipient
            await self._client.rcpt(f"postmaster@{recipient.rpartition('@')[2]}")
        except (aiosmtplib.SMTPException, OSError, EOFError):
            return False
        return True

    async def _leave(self) -> None:
        try:
            if self._client.is_connected:
                await self._client.execute_command(b"QUIT")
        except (aiosmtplib.SMTPException, OSError, EOFError):
            pass
        finally:
            await self._hang_up()

    async def _hang_up(self) -> None:
        """Close the connection for good now: a polite end of TLS would outlive the event loop."""
        transport = self._client.transport
        self._client.close()
        self._refused = ""
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()
        await asyncio.sleep(0)

    def _said(self, error: Exception) -> str:
        """Return what happened in one line that holds no password, though the server may echo what it was sent."""
        settings = self._settings
        code = f"{error.code} " if isinstance(error, aiosmtplib.SMTPResponseException) else ""
        waited = settings.after_dot_s if self._step is Step.DOT else settings.timeout_s
        said = in_words(error) or getattr(error, "message", "") or str(error) or f"no answer within {waited:g} s"
        text = f"{self._step.name.lower()}: {code}{said}"
        plain = f"\0{settings.login}\0{settings.password}"
        secrets = [settings.password, *(base64.b64encode(s.encode()).decode() for s in (settings.password, plain))]
        for secret in filter(None, secrets):
            text = text.replace(secret, "***")
        return clean(text, 300)


def _is_an_answer(error: Exception) -> bool:
    """Whether the server answered in order and goes on listening: 421 says that it does not."""
    return isinstance(error, aiosmtplib.SMTPResponseException) and error.code >= 200 and error.code != 421


def _flag(value: object) -> bool:
    return str(value).strip().lower() in ("1", "true", "yes", "on")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
