"""Children of a warmed process: forked, watched until they end, and asked how they fared."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hindsight.errors import HindsightError

PATIENCE_S = 90  # a child that takes longer hangs


@dataclass(frozen=True)
class Ending:
    """How a child ended: by a signal, by an error of ours or by another, or with what it returned."""

    by_signal: int = 0
    said: str = ""
    foreign: str = ""
    result: Any = None


def forked(task: Callable[[], Any], log: Path) -> Ending:
    """Do a task in a child that ends with it; whatever the child says is appended to a log."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():  # the other threads are servers that hold no lock while they wait
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os.close(reading)
        _live(task, writing, log)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        said = answer.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return Ending(by_signal=-code) if code < 0 else pickle.loads(said)


def _live(task: Callable[[], Any], answer: int, log: Path) -> None:
    """The life of a child, which never returns to what its parent was doing."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(PATIENCE_S)
    _say_all_to(log)
    try:
        ending = Ending(result=task())
    except HindsightError as exc:
        ending = Ending(said=str(exc))
    except BaseException:  # noqa: BLE001 - the boundary of a process: its parent tells
        ending = Ending(foreign=traceback.format_exc())
    with os.fdopen(answer, "wb") as pipe:
        pickle.dump(ending, pipe)
    os._exit(0)


def _say_all_to(log: Path) -> None:
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    logging.basicConfig(filename=log, level=logging.DEBUG, force=True)
