"""What types cannot say about a monitor file: whether its parts make sense together. Pure; yields where and what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from hindsight.errors import did_you_mean
from hindsight.monitors.counting_checks import counting_problems
from hindsight.monitors.document import Where
from hindsight.monitors.kpi_checks import kpi_problems
from hindsight.monitors.metric_catalog import metric, resource_metrics
from hindsight.monitors.model import Monitor
from hindsight.monitors.routes import ALERTMANAGER, EMAIL
from hindsight.monitors.rule_checks import is_mergeable, rule_problems
from hindsight.monitors.silences import YEAR_END, shortest_gap
from hindsight.monitors.slo_checks import slo_problems
from hindsight.monitors.strict import no_link
from hindsight.vocabulary.windows import format_duration

DRIFT_METHODS = ("psi", "psi_fine", "js_distance", "ks", "wasserstein_normed")
# Evidently 0.7's registry, written down because importing Evidently takes seconds; a test holds it up to date.
EVIDENTLY_STATTESTS = (
    "TVD", "abs_text_content_drift", "anderson", "chisquare", "cramer_von_mises", "ed", "empirical_mmd", "es",
    "fisher_exact", "g_test", "hellinger", "jensenshannon", "kl_div", "ks", "mannw", "perc_text_content_drift", "psi",
    "t_test", "wasserstein", "z",
)  # fmt: skip
ADDRESS = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*"
CONNECTION = r"[A-Za-z_][A-Za-z0-9_.-]{0,99}"
AIRFLOW_ID = r"[\w#!()\-.:/\\]{1,250}"  # as Airflow 3 takes the id of a connection
LONGEST_WINDOW = timedelta(days=366)
LONGEST_WAIT = timedelta(days=3660)

Found = Iterator[tuple[Where, str]]


def problems(monitor: Monitor) -> Found:
    """Yield everything about a well-typed monitor that cannot be meant."""
    yield from _earlier_names(monitor)
    yield from _spans(monitor)
    yield from _connection(monitor)
    yield from _model(monitor)
    yield from _drift_method(monitor)
    yield from counting_problems(monitor)
    yield from _private_columns(monitor)
    yield from _segments(monitor)
    yield from _tags(monitor)
    yield from _resources(monitor)
    yield from kpi_problems(monitor)
    yield from _people(monitor)
    yield from _schedule(monitor)
    yield from _silences(monitor)
    yield from _routes(monitor)
    yield from rule_problems(monitor)
    yield from slo_problems(monitor)


def _earlier_names(monitor: Monitor) -> Found:
    for i, name in enumerate(monitor.renamed_from):
        if name == monitor.name:
            yield ("renamed_from", i), f"{name!r} is the name it has now; say the ones it had before"
        elif name in monitor.renamed_from[:i]:
            yield ("renamed_from", i), f"{name!r} is said twice; say each name once, oldest first"


def _spans(monitor: Monitor) -> Found:
    if monitor.start and monitor.end and monitor.start >= monitor.end:
        yield ("end",), f"must be after start, {monitor.start:%Y-%m-%dT%H:%MZ}"
    waits = {("lateness",): monitor.lateness, ("labels", "matures_after"): monitor.labels.matures_after}
    for where, span, longest in [(("window",), monitor.window, LONGEST_WINDOW)] + [
        (where, span, LONGEST_WAIT) for where, span in waits.items()
    ]:
        if span > longest:
            yield where, f"expected at most {longest.days}d, found {span.days}d"
    if monitor.reference and monitor.reference.same_hour and monitor.window >= timedelta(days=1):
        yield ("reference", "same_hour"), "a window of a day or more holds every hour; use same_weekday"
    if monitor.window < timedelta(minutes=1):
        yield ("window",), "expected at least 1m"
    needed = monitor.labels.matures_after + monitor.window
    if monitor.retention.snapshots <= needed:
        yield (
            ("retention", "snapshots"),
            f"expected more than {format_duration(needed)}: a window and labels.matures_after",
        )


def _connection(monitor: Monitor) -> Found:
    if not re.fullmatch(AIRFLOW_ID, monitor.source.connection):
        yield ("source", "connection"), f"expected the id of an Airflow connection, got {monitor.source.connection!r}"


def _model(monitor: Monitor) -> Found:
    score, task = monitor.source.predictions.score, monitor.model.task
    where = ("source", "predictions", "score")
    if task == "regression" and score is not None:
        yield where, "a regression has no score; remove the key"
    if task == "binary" and isinstance(score, dict):
        yield where, "a binary model has one score column, the probability of the positive class"
    if task == "multiclass" and isinstance(score, str):
        yield where, f"a multiclass model has one column per class: {{class: {score}, …}}"
    if monitor.model.endpoint is not None and (wrong := no_link(monitor.model.endpoint)):
        yield ("model", "endpoint"), wrong
    if "labels" in monitor.model_fields_set and monitor.source.labels is None:
        yield ("labels",), "says when labels count, but source.labels does not say where they are"


def _drift_method(monitor: Monitor) -> Found:
    kind, _, stattest = monitor.drift.method.partition(":")
    where = ("drift", "method")
    if kind == "evidently" and stattest not in EVIDENTLY_STATTESTS:
        hint = did_you_mean(stattest, EVIDENTLY_STATTESTS) or f"; known are {', '.join(EVIDENTLY_STATTESTS)}"
        yield where, f"unknown Evidently test {stattest!r}{hint}"
    elif kind != "evidently" and monitor.drift.method not in DRIFT_METHODS:
        known = ", ".join((*DRIFT_METHODS, "evidently:<stattest>"))
        yield (
            where,
            f"unknown method {monitor.drift.method!r}"
            + (did_you_mean(monitor.drift.method, DRIFT_METHODS) or f"; known are {known}"),
        )


def _private_columns(monitor: Monitor) -> Found:
    source = monitor.source.predictions
    scores = source.score.values() if isinstance(source.score, dict) else [source.score]
    numbers = {source.timestamp, source.prediction, source.latency_ms, source.status_code, source.cost, *scores}
    numbers |= set(source.resources.values())
    numbers |= {name for name, feature in monitor.features.items() if feature.type == "numeric"}
    for i, column in enumerate(monitor.pii.hash):
        if column in monitor.pii.drop:
            yield ("pii", "hash", i), f"{column!r} is also in pii.drop; keep one of the two"
        elif column in numbers:
            yield ("pii", "hash", i), f"{column!r} is used as a number or a time, which a hash is not"
    for i, column in enumerate(monitor.pii.drop):
        if column in numbers | {source.id, source.model_version}:
            yield ("pii", "drop", i), f"{column!r} is needed; remove it here or from where it is used"
        elif column in monitor.features or column in monitor.segments:
            used = "features" if column in monitor.features else "segments"
            yield ("pii", "drop", i), f"{column!r} is dropped here, but listed in {used}"


def _segments(monitor: Monitor) -> Found:
    source = monitor.source.predictions
    unbounded = {source.id, source.timestamp, source.latency_ms, source.cost, *source.resources.values()}
    for i, column in enumerate(monitor.segments):
        if column in monitor.segments[:i]:
            yield ("segments", i), f"{column!r} is listed twice"
        elif column in unbounded:
            yield (
                ("segments", i),
                f"{column!r} has a value of its own in every row; segment by a column with few values",
            )


def _tags(monitor: Monitor) -> Found:
    for i, tag in enumerate(monitor.tags):
        if tag in monitor.tags[:i]:
            yield ("tags", i), f"{tag!r} is listed twice"


def _resources(monitor: Monitor) -> Found:
    for name in monitor.source.predictions.resources:
        taken = [path for path in resource_metrics([name]) if metric(path)]
        if taken:
            yield ("source", "predictions", "resources", name), f"is taken: {taken[0]} is a metric already"


def _people(monitor: Monitor) -> Found:
    for severity, every in monitor.alerts.repeat.items():
        if every > monitor.retention.messages:
            said = f"{format_duration(every)} for {severity} is longer than messages are kept (retention.messages)"
            yield ("alerts", "repeat"), said
    for i, address in enumerate(monitor.alerts.email):
        if not re.fullmatch(ADDRESS, address):
            yield ("alerts", "email", i), f"expected an address such as risk-ml@example.com, found {address!r}"
        elif address in monitor.alerts.email[:i]:
            yield ("alerts", "email", i), f"{address!r} is listed twice"
    if monitor.alerts.runbook is not None and (wrong := no_link(monitor.alerts.runbook)):
        yield ("alerts", "runbook"), wrong


def _schedule(monitor: Monitor) -> Found:
    if wrong := _no_cron(monitor.night_schedule):
        yield ("labels", "schedule"), f"{wrong}; '0 2 * * *' is every night at 02:00 UTC"


def _routes(monitor: Monitor) -> Found:
    known = {rule.id for rule in monitor.rules} if is_mergeable(monitor) else set()
    for i, route in enumerate(monitor.alerts.routes):
        where = ("alerts", "routes", i)
        if known and route.rule is not None and route.rule not in known:
            yield (*where, "rule"), f"unknown rule {route.rule!r}" + did_you_mean(route.rule, known)
        if route.segment is not None and route.segment.partition("=")[0] not in monitor.segments:
            yield (*where, "segment"), f"expected column=value of a column in segments, found {route.segment!r}"
        for j, to in enumerate(route.to):
            if to == EMAIL and not monitor.alerts.email:
                yield (*where, "to", j), "is told nobody: alerts.email names nobody"
            elif not re.fullmatch(CONNECTION, to.removeprefix(ALERTMANAGER)) and not re.fullmatch(
                ADDRESS, to.removeprefix("email:")
            ):
                said = "expected 'email', an address such as email:oncall@example.com, or the name of a connection"
                yield (*where, "to", j), f"{said}, found {to!r}"


def _no_cron(text: str) -> str:
    """Say why a text is no schedule, or "" where it is one."""
    if len(text.split()) != 5:
        return f"expected the five fields of cron, found {text!r}"
    from croniter import CroniterBadDateError, croniter  # comes with Airflow, which schedules by it

    if not croniter.is_valid(text):
        return f"not a valid cron schedule: {text!r}"
    try:
        croniter(text, YEAR_END).get_prev()
    except CroniterBadDateError:
        return f"there is no day on which {text!r} comes"
    return ""


def _silences(monitor: Monitor) -> Found:
    known = {rule.id for rule in monitor.rules} if is_mergeable(monitor) else set()
    for i, silence in enumerate(monitor.silences):
        where = ("silences", i)
        if wrong := _no_cron(silence.every):
            yield (*where, "every"), f"{wrong}; '0 22 * * 6' is every Saturday at 22:00 in the monitor's time zone"
        elif shortest_gap(silence.every, monitor.timezone) <= silence.lasting:
            yield (
                (*where, "lasting"),
                "lasts until it begins again, so that nobody would ever be told; disable the rule",
            )
        if known and silence.rule is not None and silence.rule not in known:
            yield (*where, "rule"), f"unknown rule {silence.rule!r}" + did_you_mean(silence.rule, known)
        if silence.segment and silence.segment.partition("=")[0] not in monitor.segments:
            yield (*where, "segment"), f"expected column=value of a column in segments, found {silence.segment!r}"
