"""Console: answers go to standard output, errors, warnings and progress to standard error; JSON for machines.

While a command works, standard output is its alone: what libraries print or log there goes to standard error.
"""

from __future__ import annotations

import getpass
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from datetime import datetime, timedelta
from typing import Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from typer.core import TyperCommand

Item = TypeVar("Item")
WIDTH = None if sys.stdout.isatty() else 80  # of tables in a pipe or a log; COLUMNS says otherwise
EVERY_S = 10  # a line of progress, where there is no terminal to draw a bar on


class Answers(Console):
    """A console that folds tables at its edge, but no line of text: whoever reads a pipe takes it as one."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as Rich does."""
        if all(isinstance(one, str) for one in objects):
            options.setdefault("soft_wrap", True)
        super().print(*objects, **options)


class Quiet(TyperCommand):
    """A command whose answers alone are on standard output."""

    def invoke(self, ctx: Any) -> Any:
        """Run it; Airflow's and other libraries' loggers say warnings, and more where the environment asks for it."""
        os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "WARNING")
        out.file = sys.stdout
        with redirect_stdout(sys.stderr):
            return super().invoke(ctx)


class Commands(typer.Typer):
    """An application all of whose commands are quiet."""

    def command(self, *args: Any, **options: Any) -> Any:
        """Register a command."""
        return super().command(*args, **({"cls": Quiet} | options))


out = Answers(width=int(os.environ.get("COLUMNS") or 0) or WIDTH, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


def print_json(value: object) -> None:
    """Print a value as JSON; moments in ISO form, and anything JSON has no word for refused."""
    out.print_json(json.dumps(value, allow_nan=False, default=_plain))


def steps(items: Sequence[Item], title: str, *, quiet: bool = False) -> Iterator[Item]:
    """Yield the items, and say on standard error how many are done and how long the others will take.

    A terminal gets a bar, anything else a line every ten seconds; with `quiet` neither.
    """
    if quiet:
        yield from items
    elif err.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=err, transient=True) as bar:
            yield from bar.track(items, description=title)
    else:
        yield from _told(items, title)


def _told(items: Sequence[Item], title: str) -> Iterator[Item]:
    begun = told = time.monotonic()
    for done, item in enumerate(items):
        now = time.monotonic()
        if done and now - told >= EVERY_S:
            left = timedelta(seconds=round((now - begun) / done * (len(items) - done)))
            err.print(f"{title}: {done}/{len(items)} done, {left} left", markup=False)
            told = now
        yield item


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
