"""Library: Great Expectations as it is used here.

It is slow to import and keeps state of its own, so it is imported where it is used, given nothing to write and told no
secret.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from warnings import catch_warnings, simplefilter


@contextmanager
def great_expectations() -> Iterator[Any]:
    """Yield a context that reads and writes nothing, reports nothing home and draws nothing on the screen."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)  # its import already has much to say
    with catch_warnings():
        simplefilter("ignore")
        import great_expectations as gx
        from great_expectations.data_context.types import base

        nowhere = base.DataContextConfig(
            store_backend_defaults=base.InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
            progress_bars=base.ProgressBarsConfig(globally=False),
            analytics_enabled=False,
        )
        yield gx.get_context(mode="ephemeral", project_config=nowhere)
