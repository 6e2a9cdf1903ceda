"""The JSON Schema of a monitor file, by which editors complete and check it: it describes what users write."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from hindsight.monitors.file_checks import DRIFT_METHODS, EVIDENTLY_STATTESTS
from hindsight.monitors.keys import described
from hindsight.monitors.metric import ALL_TASKS
from hindsight.monitors.metric_catalog import RESOURCE_STATISTICS, rule_metrics
from hindsight.monitors.model import Monitor


class _AsWritten(GenerateJsonSchema):
    """Shows defaults as users write them: 14d, 1970-01-05."""

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, timedelta):
            return "forever" if dft == timedelta.max else _duration(dft)
        return f"{dft:%Y-%m-%d}" if isinstance(dft, datetime) else super().encode_default(dft)


def _duration(span: timedelta) -> str:
    minutes = span // timedelta(minutes=1)
    if minutes % 1440 == 0:
        return f"{minutes // 1440}d"
    return f"{minutes}m" if minutes % 60 else f"{minutes // 60}h"


def schema() -> dict[str, Any]:
    """Return the schema, with the known metrics and drift methods offered for completion."""
    result = Monitor.model_json_schema(schema_generator=_AsWritten)
    names = sorted({path for task in ALL_TASKS for path in rule_metrics(task)})
    free = rf"^(kpi\.|operations\.[a-z0-9_]+_({'|'.join(RESOURCE_STATISTICS)})$)"
    metric = {"anyOf": [{"enum": names}, {"type": "string", "pattern": free}]}
    result["$defs"]["RuleChange"]["properties"]["metric"] |= metric
    result["$defs"]["Slo"]["properties"]["metric"] |= metric
    method = [*DRIFT_METHODS, *(f"evidently:{stattest}" for stattest in EVIDENTLY_STATTESTS)]
    result["$defs"]["Drift"]["properties"]["method"]["enum"] = method
    tidy: dict[str, Any] = described(_tidy(result))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Hindsight monitor"} | tidy


def _tidy(part: Any) -> Any:
    """Leave out what an editor would only show as noise: titles, marks of the validator, defaults nobody writes."""
    if isinstance(part, list):
        return [_tidy(item) for item in part]
    if not isinstance(part, dict):
        return part
    noise = {key for key in ("title", "gt", "lt") if not isinstance(part.get(key), dict)}
    if isinstance(part.get("default"), dict | None) or part.get("default") == "0d":
        noise.add("default")
    return {key: _tidy(value) for key, value in part.items() if key not in noise}


def text() -> str:
    """Return the schema as the text of include/monitors/schema.json."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(text(), end="")
