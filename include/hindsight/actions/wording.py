"""Wording: how numbers, times and names are said in a mail; whatever a warehouse may hold comes out harmless."""

from __future__ import annotations

import unicodedata


def clean(text: str, limit: int = 120) -> str:
    """Return text on one line: no control, direction or invisible characters, and no longer than `limit`."""
    plain = "".join(" " if char.isspace() else char for char in text[: 4 * limit])
    plain = "".join(char for char in plain if not unicodedata.category(char).startswith("C"))
    plain = " ".join(plain.split())
    return plain if len(plain) <= limit else plain[: limit - 1].rstrip() + "…"
