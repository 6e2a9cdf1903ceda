"""OpenSLO: the SLOs of a monitor as YAML documents of that specification, version openslo/v1, for other tools to read.

Source: https://github.com/OpenSLO/OpenSLO#specification. Where the numbers lie, `metricSource.spec` says in words of
the snapshot table: rows of a monitor, kind and metric, and what to take of them.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from hindsight.monitors.model import Monitor
from hindsight.monitors.slos import BAD, Slo
from hindsight.vocabulary.windows import format_duration

VERSION = "openslo/v1"


def openslo(monitor: Monitor) -> str:
    """Return a service and its SLOs as YAML documents, in the order of the file; "" for a monitor without any."""
    from ruamel.yaml import YAML

    if not monitor.slos:
        return ""
    text, yaml = io.StringIO(), YAML()
    yaml.default_flow_style = False
    yaml.explicit_start = True
    yaml.dump_all([_service(monitor), *_slos(monitor)], text)
    return text.getvalue()


def _service(monitor: Monitor) -> dict[str, Any]:
    spec = {"description": monitor.description[:1050]} if monitor.description else {}
    return {"apiVersion": VERSION, "kind": "Service", "metadata": _named(monitor.name), "spec": spec}


def _slos(monitor: Monitor) -> Iterator[dict[str, Any]]:
    for name, slo in monitor.slos.items():
        spec = {
            "service": _name(monitor.name),
            "indicator": {"metadata": _named(f"{monitor.name}_{name}_sli"), "spec": _indicator(monitor, slo)},
            "timeWindow": [{"duration": format_duration(slo.period), "isRolling": True}],
            "budgetingMethod": "Timeslices" if slo.by_slices else "Occurrences",
            "objectives": [_objective(monitor, slo)],
        }
        yield {"apiVersion": VERSION, "kind": "SLO", "metadata": _named(f"{monitor.name}_{name}"), "spec": spec}


def _indicator(monitor: Monitor, slo: Slo) -> dict[str, Any]:
    if slo.by_slices:
        return {"thresholdMetric": _source(monitor, slo, "value")}
    which = "bad" if slo.metric in BAD else "good"
    return {
        "ratioMetric": {
            "counter": False,
            which: _source(monitor, slo, "sum(value * n)"),
            "total": _source(monitor, slo, "sum(n)"),
        }
    }


def _source(monitor: Monitor, slo: Slo, take: str) -> dict[str, Any]:
    kind, _, metric = slo.metric.partition(".")
    return {
        "metricSource": {
            "type": "hindsight",
            "spec": {"monitor": monitor.name, "kind": kind, "metric": metric, "take": take},
        }
    }


def _objective(monitor: Monitor, slo: Slo) -> dict[str, Any]:
    """The target; of slices also the limit within which one is good."""
    target = {"target": round(slo.target, 12)}
    if not slo.by_slices:
        return target
    op, value = ("lt", slo.below) if slo.below is not None else ("gte", slo.above)
    return (
        {"op": op, "value": value}
        | target
        | {"timeSliceTarget": 1.0, "timeSliceWindow": format_duration(monitor.window)}
    )


def _named(name: str) -> dict[str, str]:
    return {"name": _name(name), "displayName": name}


def _name(name: str) -> str:
    """A name as RFC 1123 has it: letters, digits and dashes."""
    return name.replace("_", "-").rstrip("-")
