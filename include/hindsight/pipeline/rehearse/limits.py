"""Limits: how many incidents each of five limits around the present one would have opened, rule by rule.

A rule with a limit is judged again on the stored numbers with the limit moved; one that judges a yes or no (news, a
changed schema) has none, and numbers of SLOs are not stored, so of these the verdicts are folded again with another
`for`. Either way it is the rule alone: no other rule mutes it, and incidents of one case are counted apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hindsight.monitors.model import Monitor
from hindsight.monitors.rules import Rule
from hindsight.pipeline.judge.knowledge import Known
from hindsight.pipeline.measure.windows import as_of_run
from hindsight.verdicts.against import against
from hindsight.verdicts.incidents import refold
from hindsight.verdicts.judge import Facts, judge, kind_of, waits_for_labels
from hindsight.verdicts.model import Series, State, Verdict
from hindsight.verdicts.muting import ABSENT
from hindsight.vocabulary.measurement import STORED, Kind, Measurement
from hindsight.vocabulary.windows import Window

FACTORS = (0.5, 0.75, 1.0, 1.5, 2.0)
FLAGS = frozenset({"drift.news", "drift.drifted", "labels.drifted", "operations.health"}) | {
    f"quality.{name}" for name in ("expectation_success", "schema_change", "score_mistaken", "stuck", "unit_change")
}
Histories = Mapping[Series, Sequence[Verdict]]
ByWindow = Mapping[datetime, Mapping[Kind, Sequence[Measurement]]]


@dataclass(frozen=True, slots=True)
class Cost:
    """How many incidents a limit would have opened; `present` is the one in the file."""

    limit: str
    incidents: int
    present: bool


@dataclass(frozen=True, slots=True)
class Costs:
    """What the limits of a rule would have cost, from the strictest on."""

    rule: str
    costs: tuple[Cost, ...]


def has_limit(rule: Rule) -> bool:
    """Whether a rule has a limit that can be moved, of a stored number: a yes or no has none, nor has no_data."""
    return rule.metric not in FLAGS and rule.id != ABSENT and kind_of(rule) in STORED


def variants(rule: Rule) -> list[tuple[str, Rule, bool]]:
    """Return five settings of a rule, the strictest first: how each is said, the rule, and whether it is in force.

    A limit is multiplied by 0.5, 0.75, 1, 1.5 and 2; one below which a share such as an accuracy is bad (over a half)
    has its distance to 1 multiplied, and a range (below and above) is widened on both sides.
    """
    if not has_limit(rule):
        first = max(1, rule.for_ - 2)
        lasting = [rule.model_copy(update={"for_": count}) for count in range(first, first + len(FACTORS))]
        return [(f"for {one.for_}", one, one.for_ == rule.for_) for one in lasting]
    moved = [(_moved(rule, factor), factor == 1) for factor in FACTORS]
    return [(_said(one), one, present) for one, present in (moved if _is_strict_first(rule) else moved[::-1])]


def _moved(rule: Rule, factor: float) -> Rule:
    scaled = {name: getattr(rule, name) for name in ("above", "critical", "drops_by", "rises_by")}
    fresh = {name: limit * factor for name, limit in scaled.items() if limit is not None}
    if rule.below is not None:
        fresh["below"] = _lower(rule.below, factor, is_range=rule.above is not None)
    return rule.model_copy(update=fresh)


def _lower(below: float, factor: float, *, is_range: bool) -> float:
    if is_range:
        return below / factor
    return 1 - (1 - below) * factor if 0.5 < below < 1 else below * factor


def _is_strict_first(rule: Rule) -> bool:
    """Whether a greater factor is a milder rule: not of a lone lower limit, which it raises."""
    alone = rule.below is not None and rule.above is None
    return not alone or 0.5 < (rule.below or 0) < 1


def _said(rule: Rule) -> str:
    limits = [f"{name} {limit:.4g}" for name in ("below", "above") if (limit := getattr(rule, name)) is not None]
    shares = ("drops_by", "rises_by")
    limits += [f"{name} {100 * limit:.4g}%" for name in shares if (limit := getattr(rule, name)) is not None]
    return ", ".join(limits)


def costs(monitor: Monitor, known: Known, kinds: Iterable[Kind], histories: Histories) -> Iterator[Costs]:
    """Yield what the limits of each rule would have cost; `histories` are the verdicts of the series that breached."""
    facts: ByWindow = known.of_rules(monitor, list(kinds))
    for rule in monitor.rules:
        own = _of_rule(monitor, rule, facts, known) if has_limit(rule) else []
        found, opened = [], 1
        for said, variant, present in variants(rule):
            if opened:  # what a stricter setting opens none of, a milder one does neither
                lines = _judged(monitor, variant, own) if has_limit(rule) else _of(rule, histories)
                opened = _opened(monitor, variant, lines)
            found.append(Cost(said, opened, present))
        yield Costs(rule.id, tuple(found))


def _of(rule: Rule, histories: Histories) -> Histories:
    return {series: verdicts for series, verdicts in histories.items() if series.rule == rule.id}


def _of_rule(
    monitor: Monitor, rule: Rule, facts: ByWindow, known: Known
) -> list[tuple[Window, datetime, dict[Kind, list[Measurement]]]]:
    """Return by window what a rule judges, and the labels where it waits for them."""
    found = []
    kind, metric = kind_of(rule), rule.metric.partition(".")[2]
    for start, numbers in sorted(facts.items()):
        window = Window(start, start + monitor.window)
        own = {kind: [one for one in numbers.get(kind, ()) if one.metric == metric and not one.bin]}
        as_of = as_of_run(monitor, window)
        if waits_for_labels(monitor, rule):
            own[Kind.LABELS] = list(numbers.get(Kind.LABELS, ()))
            as_of = known.as_of.get(start, as_of)
        found.append((window, as_of, own))
    return found


def _judged(monitor: Monitor, rule: Rule, own: Iterable[tuple[Window, datetime, Facts]]) -> Histories:
    alone = monitor.model_copy(update={"rules": (rule,)})
    judged = [verdict for window, as_of, facts in own for verdict in judge(alone, window, as_of, facts)]
    found: dict[Series, list[Verdict]] = defaultdict(list)
    for verdict in against(alone, judged, {(one.series, one.window.start): one for one in judged}):
        found[verdict.series].append(verdict)
    return found


def _opened(monitor: Monitor, rule: Rule, histories: Histories) -> int:
    folded = (refold(monitor.name, rule, series, verdicts, ()) for series, verdicts in histories.items())
    return sum(one.state is not State.WITHDRAWN for incidents in folded for one in incidents)


def plain(one: Costs) -> dict[str, Any]:
    """Return it as JSON has it."""
    return {
        "rule": one.rule,
        "costs": [{"limit": c.limit, "incidents": c.incidents, "present": c.present} for c in one.costs],
    }
