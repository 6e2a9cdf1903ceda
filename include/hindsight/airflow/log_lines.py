"""Log lines: what a task logs says which monitor, window and moment it is about, in fields beside Airflow's own."""

from __future__ import annotations

from datetime import datetime

from structlog.contextvars import bind_contextvars, unbind_contextvars

from hindsight.vocabulary.windows import Window


def about(monitor: str, *, window: Window | None = None, as_of: datetime | None = None) -> None:
    """Name a monitor, and the window or the moment of a night, in every line that this process logs from here on.

    Airflow merges such fields into each line of a task, also into those of other libraries.
    """
    unbind_contextvars("window", "as_of")
    bind_contextvars(monitor=monitor)
    if window is not None:
        bind_contextvars(window=str(window))
    if as_of is not None:
        bind_contextvars(as_of=as_of.isoformat())
