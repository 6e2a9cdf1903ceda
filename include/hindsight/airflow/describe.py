"""What the UI says about a monitor's DAGs, in the words of its file."""

from __future__ import annotations

from datetime import timedelta

from hindsight.monitors.kpis import is_labelled_metric
from hindsight.monitors.model import Monitor
from hindsight.monitors.rules import Rule

TITLES = {"monitor": "windows", "labels": "labels", "retrain": "retraining", "rollback": "rollback"}

RELAY = """Sends the mail that waits and starts the DAG runs that were asked for.

Mail and requests are written into the ledger in the transaction that opened their incident. Whatever was not handed
over then, because a server was down or a process died, goes out from here. A request becomes exactly one run: its run
id is fixed, and a run of that id that is there already counts as started. A DAG that is missing, broken or paused makes
no run of this one fail: people are told once, and the request stays until the DAG takes it.
"""

MAINTENANCE = """Tidies up, and asks whether every active monitor has reported.

People are told of a monitor that is silent for two windows: no news is not good news. Incidents of monitors that were
archived or removed are closed, and those who knew of them are told once. The snapshot files of closed hours, days and
months are folded into one each. Once a day, in the hour from 04:00 UTC on, windows of the last week whose rows have
become more since they were measured are measured again by quiet runs. What is older than the `retention` of its monitor
file is deleted (`hindsight expire --dry-run` lists it).
"""

REVIEW = """Tells everyone who owns monitors what the week came to that has just ended.

How often people were told and what they made of it, what is open, labels that are late, error budgets, what became of
retrainings, drift, cost and silences: one message to each receiver for each owner, by the routes of the monitor files.
Run again it tells nobody twice. `HINDSIGHT_REVIEW` is `weekly`, `monthly` or `off`; `hindsight review` and the page
`/hindsight/review` show the same at any time.
"""

PROPOSE = """Makes a monitor from a form: looks at a table, proposes, and writes what a person approves.

Trigger it and say in the form which table; the guesses, each with its reason, stand in the log of `propose` and with
the question of `approve`. What you know better goes into `overrides`, in the words of a monitor file. What is approved
is written to the folder HINDSIGHT_DRAFTS, and its DAGs are there, paused, as soon as Airflow has read it: turn them on.
Nothing that is there is overwritten. A draft names no code and no file: a file in the folder of monitors may.
"""

_WHAT = {
    "monitor": "Checks every window of {every} of **{name}**, read {lateness} after its end: data quality, operations, "
    "drift. What it finds is kept as a snapshot, judged by the rules below, and told.",
    "labels": "Every night, finds the windows of **{name}** that new labels touch or that have matured, measures them "
    "again as of that night, judges them, sends the digest and makes the accuracy report. Labels count as complete "
    "{matures} after a window. Nights begin by `{nights}` (cron, UTC).",
    "retrain": "Retrains **{name}** when asked for: trains on what was known then, compares the challenger with the "
    "champion on labelled rows neither was trained on, {approval}and promotes it only if it is better. Trigger it to "
    "ask for a retraining yourself; everything in the form may stay empty.",
    "rollback": "Puts an earlier champion of **{name}** back in production: says which, asks a person, freezes the "
    "reference for it and tells everybody. Trigger it, and say why in the form; `hindsight rollback {name}` does the "
    "same without asking.",
}


def one_line(kind: str, monitor: Monitor) -> str:
    """Return what the list of DAGs says below the name."""
    return monitor.description or _what(kind, monitor).replace("**", "").partition(":")[0].partition(",")[0]


def dag(kind: str, monitor: Monitor) -> str:
    """Return the documentation of the DAG `<kind>__<name>` as Markdown."""
    parts = [monitor.description, _what(kind, monitor)]
    if monitor.state == "paused":
        parts.append("**Paused in its file**: nothing is scheduled. Resuming moves on with the next window.")
    if kind in ("monitor", "labels"):
        parts.append(
            "\n".join(("| rule | breaches at | severity | then |", "|---|---|---|---|", *_rules(kind, monitor)))
        )
    facts = {"Owner": monitor.owner, "Runbook": monitor.alerts.runbook, "Mail": ", ".join(monitor.alerts.email)}
    parts.append("\n".join(f"- {name}: {value}" for name, value in facts.items() if value))
    return "\n\n".join(part for part in parts if part)


def text(span: timedelta) -> str:
    """Return a span of time in the words of monitor files: 90 min, 6 h, 14 d."""
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    if seconds:
        return f"{int(span.total_seconds())} s"
    for size, unit in ((1440, "d"), (60, "h")):
        if minutes and minutes % size == 0:
            return f"{minutes // size} {unit}"
    return f"{minutes} min"


def _what(kind: str, monitor: Monitor) -> str:
    asks = monitor.retrain is not None and monitor.retrain.approval
    return _WHAT[kind].format(
        name=monitor.name,
        every=text(monitor.window),
        lateness=text(monitor.lateness),
        matures=text(monitor.labels.matures_after),
        nights=monitor.night_schedule,
        approval="asks for approval " if asks else "",
    )


def _rules(kind: str, monitor: Monitor) -> list[str]:
    def nightly(rule: Rule) -> bool:
        return rule.metric.startswith(("performance.", "labels.")) or is_labelled_metric(monitor, rule.metric)

    wanted = [rule for rule in monitor.rules if nightly(rule) == (kind == "labels")]
    return [f"| {r.id} | {r.metric} {_threshold(r)} | {r.severity} | {', '.join(r.then)} |" for r in wanted]


def _threshold(rule: Rule) -> str:
    words = {
        "≥": rule.above,
        "<": rule.below,
        "drops by": rule.drops_by and f"{rule.drops_by:.0%}",
        "rises by": rule.rises_by and f"{rule.rises_by:.0%}",
    }
    said = " or ".join(
        f"{word} {value:g}" if isinstance(value, float) else f"{word} {value}"
        for word, value in words.items()
        if value is not None
    )
    return f"{said}, {rule.for_} windows in a row" if rule.for_ > 1 else said
