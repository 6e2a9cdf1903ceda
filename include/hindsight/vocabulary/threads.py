"""Threads that know what the one knows that starts them, such as what a use case remembers of a store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context


def pool(most: int) -> ThreadPoolExecutor:
    """Return a pool of up to `most` threads, each of which begins with the context variables of the caller."""
    context = copy_context()

    def inherit() -> None:
        for variable, value in context.items():
            variable.set(value)

    return ThreadPoolExecutor(most, initializer=inherit)
