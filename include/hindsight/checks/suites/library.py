"""Library: Great Expectations as it is used here.

It is slow to import and keeps state of its own, so it is imported where it is used, without what it would never be
asked for, given nothing to write and told no secret.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from types import ModuleType
from typing import Any
from warnings import catch_warnings, simplefilter

# What it imports wherever it is installed, and does without where it is not: clouds whose files it could read, Spark,
# and the dialects of warehouses. Of these, one that is asked anything was imported by its engine before.
WITHOUT = (
    *("azure", "boto3", "botocore", "google.api_core", "google.auth", "google.cloud", "pyspark"),
    *("databricks", "pyathena", "snowflake", "sqlalchemy_bigquery", "sqlalchemy_redshift", "trino"),
)
DRAWS = "altair"  # for pages we draw otherwise, but imported by an expectation


@contextmanager
def great_expectations(*, whole: bool = False) -> Iterator[Any]:
    """Yield a context that reads and writes nothing, reports nothing home and draws nothing on the screen.

    It is imported `whole` where nobody can know yet what it will be asked: in a process whose forks run tasks.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)  # its import already has much to say
    with catch_warnings():
        simplefilter("ignore")
        with nullcontext() if whole else _imported_lightly():
            import great_expectations as gx
            from great_expectations.data_context.types import base

        nowhere = base.DataContextConfig(
            store_backend_defaults=base.InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
            progress_bars=base.ProgressBarsConfig(globally=False),
            analytics_enabled=False,
        )
        yield gx.get_context(mode="ephemeral", project_config=nowhere)


@contextmanager
def _imported_lightly() -> Iterator[None]:
    """Let Great Expectations be imported without `WITHOUT`, as where these are not installed.

    What this process has imported already stays, and what is hidden can be imported afterwards. An import leaves no
    garbage worth looking for, and looking for it takes a fifth of its time.
    """
    if "great_expectations" in sys.modules:
        yield
        return
    instead: dict[str, Any] = dict.fromkeys(WITHOUT) | {DRAWS: _stand_in(DRAWS)}  # None: "cannot be imported"
    hidden = {name: module for name, module in instead.items() if name not in sys.modules}
    sys.modules.update(hidden)
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
        for name in hidden:
            sys.modules.pop(name, None)


def _stand_in(name: str) -> ModuleType:
    """Return a module that imports the one of this name when the first of its names is asked for."""
    module = ModuleType(name)
    module.__getattr__ = lambda attribute: getattr(import_module(name), attribute)  # type: ignore[method-assign]
    return module


@contextmanager
def configured_once() -> Iterator[None]:
    """Let each expectation put its configuration together once while a batch is validated.

    The library asks for it about a hundred times an expectation and never changes it; making it anew each time takes
    half of what a small batch costs.
    """
    from great_expectations.expectations import expectation as theirs

    every: Any = theirs.Expectation
    made = every.configuration
    known: dict[int, tuple[Any, Any]] = {}  # the expectation, too: while it is held, nothing else gets its id

    def once(expectation: Any) -> Any:
        if id(expectation) not in known:
            known[id(expectation)] = expectation, made.fget(expectation)
        return known[id(expectation)][1]

    every.configuration = property(once)
    try:
        yield
    finally:
        every.configuration = made
