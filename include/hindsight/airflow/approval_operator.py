"""Approval: a person says yes or no, and who said what is kept; Airflow's own operator returns nothing for a no."""

from __future__ import annotations

from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator


class Approval(ApprovalOperator):
    """Asks a person; hands the answer, whichever it is, to the tasks after it as XCom `answer`.

    One that does not ask lets the tasks after it go on: a run has the same tasks, whatever its monitor's file says.
    """

    def __init__(self, *, asks: bool = True, **rest: Any) -> None:
        super().__init__(**rest)
        self.asks = asks

    def execute(self, context: Any) -> Any:
        """Ask, and wait for the answer; or ask nobody."""
        return super().execute(context) if self.asks else None

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Keep who answered, "" for nobody in time, and go on as Airflow does: a no ends in skipped tasks."""
        if "error" not in event:
            user = event.get("responded_by_user") or {}
            name = " ".join(str(user.get("name") or user.get("id") or "").split())
            context["ti"].xcom_push("answer", {"by": name, "in_time": not event.get("timedout")})
        return super().execute_complete(context, event)
