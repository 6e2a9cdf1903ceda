"""Severity: how loud an incident or a message is."""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    """How loud: P0 wakes someone, P1 is for today, P2 waits for the nightly digest."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"


AT_ONCE = (Severity.P0, Severity.P1)  # told when they are judged
