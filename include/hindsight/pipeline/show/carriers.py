"""Carriers: which segments and versions carry what an incident is about, against windows in which all was well."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from hindsight.checks.statistics.contributions import Contribution, Part, contributions, counts, distances
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.verdicts.model import Incident
from hindsight.vocabulary.measurement import STORED, Kind, Measurement
from hindsight.vocabulary.windows import Window

LOOKED_BACK = 28  # windows before the first bad one, of which those without a breach count
HEALTHY, REFERENCE = "healthy windows", "reference"
VERSIONS, OTHERS = "model version", "all others"
COUNTS = frozenset({"total_requests", "rows_raw", "n_labeled", "n_unlabeled"})
MEANS = frozenset(
    {
        *("error_rate", "availability", "http_4xx_rate", "http_5xx_rate", "timeout_rate", "cost_per_prediction"),
        *("accuracy", "mae", "mse", "brier", "log_loss", "positive_rate", "label_positive_rate", "coverage"),
    }
)
_BEHIND = {"health": ("error_rate", "latency_p99_ms"), "drifted": ("psi",)}
_CRITICAL_ERRORS = 0.05  # from this share of errors on health is about them, see docs/metrics.md


@dataclass(frozen=True, slots=True)
class Carried:
    """Of one metric in one window: all rows together, and ranked by column the parts they are made of.

    `usual` is what all rows had before; `against` says what the parts are compared with and `windows` in how many.
    `exact` says whether the shares are of the change itself. `references` are those of the parts, by name.
    """

    metric: str
    window: Window
    now: float | None
    usual: float | None
    against: str
    windows: int
    exact: bool
    groups: Mapping[str, Sequence[Contribution]]
    references: Mapping[str, float | None]

    @property
    def worst(self) -> str:
        """The segment that carries most, "" where none is known."""
        found = [one for column, ranked in self.groups.items() if column != VERSIONS for one in ranked]
        named = [one for one in found if one.part.name != OTHERS]
        best = max(named, key=lambda one: one.share or 0.0, default=None)
        return best.part.name if best and best.share and best.share > 0 else ""


def carried(
    monitor: Monitor, incident: Incident, known: Iterable[Incident], resources: Resources, window: Window | None = None
) -> Carried | None:
    """Return what carries an incident in its last bad window; None for a rule of the past, or one of no stored number.

    `known` are all incidents on record: no window in which one of them breached counts as healthy.
    """
    rule = next((one for one in monitor.rules if one.id == incident.series.rule), None)
    kind, _, name = rule.metric.partition(".") if rule else ("", "", "")
    if kind not in STORED:
        return None
    start = incident.breaches[-1]
    window = window or Window(start, start + monitor.window)
    before = healthy_windows(monitor, incident.started, known)
    read = resources.store.read(monitor.name, kinds=[Kind(kind)], windows=[window.start, *before])
    facts = _by_window(read, name, incident.series.feature)
    metric = _shown(name, facts[window.start])
    of = (metric, incident.series.feature)
    earlier = [_of(facts[at], *of) for at in before if facts[at]]
    return _carried(f"{kind}.{metric}", window, _of(facts[window.start], *of), [one for one in earlier if one])


def _by_window(table: pa.Table, metric: str, feature: str) -> dict[datetime, list[Measurement]]:
    """Return by window the numbers of a metric, or of those that are behind a grade, about one column."""
    bare = pc.and_(pc.equal(table["feature"], feature), pc.equal(table["bin"], ""))
    wanted = pc.and_(bare, pc.is_in(table["metric"], pa.array(_BEHIND.get(metric, (metric,)))))
    found: dict[datetime, list[Measurement]] = defaultdict(list)
    for row in table.filter(wanted).select(["window_start", *Measurement.__slots__]).to_pylist():
        found[row.pop("window_start")].append(Measurement(**row))
    return found


def healthy_windows(monitor: Monitor, onset: datetime, known: Iterable[Incident]) -> list[datetime]:
    """Return the starts of the windows before an onset in which no incident on record has a breach, oldest first."""
    broken = {start for one in known for start in one.breaches}
    every = (onset - place * monitor.window for place in range(LOOKED_BACK, 0, -1))
    return [start for start in every if start not in broken]


def _shown(metric: str, facts: Sequence[Measurement]) -> str:
    """Return the number behind a grade: what is off, not that it is."""
    if metric == "health":
        rates = [m.value for m in facts if m.metric == "error_rate" and not (m.segment or m.model_version)]
        return "error_rate" if ((rates and rates[0]) or 0.0) >= _CRITICAL_ERRORS else "latency_p99_ms"
    return "psi" if metric == "drifted" else metric


def _of(facts: Iterable[Measurement], metric: str, feature: str) -> dict[str, Measurement]:
    """Return the measurements of a metric by part: "" is all rows, "region=EU" a segment, "version v2" a version."""
    found = {}
    for one in facts:
        if one.metric == metric and one.feature == feature and not one.bin and one.value is not None:
            if not one.model_version:
                found[one.segment] = one
            elif not one.segment:
                found[f"{VERSIONS}={one.model_version}"] = one
    return found


def _carried(
    metric: str, window: Window, now: Mapping[str, Measurement], earlier: Sequence[Mapping[str, Measurement]]
) -> Carried:
    name = metric.partition(".")[2]
    usual = _usual(earlier, is_count=name in COUNTS) if earlier else _references(now)
    columns: dict[str, list[str]] = defaultdict(list)
    for part in {*now, *usual} - {""}:
        columns[part.partition("=")[0]].append(part)
    groups = {
        column: _contributions(name, [_part(part, now, usual) for part in sorted(parts)], _part("", now, usual))
        for column, parts in sorted(columns.items())
        if len(parts) > 1 and any(usual.get(part) for part in parts)
    }
    whole = now.get("")
    return Carried(
        metric,
        window,
        whole.value if whole else None,
        usual[""][0] if "" in usual else None,
        HEALTHY if earlier else REFERENCE,
        len(earlier),
        name in MEANS | COUNTS,
        groups,
        {part: one.reference for part, one in now.items()},
    )


def _contributions(metric: str, parts: Sequence[Part], whole: Part) -> Sequence[Contribution]:
    if metric in MEANS:
        return contributions([*parts, *_others(parts, whole)])
    return counts(parts) if metric in COUNTS else distances(parts)


def _others(parts: Sequence[Part], whole: Part) -> list[Part]:
    """Return as a part what is in none: rows without a value in the column, and values with too few to be measured."""
    n, n_before = (whole.n - sum(p.n for p in parts), whole.n_before - sum(p.n_before for p in parts))
    if n < 1 and n_before < 1:
        return []
    now = (whole.now * whole.n - sum(p.now * p.n for p in parts)) / n if n >= 1 else 0.0
    total = (whole.before or 0.0) * whole.n_before - sum((p.before or 0.0) * p.n_before for p in parts)
    before = total / n_before if n_before >= 1 else None
    return [Part(OTHERS, now, max(n, 0), before, max(n_before, 0.0))]


def _part(name: str, now: Mapping[str, Measurement], usual: Mapping[str, tuple[float, float]]) -> Part:
    here, (before, rows) = now.get(name), usual.get(name, (None, 0.0))
    value = here.value if here and here.value is not None else 0.0
    return Part(name, value, here.n if here else 0, before, rows)


def _usual(earlier: Sequence[Mapping[str, Measurement]], *, is_count: bool) -> dict[str, tuple[float, float]]:
    """Return of each part its mean over windows, weighted by rows, and how many rows it had in one on average."""
    found = {}
    for part in {part for one in earlier for part in one}:
        there = [one[part] for one in earlier if part in one]
        rows = sum(m.n for m in there)
        if is_count:
            found[part] = sum(m.value or 0.0 for m in there) / len(earlier), rows / len(earlier)
        elif rows:
            found[part] = sum((m.value or 0.0) * m.n for m in there) / rows, rows / len(earlier)
    return found


def _references(now: Mapping[str, Measurement]) -> dict[str, tuple[float, float]]:
    """Return the same by the reference of each part, with as many rows as now: how many it had there is not kept."""
    return {part: (m.reference, float(m.n)) for part, m in now.items() if m.reference is not None}
