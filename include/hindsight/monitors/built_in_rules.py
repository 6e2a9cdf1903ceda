"""Built-in rules: those every monitor has until its file says otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from math import ceil, nextafter

from hindsight.monitors.promotion import promotion_rules
from hindsight.monitors.rules import Rule
from hindsight.monitors.slos import slo_rules
from hindsight.vocabulary.severity import Severity

WEEK = timedelta(days=7)
FEWEST = 3  # windows
NULLS = {"high": 0.02, "low": 0.1}  # how many more nulls than the reference has, where it is not the usual 0.05
_LOUDER = {Severity.P1: Severity.P0}
_MILDER = {Severity.P0: Severity.P1, Severity.P1: Severity.P2}
OF_CLASSES = ("score_mistaken", "class_imbalance")  # what a regression does not predict


def built_in_rules(
    task: str, drift_share: float, window: timedelta, *, slos: bool = False, retrains: bool = False
) -> tuple[Rule, ...]:
    """Return the rules every monitor has, for a model of this task, and those of one with SLOs or that is retrained.

    What follows the world, its seasons and weeks, ends when it has been calm for a week, or for three windows if that
    is longer: a quiet Sunday is no recovery. So do values that are rare in the reference and common in some weeks.
    """
    cycle = {"keep_for": max(ceil(WEEK / window), FEWEST)}
    error, relative = ("mae", "rises_by") if task == "regression" else ("accuracy", "drops_by")
    moves = {"over_reference": True, **cycle}
    share = {"min_rows": 20, "sigmas": 4}  # of many columns in every window

    def rule(id: str, metric: str, severity: str, **rest: object) -> Rule:
        return Rule.model_validate({"id": id, "metric": metric, "severity": severity, **rest})

    rules = (
        rule("no_data", "operations.total_requests", "P1", below=1, kind="symptom"),
        rule("health_warning", "operations.health", "P1", above=1, kind="symptom", min_rows=5),
        rule("health_critical", "operations.health", "P0", above=2, kind="symptom", min_rows=5),
        rule("latency_p95", "operations.latency_p95_ms", "P1", above=300, kind="symptom", min_rows=20),
        rule("volume", "operations.volume_ratio", "P1", below=0.5, above=2, min_rows=50, **cycle),
        rule("quality", "quality.expectations_failed", "P2", above=1),
        rule("quality_critical", "quality.expectations_failed_critical", "P1", above=1),
        rule("suite", "quality.suite_faults", "P1", above=1),
        rule("null_rate", "quality.null_rate", "P2", above=0.05, critical=0.01, over_reference=True, **share, **cycle),
        rule("schema", "quality.schema_change", "P1", above=1),
        rule("unit", "quality.unit_change", "P2", above=1, min_rows=30),
        rule("score_mistaken", "quality.score_mistaken", "P1", above=1, min_rows=50),
        rule("stuck", "quality.stuck", "P2", above=1, min_rows=20, **cycle),
        rule("sentinel", "quality.sentinel_share", "P2", above=0.005, **share, **cycle),
        rule("new_categories", "quality.new_category_share", "P2", above=0.05, over_reference=True, **share, **cycle),
        rule("out_of_range", "quality.out_of_range_share", "P2", above=0.02, over_reference=True, **share, **cycle),
        rule("duplicates", "quality.duplicate_rate", "P2", above=0.01, **share),
        rule("unknown_labels", "labels.unknown_label_share", "P1", above=0.01, min_rows=20),
        rule("ids_do_not_match", "labels.misspelt_share", "P1", above=0.05, min_rows=5, sigmas=4),
        rule("labels_stopped", "labels.missing_share", "P1", above=0.5, min_rows=20),
        rule("misdated", "quality.misdated_rows", "P2", above=1),
        rule("news", "drift.news", "P2", above=1, segments=True, **cycle),
        rule("drift", "drift.drifted", "P2", above=1, **cycle),
        # more than the share, not equal to it
        rule("drift_share", "drift.drift_share", "P2", above=nextafter(drift_share, 2), **cycle),
        rule("class_imbalance", "drift.class_share", "P2", above=0.2, below=-0.2, min_rows=100, **moves),
        rule("concept_drift", "performance.estimate_reading", "P2", above=2, enabled=False, **{"for": 2}, **cycle),
        rule("label_drift", "labels.drifted", "P2", above=1, min_rows=100, **cycle),
        rule("accuracy_drop", f"performance.{error}", "P0", kind="symptom", sigmas=3, **{relative: "15%"}, **cycle),
    )
    own = tuple(each for each in rules if task != "regression" or each.id not in OF_CLASSES)
    return own + (promotion_rules() if retrains else ()) + (slo_rules(cycle["keep_for"]) if slos else ())


def by_criticality(rules: Iterable[Rule], criticality: str) -> tuple[Rule, ...]:
    """Return built-in rules as loud as the model is critical, and as strict about nulls.

    Of a critical one symptoms are a step graver, for somebody feels them; of one that is not everything is a step
    milder.
    """
    return tuple(_weighed(rule, criticality) for rule in rules)


def _weighed(rule: Rule, criticality: str) -> Rule:
    step = _MILDER if criticality == "low" else _LOUDER if criticality == "high" and rule.kind == "symptom" else {}
    changes: dict[str, object] = {"severity": step.get(rule.severity, rule.severity)}
    if rule.id == "null_rate":
        changes["above"] = NULLS.get(criticality, rule.above)
    return rule.model_copy(update=changes)
