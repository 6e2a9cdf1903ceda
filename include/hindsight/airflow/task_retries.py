"""Retries: which failures may pass by themselves, and which a person must look at."""

from __future__ import annotations

from collections.abc import Iterator

from airflow.sdk import RetryDecision, RetryPolicy

from hindsight.errors import HindsightError

# What databases (PEP 249), HTTP clients, brokers and Airflow itself call a world that cannot be reached; by name, for
# what the user's code works with need not be installed here.
_OUT_OF_REACH = {"ConnectionError", "TimeoutError", "Timeout", "TransportError"} | {
    "OperationalError",
    "InterfaceError",
    "AirflowRuntimeError",
}
_OF_A_PATH = (FileNotFoundError, FileExistsError, PermissionError, IsADirectoryError, NotADirectoryError)


class RetryTransient(RetryPolicy):
    """Retry what may pass by itself; fail at once on what a person must change."""

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: object = None
    ) -> RetryDecision:
        """Return fail for an error of ours that is not transient, else Airflow's usual way."""
        if isinstance(exception, HindsightError) and not exception.transient:
            return RetryDecision.fail(reason="a retry would not help")
        return RetryDecision.default()


class RetryOnlyTransient(RetryPolicy):
    """Where the user's own code runs: what it raises comes again, unless it is about the world outside."""

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: object = None
    ) -> RetryDecision:
        """Return fail for whatever is not known to be transient, else Airflow's usual way."""
        if is_transient(exception):
            return RetryDecision.default()
        return RetryDecision.fail(reason=f"{type(exception).__name__} would come again: a retry would not help")


def is_transient(exception: BaseException) -> bool:
    """Whether a retry may help: a network, a disk or a database failed, not a name, a type or a number.

    What an exception was raised from counts too, as a driver's error does that the user's code wraps in its own. One
    with an attribute `transient` says it itself.
    """
    for one in _chain(exception):
        said = getattr(one, "transient", None)
        if isinstance(said, bool):
            return said
        if isinstance(one, OSError) and not isinstance(one, _OF_A_PATH):
            return True
        if _OUT_OF_REACH & {kind.__name__ for kind in type(one).__mro__}:
            return True
    return False


def _chain(exception: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = exception
    while one is not None:
        yield one
        one = one.__cause__
