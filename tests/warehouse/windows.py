"""A window collected from a table, and the ids it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from hindsight.monitors.model import Monitor
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.connect import open_engine
from hindsight.warehouse.predictions import collect
from hindsight.warehouse.rows import WindowRows
from tests.builders import a_monitor, a_window


def collected(
    url: sa.URL, folder: Path, monitor: Monitor | None = None, window: Window | None = None, **rest: Any
) -> WindowRows:
    return collect(
        open_engine(url),
        monitor or a_monitor(),
        window or a_window(),
        folder=folder,
        pii_key=rest.pop("key", None),
        **rest,
    )
