"""Heartbeat: what connection hindsight_heartbeat says of where signs of life go; without it none are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hindsight.airflow.connections import find
from hindsight.errors import ConfigError

if TYPE_CHECKING:
    from hindsight.messages.heartbeat import Heartbeat

HEARTBEAT = "hindsight_heartbeat"


def heartbeat() -> Heartbeat | None:
    """Return where signs of life go: the password of the connection is the address; None where there is none.

    Raises ConfigError where the connection has no address, or a method that is neither GET nor POST.
    """
    found = find(HEARTBEAT)
    if found is None:
        return None
    from hindsight.messages.heartbeat import METHODS, Heartbeat

    method = str(found.extra.get("method", "GET")).upper()
    if "://" not in found.password:
        wanted = "https://…, file:///… or an address of Apprise"
        raise ConfigError(f"connection {HEARTBEAT!r}: its password is where signs of life go: {wanted}")
    if method not in METHODS:
        raise ConfigError(f"connection {HEARTBEAT!r}: extra.method is GET or POST, found {method!r}")
    return Heartbeat(HEARTBEAT, found.password, "POST" if method == "POST" else "GET")
