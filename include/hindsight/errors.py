"""Every error Hindsight raises on purpose; each says what is wrong, where, what was expected and what to do.

HindsightError
  ConfigError      a monitor file or a setting is wrong; carries every Problem of the file
  DataError        the warehouse's answer cannot be used: a column is missing, has a new type, is too large
  ExpiredError     what was asked for lies before the horizon: its history was deleted and is not made again
  WarehouseError   the warehouse could not be reached or broke off            (transient: worth a retry)
  StoreError       a Parquet file could not be written or read                (transient where it says so)
  LedgerError      the ledger could not be reached or is of another version   (transient unless said otherwise)
  DeliveryError    mail could not be handed over                              (transient unless said otherwise)
  TrainingError    a retraining cannot start, train or be promoted
  SupersededError  a model version would replace a newer one: a TrainingError
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path


class HindsightError(Exception):
    """Base of all errors raised on purpose; `transient` says whether a retry may help."""

    transient = False


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in one place of a monitor file."""

    message: str
    file: Path | None = None
    line: int | None = None
    field: str = ""

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        return f"{' '.join(part for part in (place, self.field) if part)}: {self.message}".lstrip(": ")


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """Return " - did you mean 'psi'?" for the known name nearest to a wrong one, "" where none is near."""
    names = {name.casefold(): name for name in known}
    near = get_close_matches(wrong.casefold(), names, n=1, cutoff=0.6)
    return f" - did you mean {names[near[0]]!r}?" if near else ""


class ConfigError(HindsightError):
    """A monitor file or a setting is wrong; `problems` lists everything found, in file order."""

    def __init__(self, *problems: Problem | str) -> None:
        self.problems = tuple(Problem(p) if isinstance(p, str) else p for p in problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[ConfigError], tuple[Problem, ...]]:
        return type(self), self.problems


class DataError(HindsightError):
    """The warehouse answered with something the monitor cannot use; a retry will not help."""


class ExpiredError(HindsightError):
    """What was asked for lies before the horizon of a monitor; a retry will not help, a later moment will."""


class WarehouseError(HindsightError):
    """The warehouse could not be reached or broke off in the middle of an answer."""

    transient = True


class StoreError(HindsightError):
    """A Parquet file could not be written or read; the message names the file."""

    def __init__(self, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient


class _WorthARetryError(HindsightError):
    """An error that is transient unless said otherwise."""

    def __init__(self, message: str, *, transient: bool = True) -> None:
        super().__init__(message)
        self.transient = transient

    def __reduce__(self) -> tuple[object, ...]:
        return partial(type(self), transient=self.transient), (str(self),)


class LedgerError(_WorthARetryError):
    """The ledger (incidents, outbox, registry) could not be reached or is of another version."""


class DeliveryError(_WorthARetryError):
    """Mail could not be handed over to the server."""


class TrainingError(HindsightError):
    """A retraining cannot start, train, be compared or be promoted."""


class SupersededError(TrainingError):
    """A version is not promoted, because it would put an older model in the place of a newer one."""
