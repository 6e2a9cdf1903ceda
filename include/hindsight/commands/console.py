"""Console: answers go to standard output, errors and warnings to standard error; JSON for machines."""

from __future__ import annotations

import getpass
import json
import os
import sys
from datetime import datetime

from rich.console import Console

WIDTH = None if sys.stdout.isatty() else 160  # a pipe or a log has no edge to wrap at
out, err = Console(width=WIDTH, highlight=False), Console(stderr=True, soft_wrap=True, highlight=False)


def print_json(value: object) -> None:
    """Print a value as JSON; moments in ISO form, and anything JSON has no word for refused."""
    out.print_json(json.dumps(value, allow_nan=False, default=_plain))


def counted(n: int, what: str) -> str:
    """Return '1 mail', '1,204 mails'."""
    return f"{n:,} {what}{'s' * (n != 1)}"


def user() -> str:
    """Return who types this; a container may run as a user without a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
