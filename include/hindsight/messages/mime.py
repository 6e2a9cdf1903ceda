"""Mime: a mail as the bytes that go out; the same envelope always gives the same."""

from __future__ import annotations

import re
from dataclasses import replace
from email.header import Header
from email.message import EmailMessage
from email.policy import EmailPolicy

from hindsight.messages.wording import clean
from hindsight.vocabulary.letters import Envelope

_LINE = 78  # RFC 5322, 2.1.1
_CHART = re.compile(r'<img\b[^>]*\bsrc="cid:chart"[^>]*>')
_NO_CHART = "<p>The chart was left out: with it the mail is larger than the mail server takes.</p>"


class _Folded(EmailPolicy):
    """Python's policy without two faults in how it folds a header.

    It begins values of 70 to 77 characters on a second line, and where words of more than ASCII meet others it adds
    spaces, drops them or breaks a word's encoding.
    """

    def fold(self, name: str, value: str) -> str:
        if not value.isascii():
            return f"{name}: {Header(value, 'utf-8', header_name=name).encode(linesep=self.linesep)}{self.linesep}"
        return _on_first_line(super().fold(name, value))

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode("ascii", "surrogateescape")


_POLICY = _Folded(linesep="\r\n", cte_type="7bit")


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
            html = email.get_payload(1)
            html.add_related(message.png, "image", "png", cid="<chart>", disposition="inline", filename="chart.png")  # type: ignore[union-attr]
    _fix_boundaries(email, envelope.message_id)
    return email


def without_chart(envelope: Envelope) -> Envelope:
    """Return the same mail without its chart; the HTML says that it is missing."""
    message = envelope.message
    return replace(envelope, message=replace(message, png=None, html=_CHART.sub(_NO_CHART, message.html)))


def dotted(text: bytes) -> bytes:
    """Return a mail as it follows DATA: lines end with CRLF, a first dot is doubled (RFC 5321, 4.5.2)."""
    lines = (b"." + line if line.startswith(b".") else line for line in text.splitlines())
    return b"\r\n".join([*lines, b".", b""])


def _fix_boundaries(email: EmailMessage, message_id: str) -> None:
    """Name the boundaries after the mail: Python draws them at random."""
    for number, part in enumerate(email.walk()):
        if part.is_multipart():
            part.set_boundary(f"=_{message_id.strip('<>').partition('@')[0]}_{number}")


def _on_first_line(header: str) -> str:
    name, _, value = header.partition(":")
    if not value.startswith("\r\n "):
        return header
    first, end, rest = value[3:].partition("\r\n")
    last = first.rfind(" ", 0, _LINE - len(name) - 1)
    folded = first if last < 1 else f"{first[:last]}\r\n {first[last + 1 :]}"
    return f"{name}: {folded}{end}{rest}"
