"""What an SMTP server's answer means for a mail: the one table that decides between sent, again, never and stop."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from enum import IntEnum

import aiosmtplib

from hindsight.vocabulary.letters import Fate


class Step(IntEnum):
    """The steps of one delivery, in order."""

    CONNECT = 1
    GREET = 2
    SECURE = 3
    LOGIN = 4
    SENDER = 5
    RECIPIENT = 6
    DATA = 7
    LEAVE = 8


_AUTHENTICATE = {530, 534, 535, 538}


def fate(step: Step, error: Exception) -> Fate:
    """Return what an error at a step means.

    From DATA on a connection that breaks or falls silent is unsure: the last dot may have arrived. Before, it is
    surely not sent. 4yz and breaks are passing; 5yz is for good, about the recipient from RCPT on and about us before.
    """
    if step is Step.LEAVE:
        return Fate.SENT
    if isinstance(error, aiosmtplib.SMTPResponseException) and 200 <= error.code < 600:
        return _answered(step, error.code)
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error)):
        return Fate.MISCONFIGURED
    if isinstance(error, OSError | TimeoutError | EOFError | aiosmtplib.SMTPResponseException):
        return Fate.UNSURE if step is Step.DATA else Fate.UNREACHABLE
    return Fate.MISCONFIGURED


def _answered(step: Step, code: int) -> Fate:
    if code < 400:
        return Fate.SENT if step is Step.DATA and code < 300 else Fate.UNREACHABLE
    if code == 421 or (code < 500 and step < Step.SENDER):
        return Fate.UNREACHABLE
    if code < 500:
        return Fate.LATER
    return Fate.MISCONFIGURED if step < Step.RECIPIENT or code in _AUTHENTICATE else Fate.REFUSED


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
