"""Ranking: the drifted columns of a window, those that moved most and matter most to the model first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.verdicts.model import Incident
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.windows import Window

DRIFTED, SHARE = "drift.drifted", "drift.drift_share"
_Place = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Moved:
    """A drifted column: its effect, PSI whatever decided, and what it weighs in the model."""

    name: str
    psi: float
    importance: float

    @property
    def weight(self) -> float:
        """What columns are ordered by: importance times effect."""
        return self.importance * self.psi


def importance_of(monitor: Monitor, name: str) -> float:
    """Return what the monitor file says a column weighs: 1 where no feature says anything, else 0 for one without.

    Prediction and score are what people act on: they weigh as much as the weightiest feature.
    """
    declared = [feature.importance for feature in monitor.features.values() if feature.importance is not None]
    if name not in monitor.features:
        return max(declared, default=1.0)
    own = monitor.features[name].importance
    return (0.0 if declared else 1.0) if own is None else own


def moved(monitor: Monitor, measured: Iterable[Measurement]) -> list[Moved]:
    """Return the columns that drifted in all rows of a window, the weightiest first."""
    return _ranked(_effects(monitor, measured), "", "")


def effects_of(monitor: Monitor, incidents: Iterable[Incident], resources: Resources) -> dict[str, list[Moved]]:
    """Return, by the id of each incident of drift, what moved in the last window that breached, the weightiest first:
    the column it is about, or the features behind a share of drifted ones.
    """
    rules = {rule.id: rule.metric for rule in monitor.rules if rule.metric in (DRIFTED, SHARE)}
    windows: dict[datetime, dict[_Place, Moved]] = {}
    found = {}
    for incident in incidents:
        if incident.series.rule in rules and incident.breaches:
            start = incident.breaches[-1]
            if start not in windows:
                window = Window(start, start + monitor.window)
                windows[start] = _effects(monitor, resources.store.measurements(monitor.name, Kind.DRIFT, window))
            series = incident.series
            every = _ranked(windows[start], series.model_version, series.segment)
            wanted = {series.feature} if rules[series.rule] == DRIFTED else monitor.features.keys()
            found[incident.id] = [one for one in every if one.name in wanted]
    return found


def _ranked(effects: Mapping[_Place, Moved], version: str, segment: str) -> list[Moved]:
    found = [one for (v, s, _), one in effects.items() if (v, s) == (version, segment)]
    return sorted(found, key=lambda one: (-one.weight, -one.psi, one.name))


def _effects(monitor: Monitor, measured: Iterable[Measurement]) -> dict[_Place, Moved]:
    rows = [m for m in measured if m.metric in ("psi", "drifted") and m.value]
    drifted = {(m.model_version, m.segment, m.feature) for m in rows if m.metric == "drifted"}
    psi = {(m.model_version, m.segment, m.feature): m.value or 0.0 for m in rows if m.metric == "psi"}
    return {p: Moved(p[2], psi.get(p, 0.0), importance_of(monitor, p[2])) for p in sorted(drifted)}
