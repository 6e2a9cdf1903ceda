"""Notifier: words about a user's own DAG, by the outbox of a monitor: the same receivers, retries and dead letters."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from copy import copy
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import BaseNotifier
from jinja2 import TemplateError

from hindsight.airflow.connections import open_resources
from hindsight.errors import ConfigError
from hindsight.monitors.loader import load_monitor
from hindsight.settings import read_settings
from hindsight.vocabulary.severity import Severity

SUBJECT = "{{ dag_run.dag_id }} failed"
TEXT = (
    "{{ dag_run.dag_id }} failed{% if ti is defined %} in task {{ ti.task_id }}{% endif %}, run {{ dag_run.run_id }}."
    "{% if exception is defined and exception %}\n\n{{ exception }}{% endif %}"
)
OF_A_TASK = ("dag_id", "run_id", "task_id", "map_index")


class HindsightNotifier(BaseNotifier):
    """Tells those who are told of a monitor; for callbacks, deadlines and approvals of any DAG.

    `monitor` is the name of a monitor, whose `alerts` say who is told at `severity`. `subject` and `text` are
    templates. A message is written into the outbox, which costs one transaction; `hindsight__relay` sends it. One
    occasion (a task of a run, or the run) is told once to each receiver, however often the callback runs. Raises
    ConfigError for an unknown monitor, and for one of which nobody is told at this severity.
    """

    template_fields = ("subject", "text")

    def __init__(self, monitor: str, subject: str = SUBJECT, text: str = TEXT, severity: str = "P1") -> None:
        super().__init__()
        self.monitor, self.subject, self.text = monitor, subject, text
        self.severity = Severity(severity)

    def __call__(self, *args: Any) -> None:
        """Tell, by a copy: what is rendered for one run must not be what the next one finds.

        Where a template cannot be rendered, what it is about is told all the same.
        """
        mine = copy(self)
        try:
            super(HindsightNotifier, mine).__call__(*args)
        except TemplateError as exc:
            context = args[0] if len(args) == 1 else {}
            mine.subject = f"about {occasion(context) or 'a DAG'}"
            mine.text = f"What was to be told could not be written: {exc}. Correct the template of the notifier.\n"
            mine.notify(context)

    def notify(self, context: Any) -> None:
        """Write the message into the outbox."""
        from hindsight import pipeline
        from hindsight.vocabulary.letters import Message

        monitor = load_monitor(self.monitor, read_settings().monitors)
        if not monitor.receivers(self.severity):
            raise ConfigError(
                f"{monitor.name}: nobody is told of {self.severity} - set alerts.email, or a route to take it"
            )
        message = Message(f"[{self.severity}] {monitor.name}: {self.subject}", self.text, severity=self.severity)
        pipeline.promise(monitor, f"notifier {occasion(context)}", message, open_resources(), datetime.now(UTC))

    async def async_notify(self, context: Any) -> None:
        """Write it from the triggerer, in a thread: the ledger's driver waits."""
        await asyncio.to_thread(self.notify, context)


def occasion(context: Mapping[str, Any]) -> str:
    """Return what a callback is about, the same for every try: the task, or else the run; "" where neither is known."""
    about = context.get("ti") or context.get("dag_run")
    found = about if isinstance(about, Mapping) else {name: getattr(about, name, None) for name in OF_A_TASK}
    return "/".join(str(found[name]) for name in OF_A_TASK if found.get(name) not in (None, -1))
