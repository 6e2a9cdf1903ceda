"""Heartbeat: a sign of life sent somewhere outside, where it is missed when nothing here can tell any more.

An address holds a token, so it is shown nowhere: what failed is said by the connection's id.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from hindsight.errors import ConfigError, DeliveryError
from hindsight.messages.apprise_channel import AppriseChannel
from hindsight.vocabulary.letters import Envelope, Fate, Message

TIMEOUT_S = 10
METHODS = ("GET", "POST")
_METRIC = "hindsight_heartbeat_timestamp_seconds"


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Where the connection of an id says that signs of life go: an https address, file:// or one of Apprise."""

    connection: str
    address: str = field(repr=False)
    method: Literal["GET", "POST"] = "GET"

    def beat(self, at: datetime) -> None:
        """Send one; raise DeliveryError where it was not taken, ConfigError where the address is none."""
        scheme = self.address.partition("://")[0].lower()
        if scheme in ("http", "https"):
            self._ask()
        elif scheme == "file":
            self._write(at)
        else:
            self._notify(at)

    def _ask(self) -> None:
        import requests

        try:
            answer = requests.request(self.method, self.address, timeout=TIMEOUT_S, allow_redirects=False)
        except requests.RequestException as exc:
            raise DeliveryError(f"{self.connection} is out of reach: {type(exc).__name__}", transient=True) from None
        if not 200 <= answer.status_code < 300:
            raise DeliveryError(f"{self.connection} answered {answer.status_code}", transient=answer.status_code >= 500)

    def _write(self, at: datetime) -> None:
        """Write the moment, whole or not at all, as Prometheus' node exporter reads it from a file named *.prom."""
        path = Path(unquote(urlsplit(self.address).path))
        fresh = path.with_name(f".{path.name}.new")
        text = f"# HELP {_METRIC} When Hindsight's relay was last at work.\n# TYPE {_METRIC} gauge\n"
        try:
            fresh.write_text(f"{text}{_METRIC} {at.timestamp():.0f}\n", encoding="utf-8")
            os.replace(fresh, path)
        except OSError as exc:
            raise DeliveryError(f"{self.connection}: {path} cannot be written: {exc.strerror}", transient=True) from exc

    def _notify(self, at: datetime) -> None:
        message = Message("Hindsight is at work", f"Its relay was at work at {at:%Y-%m-%d %H:%M} UTC.")
        with AppriseChannel(self.connection, self.address).session() as session:
            attempt = session.send(Envelope("", self.connection, at, message))
        if attempt.fate is Fate.MISCONFIGURED:
            raise ConfigError(attempt.detail)
        if attempt.fate is not Fate.SENT:
            raise DeliveryError(attempt.detail, transient=True)
