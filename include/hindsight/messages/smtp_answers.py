"""What an SMTP server's answer means for a mail: the one table that decides between sent, again, never and stop."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from enum import IntEnum

import aiosmtplib

from hindsight.vocabulary.letters import Fate


class Step(IntEnum):
    """The steps of one delivery, in order; DATA asks to send the text, DOT sends it and ends it."""

    CONNECT = 1
    GREET = 2
    SECURE = 3
    LOGIN = 4
    SENDER = 5
    RECIPIENT = 6
    DATA = 7
    DOT = 8


_AUTHENTICATE = {530, 534, 535, 538}
_COMMAND = {500, 501, 502, 503, 504}  # what we said was wrong, such as the name in EHLO
_NO_DOMAIN = 556  # RFC 7504: the domain takes no mail
_FULL = 552  # RFC 5321: more than the mailbox, or the server, has room for
_ENHANCED = re.compile(r"\s*5\.(\d{1,3})\.(\d{1,3})\b")
# RFC 3463 and its registry: X.1 addresses, X.2 mailboxes, X.3 the system, X.5 commands, X.7 policy. X.1.0 says nothing.
_NO_SUCH_ADDRESS = {"1.1", "1.2", "1.3", "1.4", "1.6", "1.10"}
_BAD_SENDER = {"1.7", "1.8"}
_TOO_LARGE = {"2.3", "3.4"}
# Servers without enhanced codes, Exim by default, say only in words that it is not the recipient.
_ABOUT_US = re.compile(r"\b(relay\w*|authenticat\w*|sender|helo|ehlo|block ?(ed|list\w*)|black ?list\w*)\b", re.I)
_ADDRESS = re.compile(r"\S+@\S+")
_IN_THE_CLEAR = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL"}


def fate(step: Step, error: Exception) -> Fate:
    """Return what an error at a step means.

    Once the text is on its way a connection that breaks or falls silent is unsure: the last dot may have arrived.
    Before, it is surely not sent. 4yz and breaks are passing. 5yz is for good: about us before RCPT; from there on
    about whom the code or the words say, and doubtful where they say nothing.
    """
    if isinstance(error, aiosmtplib.SMTPResponseException) and 200 <= error.code < 600:
        return _answered(step, error.code, error.message)
    if _speaks_in_the_clear(error) or any(isinstance(one, ssl.SSLCertVerificationError) for one in _causes(error)):
        return Fate.MISCONFIGURED
    if isinstance(error, OSError | TimeoutError | EOFError | aiosmtplib.SMTPResponseException):
        return Fate.UNSURE if step is Step.DOT else Fate.UNREACHABLE
    return Fate.MISCONFIGURED


def is_too_large(error: Exception) -> bool:
    """Whether the server refused a mail for its size, or for want of room."""
    if not isinstance(error, aiosmtplib.SMTPResponseException):
        return False
    return error.code == _FULL or _enhanced(error.message) in _TOO_LARGE


def in_words(error: Exception) -> str:
    """Return what is to be said of an error that says nothing a person could use; "" where it speaks for itself."""
    if _speaks_in_the_clear(error):
        return (
            "the server does not speak TLS from the first byte on this port"
            " - set disable_ssl in the connection's extra for STARTTLS, or name the port that does (465)"
        )
    return ""


def _answered(step: Step, code: int, text: str) -> Fate:
    if code < 400:
        return Fate.SENT if step is Step.DOT and code < 300 else Fate.UNREACHABLE
    if code == 421 or (code < 500 and step < Step.SENDER):
        return Fate.UNREACHABLE
    if code < 500:
        return Fate.LATER
    if step >= Step.SENDER and (code == _FULL or _enhanced(text) in _TOO_LARGE):
        return Fate.REFUSED
    if step < Step.RECIPIENT or code in _AUTHENTICATE:
        return Fate.MISCONFIGURED
    return _whose_fault(code, text)


def _whose_fault(code: int, text: str) -> Fate:
    enhanced = _enhanced(text)
    subject = enhanced.partition(".")[0]
    if enhanced in _NO_SUCH_ADDRESS or subject == "2" or code == _NO_DOMAIN:
        return Fate.REFUSED
    if enhanced in _BAD_SENDER or subject == "7" or _is_protocol(enhanced) or code in _COMMAND:
        return Fate.FORBIDDEN
    return Fate.FORBIDDEN if _ABOUT_US.search(_ADDRESS.sub("", text)) else Fate.DOUBTFUL


def _is_protocol(enhanced: str) -> bool:
    return enhanced.startswith("5.") and enhanced != "5.0"  # X.5.0 says nothing: some send it for an unknown user


def _enhanced(text: str) -> str:
    """Return subject and detail of the enhanced code (RFC 3463) a refusal begins with, such as '1.1', or ''."""
    found = _ENHANCED.match(text)
    return f"{found[1]}.{found[2]}" if found else ""


def _speaks_in_the_clear(error: Exception) -> bool:
    return any(isinstance(one, ssl.SSLError) and getattr(one, "reason", "") in _IN_THE_CLEAR for one in _causes(error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
