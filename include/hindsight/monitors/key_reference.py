"""Key reference: docs/monitor-file.md, every key of a monitor file in tables, in the order of the file."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from hindsight.monitors.keys import keys, section_of
from hindsight.monitors.schema import schema

SECTIONS = {
    "Monitor": "The file",
    "ModelInfo": "model",
    "Source": "source",
    "Predictions": "source.predictions",
    "Labels": "source.labels",
    "LabelPolicy": "labels",
    "Feature": "features: {<column>: …}",
    "Pii": "pii",
    "Reference": "reference",
    "Quality": "quality",
    "Drift": "drift",
    "Kpi": "kpis: {<name>: …}",
    "RuleChange": "rules: [ … ]",
    "Alerts": "alerts",
    "Route": "alerts: routes: [ … ]",
    "Slo": "slos: {<name>: …}",
    "RepeatedSilence": "silences: [ … ]",
    "Retrain": "retrain",
    "Retention": "retention",
    "Calendar": "calendar",
}
_HEAD = """# Every key of a monitor file

Written by `python -m hindsight.monitors.key_reference > docs/monitor-file.md`. Editors show the same where a file says
`# yaml-language-server: $schema=` and the way to `include/monitors/schema.json`. `hindsight init` proposes a whole file
from a real table, `hindsight lint` names every error with its line.

Spans are `90m`, `6h`, `7d`; moments a date (its midnight in UTC) or ISO 8601. What is needed has no default.
"""


def text(schema: Mapping[str, Any]) -> str:
    """Return docs/monitor-file.md: a table a section, in the order of the file."""
    return "\n".join([_HEAD, *(line for name, title in SECTIONS.items() for line in _lines(schema, name, title))])


def _lines(schema: Mapping[str, Any], name: str, title: str) -> Iterator[str]:
    part = section_of(schema, name)
    yield f"## {title}" if name == "Monitor" else f"## `{title}`"
    yield ""
    yield "| key | what it means | default | example |"
    yield "|---|---|---|---|"
    for key, (means, example) in keys()[name].items():
        written = f"`{key}: {example}`" if example else ""
        yield f"| `{key}` | {means} | {_default(part, key)} | {written} |".replace("  |", " |")
    yield ""


def _default(part: Mapping[str, Any], key: str) -> str:
    if key in part.get("required", ()):
        return "needed"
    default = part["properties"][key].get("default")
    return "" if default in (None, "", [], {}) else f"`{default if isinstance(default, str) else json.dumps(default)}`"


if __name__ == "__main__":
    sys.stdout.write(text(schema()))
