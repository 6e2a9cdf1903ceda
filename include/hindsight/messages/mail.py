"""Mail: one message to one recipient over SMTP; no password and no mail of a secured connection leaves in the clear."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from enum import StrEnum
from functools import partial
from typing import Any, Protocol

import aiosmtplib

from hindsight.errors import ConfigError
from hindsight.messages.smtp import Step, fate
from hindsight.messages.wording import clean
from hindsight.vocabulary.letters import Attempt, Envelope, Fate

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")
_POLICY = SMTP_POLICY.clone(cte_type="7bit")
MAX_TIMEOUT_S = 120.0


class Mailer(Protocol):
    """Whatever hands mail over; `connection` names where it is configured, for messages to people."""

    @property
    def connection(self) -> str: ...

    def send(self, envelope: Envelope) -> Attempt:
        """Try once to hand over one mail and say what became of it; never raises for what a server does."""
        ...


class Security(StrEnum):
    """How a connection is encrypted."""

    TLS = "tls"
    STARTTLS = "starttls"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """Where mail is handed over and as whom; `timeout_s` is the total time one mail may take."""

    host: str
    port: int
    from_email: str
    security: Security
    login: str = ""
    password: str = field(default="", repr=False)
    timeout_s: float = 30.0
    connection: str = "hindsight_smtp"

    def __post_init__(self) -> None:
        if not is_address(self.from_email):
            raise ConfigError(f"connection {self.connection}: from_email {self.from_email!r} is not an ASCII address")
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
    disable_tls (in the clear). `from_email` defaults to a login that is an address.
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
    )


def is_address(text: str) -> bool:
    """Whether this is a plain ASCII address that can stand in an SMTP command."""
    return len(text) <= 254 and _ADDRESS.fullmatch(text) is not None


class SmtpMailer:
    """Hands over mail with aiosmtplib, one connection a mail, all of it within one deadline."""

    def __init__(self, settings: SmtpSettings, *, tls: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._tls = tls or ssl.create_default_context()

    @property
    def connection(self) -> str:
        """The Airflow connection the settings came from."""
        return self._settings.connection

    def send(self, envelope: Envelope) -> Attempt:
        """Try once to hand over one mail; must not be called inside a running event loop."""
        if not is_address(envelope.recipient):
            return Attempt(Fate.REFUSED, f"{clean(envelope.recipient, 80)!r} is not an ASCII address")
        return asyncio.run(self._converse(envelope))

    async def _converse(self, envelope: Envelope) -> Attempt:
        settings = self._settings
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            local_hostname=socket.gethostname().encode("ascii", "replace").decode().replace("?", "-"),
            use_tls=settings.security is Security.TLS,
            start_tls=False,
            tls_context=self._tls,
            timeout=settings.timeout_s,
        )
        step = Step.CONNECT
        try:
            async with asyncio.timeout(settings.timeout_s):
                for step, do in self._steps(client, envelope):  # noqa: B007  # the step it broke off at decides
                    await do()
        except (aiosmtplib.SMTPException, OSError, EOFError) as exc:
            return Attempt(fate(step, exc), self._said(step, exc))
        finally:
            await _hang_up(client)
        return Attempt(Fate.SENT)

    def _steps(
        self, client: aiosmtplib.SMTP, envelope: Envelope
    ) -> Iterator[tuple[Step, Callable[[], Awaitable[object]]]]:
        yield Step.CONNECT, client.connect
        yield Step.GREET, client.ehlo
        if self._settings.security is Security.STARTTLS:
            yield Step.SECURE, client.starttls
            yield Step.GREET, client.ehlo
        if self._settings.password:
            yield Step.LOGIN, partial(self._login, client)
        yield Step.SENDER, partial(client.mail, self._settings.from_email)
        yield Step.RECIPIENT, partial(client.rcpt, envelope.recipient)
        yield Step.DATA, partial(client.data, as_email(envelope, self._settings.from_email).as_bytes())
        yield Step.LEAVE, partial(client.execute_command, b"QUIT")

    async def _login(self, client: aiosmtplib.SMTP) -> None:
        """Log in by one method only: the library would try a wrong password with each, and accounts get locked."""
        methods = {"plain": client.auth_plain, "login": client.auth_login, "cram-md5": client.auth_crammd5}
        for name, method in methods.items():
            if name in client.supported_auth_methods:
                await method(self._settings.login.encode(), self._settings.password.encode())
                return
        raise aiosmtplib.SMTPNotSupported("the server offers no login by PLAIN, LOGIN or CRAM-MD5")

    def _said(self, step: Step, error: Exception) -> str:
        """Return what happened in one line that holds no password, though the server may echo what it was sent."""
        settings = self._settings
        code = f"{error.code} " if isinstance(error, aiosmtplib.SMTPResponseException) else ""
        said = getattr(error, "message", "") or str(error) or f"no answer within {settings.timeout_s:g} s"
        text = f"{step.name.lower()}: {code}{said}"
        plain = f"\0{settings.login}\0{settings.password}"
        secrets = [settings.password, *(base64.b64encode(s.encode()).decode() for s in (settings.password, plain))]
        for secret in filter(None, secrets):
            text = text.replace(secret, "***")
        return clean(text, 300)


async def _hang_up(client: aiosmtplib.SMTP) -> None:
    """Close the connection for good now: a polite end of TLS would outlive the event loop."""
    transport = client.transport
    client.close()
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()
    await asyncio.sleep(0)


def as_email(envelope: Envelope, from_email: str) -> EmailMessage:
    """Build the mail: text, HTML where there is any, and the chart inside the HTML."""
    message = envelope.message
    email = EmailMessage(policy=_POLICY)
    email["Subject"] = clean(message.subject, 200)
    email["From"] = from_email
    email["To"] = envelope.recipient
    email["Date"] = envelope.promised_at
    email["Message-ID"] = envelope.message_id
    email["Auto-Submitted"] = "auto-generated"
    email.set_content(message.text)
    if message.html:
        email.add_alternative(message.html, subtype="html")
        if message.png is not None:
            _attach_chart(email, message.png, envelope.message_id)
    return email


def _attach_chart(email: EmailMessage, png: bytes, message_id: str) -> None:
    html = email.get_payload(1)
    html.add_related(png, "image", "png", cid="<chart>", disposition="inline", filename="chart.png")  # type: ignore[union-attr]
    for number, part in enumerate(email.walk()):
        if part.is_multipart():
            part.set_boundary(f"=_{message_id.strip('<>').partition('@')[0]}_{number}")


def _flag(value: object) -> bool:
    return str(value).strip().lower() in ("1", "true", "yes", "on")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
