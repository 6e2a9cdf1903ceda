"""Routes: whom an incident is told to, by how grave it is and what it is about; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from hindsight.monitors.strict import Name, Strict, Texts, as_tuple
from hindsight.vocabulary.severity import Severity

EMAIL, _ONE, ALERTMANAGER = "email", "email:", "alertmanager:"


def _listed(value: object) -> object:
    return as_tuple(value) if isinstance(value, list) else (value,)


Severities = Annotated[
    tuple[Annotated[Severity, Field(strict=False)], ...],
    BeforeValidator(_listed, json_schema_input_type=Severity | list[Severity]),
]


class Route(Strict):
    """What it names must hold, what it leaves out may be anything; `to` says where it leads.

    `email` is everyone in `alerts.email`, `email:<address>` one address, `alertmanager:<connection>` an Alertmanager,
    and any other name the Airflow connection of a channel such as Slack.
    """

    severity: Severities = ()
    kind: Literal["symptom", "cause"] | None = None
    rule: Name | None = None
    segment: str | None = None
    to: Texts = Field(min_length=1)

    def takes(self, severity: Severity, kind: str, rule: str, segment: str) -> bool:
        """Say whether an incident goes this way; a word about the monitor as a whole has no kind, rule or segment."""
        asked = ((self.kind, kind), (self.rule, rule), (self.segment, segment))
        return (not self.severity or severity in self.severity) and all(
            wanted is None or wanted == given for wanted, given in asked
        )


def receivers(
    routes: Sequence[Route], email: Iterable[str], severity: Severity, kind: str = "", rule: str = "", segment: str = ""
) -> tuple[str, ...]:
    """Return everyone an incident is told to, each once: all routes that take it add up; where none does, `email`."""
    everyone = tuple(email)
    named = [to for route in routes if route.takes(severity, kind, rule, segment) for to in route.to] or [EMAIL]
    found = (one for to in named for one in (everyone if to == EMAIL else (to.removeprefix(_ONE),)))
    return tuple(dict.fromkeys(found))
