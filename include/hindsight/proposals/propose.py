"""Propose: from what was seen of a table to the lines of a monitor file, each with its reason; pure.

What cannot be told is a remark with what to do about it, never a line that is made up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from hindsight.monitors.model import Task
from hindsight.proposals.clock import Clock
from hindsight.proposals.features import Finding, best_segment, finding
from hindsight.proposals.outputs import add_positive_label, add_scores, task_of
from hindsight.proposals.periods import Traffic, reference, rounded_up, window_size
from hindsight.proposals.proposal import Proposal, Wishes, plain, shown
from hindsight.proposals.roles import Roles
from hindsight.proposals.values import one_class
from hindsight.vocabulary.facts import LabelFacts, TableFacts
from hindsight.vocabulary.rows import Scalar
from hindsight.vocabulary.windows import Grid, format_duration, format_moment

_LATENCY_S = re.compile(r"(_s|_sec|_secs|_seconds)$", re.IGNORECASE)
_ROLES = ("id", "timestamp", "prediction", "score", "model_version", "latency_ms", "status_code", "cost")
_MODEL_NAMES = ("model_name", "model")


def propose(
    name: str,
    connection: str,
    table: TableFacts,
    roles: Roles,
    labels: LabelFacts | None,
    *,
    mean_scores: Mapping[Scalar, float],
    wishes: Wishes,
    clocks: Callable[[timedelta], Mapping[str, Clock]] = lambda size: {},
) -> Proposal:
    """Return the monitor file proposed for a table that has rows; `mean_scores` is the mean score by prediction.

    `clocks` says, for windows of a size, which columns the time of a row fixes, and how.
    """
    made = Proposal(name, table, roles)
    made.add("name", name)
    made.add("state", "paused", "set it to active when all else is right: then Airflow runs it")
    made.remark("model", "Whose model is it, and what for? owner: your-team, description: …")
    task = _model(made, labels, mean_scores, wishes)
    traffic, size = _time(made, wishes)
    made.add("source.connection", connection)
    classes = _predictions(made, task)
    _labels(made, labels, traffic.per(size))
    _columns(made, {*classes, *(known.column for known in roles.values())}, traffic.per(size), clocks(size))
    _reference(made, traffic, size)
    _rules(made)
    made.add("quality.suite", name, "the checks of single columns that came with this file")
    made.remark("quality", "Say who is told: alerts: {email: [you@example.com], runbook: https://…}")
    return made


def _model(made: Proposal, labels: LabelFacts | None, mean_scores: Mapping[Scalar, float], wishes: Wishes) -> Task:
    names = next((made.table.columns[name] for name in _MODEL_NAMES if name in made.table.columns), None)
    if names and names.kind == "text" and names.distinct == 1:
        made.add("model.name", str(names.common[0][0]), f"the one value of {names.name}")
    else:
        made.add("model.name", made.name)
        if names and names.kind == "text" and names.distinct > 1:
            made.remark(
                "model",
                f"CHECK: {names.name} has {names.distinct} values, and one file watches one model: make a view of each",
            )
    prediction = made.table.columns[made.roles["prediction"].column]
    task, why = (wishes.task, "you said so") if wishes.task else task_of(made.table, prediction, labels)
    made.add("model.task", task, why)
    if task == "binary":
        add_positive_label(made, prediction, labels, mean_scores, wishes)
    return task


def _time(made: Proposal, wishes: Wishes) -> tuple[Traffic, timedelta]:
    table = made.table
    if table.first is None or table.last is None:
        raise ValueError("a proposal needs a table with times")
    traffic = Traffic(table.rows, table.first, table.last)
    size = wishes.window or window_size(traffic)
    why = f"{traffic.per(size):,.0f} rows a window on average"
    if traffic.per(size) < 100:
        why += " - CHECK: few for accuracy and drift; a longer window sees more"
    made.add("window", format_duration(size), "you said so; " + why if wishes.window else why)
    _timezone(made, wishes)
    found = reference(traffic, Grid(size))
    start = found[1] if found else Grid(size).window_at(traffic.first).start
    why = "the first window after the reference" if found else "where the table begins"
    made.add("start", format_moment(start), f"{why}; a later one skips history")
    return traffic, size


def _timezone(made: Proposal, wishes: Wishes) -> None:
    if wishes.timezone is not None:
        made.add("timezone", wishes.timezone, "you said so; windows stay UTC")
        return
    why = "CHECK: whose weekdays and hours are these? Such as Europe/Berlin (--timezone); windows stay UTC"
    made.add("timezone", "UTC", why)


def _predictions(made: Proposal, task: Task) -> set[str]:
    """Add the columns of the predictions; return those that hold the scores of classes."""
    made.add("source.predictions.table", made.table.name)
    classes: set[str] = set()
    for role in _ROLES:
        if role == "score":
            classes = add_scores(made, task)
        elif found := made.roles.get(role):
            made.add(f"source.predictions.{role}", found.column, found.why + _doubt(made, role))
        else:
            made.remark("source.predictions", f"No column found for {role} (optional)")
    return classes


def _doubt(made: Proposal, role: str) -> str:
    column = made.table.columns[made.roles[role].column]
    if role == "id" and not column.is_unique:
        return (
            f" - CHECK: only {column.distinct:,} values in {column.rows:,} rows; of rows with one id the latest counts"
        )
    if role == "timestamp":
        others = [c.name for c in made.table.columns.values() if c.kind == "time" and c.known and c.name != column.name]
        also = f"; other times are {', '.join(others[:5])}" if others else ""
        return also + (f" - CHECK: {100 * column.null_share:.2g} % null, in no window" if column.nulls else "")
    if role == "latency_ms" and (_LATENCY_S.search(column.name) or column.quantiles.get(0.95, 1000.0) < 1):
        return " - CHECK: these look like seconds; milliseconds are needed, convert them in a view"
    if role == "status_code" and 200.0 not in {float(v) for v, _ in column.common if not isinstance(v, str)}:
        return " - CHECK: none is 200, and only rows of status 200 count for accuracy; take the line out"
    return ""


def _labels(made: Proposal, labels: LabelFacts | None, rows: float) -> None:
    if labels is None or (labels.asked and not labels.found and not labels.is_named):
        looked = f" ({labels.table} has none for {labels.asked:,} older predictions)" if labels else ""
        made.remark(
            "features",
            f"No table of labels was found{looked}, and without one no accuracy is measured. Add source.labels (table, "
            "id, label, arrived_at), or run again with --labels-table TABLE",
        )
        return
    where = "source.labels"
    made.add(f"{where}.table", labels.table, "the table of the predictions itself" * (labels.table == made.table.name))
    made.add(f"{where}.id", labels.id)
    made.add(f"{where}.label", labels.label, f"{len(labels.values)} values" if labels.values else "")
    if labels.arrived_at:
        made.add(f"{where}.arrived_at", labels.arrived_at, "when it could first be known")
    else:
        made.remark(
            where,
            "No column tells when a label came: it counts as known from the night that first sees it. If there is one, "
            "add arrived_at: COLUMN",
        )
    matures, why = _maturity(labels)
    made.add("labels.matures_after", matures, why)
    if 0 < rows < 150:
        made.add("labels.min_labels", max(int(rows / 4), 10), "a window has few rows; default 100")
    for key, doubt in _label_doubts(made, labels):
        made.remark(key, doubt)


def _label_doubts(made: Proposal, labels: LabelFacts) -> Iterator[tuple[str, str]]:
    if labels.delays and labels.delays[0.99] > timedelta(days=90):
        yield "labels", "CHECK: labels keep coming for months. A shorter matures_after judges sooner, on fewer of them"
    written_so = {str(plain(value)) for value in labels.values}
    if len(written_so) == 1 and labels.found < labels.asked:
        yield (
            "labels",
            f"CHECK: every label is {shown(plain(labels.values[0]))}. If none means the opposite, add absent_means",
        )
    classes = {one_class(value) for value in labels.values}
    known = {one_class(value) for value in made.table.columns[made.roles["prediction"].column].values}
    if classes and known and made.value("model", "task") != "regression" and not classes & known:
        yield "source.labels", "CHECK: no label is written like any prediction; make them alike in a view"


def _maturity(labels: LabelFacts) -> tuple[str, str]:
    if not labels.asked:
        return "14d", "CHECK: too little history to learn how long labels take"
    if not labels.found:
        return "14d", f"CHECK: none of {labels.asked:,} older predictions has a label here; are the ids the same?"
    share = f"{100 * labels.found / labels.asked:.3g} % of {labels.asked:,} older predictions have one"
    if not labels.delays:
        return "14d", f"CHECK: {share}, but nothing tells how long they took: by when are they complete?"
    late = labels.delays[0.99]
    return format_duration(min(rounded_up(late), timedelta(days=3660))), (
        f"{share}; half of these within {_said(labels.delays[0.5])}, 99 % within {_said(late)}"
    )


def _said(span: timedelta) -> str:
    if span <= timedelta(0):
        return "no time at all"
    return f"{span.days} days" if span.days > 2 else f"{span / timedelta(hours=1):.2g} hours"


def _columns(made: Proposal, taken: set[str], rows: float, clocks: Mapping[str, Clock]) -> None:
    """Add features, personal columns and a segment; say of the others why they are left out."""
    rest = {column.name: finding(column) for column in made.table.columns.values() if column.name not in taken}
    rest |= {name: Finding("left out", "names the model") for name in _MODEL_NAMES if name in rest}
    for name, found in rest.items():
        if found.kind not in ("numeric", "categorical"):
            continue
        if fixed := clocks.get(name):
            why = "; ".join(filter(None, (found.why, f"one value in each {fixed}")))
            made.add("features", {"type": found.kind, "clock": True}, why, name)
        else:
            made.add("features", found.kind, found.why, name)
    if of_clock := [name for name in clocks if rest.get(name) and rest[name].kind in ("numeric", "categorical")]:
        made.remark(
            "features",
            f"The time of a row fixes {', '.join(of_clock)}: how far they lie from a reference of another time tells "
            "nothing, so they are not compared with it (clock: true)",
        )
    private = [name for name, found in rest.items() if found.kind == "personal"]
    out = [f"{name} ({found.why})" for name, found in rest.items() if found.kind == "left out"]
    unnameable = "a monitor file takes names of letters a to z, digits and _; rename it in a view"
    out += [f"{name!r} ({unnameable})" for name in made.table.unnameable]
    if out:
        made.remark("pii" if private else "quality", "Left out of the features: " + "; ".join(out))
    if private:
        made.remark(
            "pii",
            "These columns look personal, so they are never read. To read one under a keyed hash, move it to "
            "`hash: […]` and make the connection hindsight_pii, whose password is the key",
        )
        made.add("pii.drop", private, "; ".join(f"{name} {rest[name].why}" for name in private))
    _segment(made, {name: found for name, found in rest.items() if name not in clocks}, rows)


def _segment(made: Proposal, rest: Mapping[str, Finding], rows: float) -> None:
    categories = [made.table.columns[name] for name, found in rest.items() if found.kind == "categorical"]
    best = best_segment(categories, rows)
    if best:
        column, smallest = best
        why = f"{column.distinct} values, the rarest in {100 * smallest:.2g} % of the rows; every number also for each"
        made.add("segments", [column.name], why)


def _reference(made: Proposal, traffic: Traffic, size: timedelta) -> None:
    found = reference(traffic, Grid(size))
    if found is None:
        made.remark(
            "quality",
            "Too little history for a reference, without which nothing can drift. Later add reference: {start: DATE, "
            "end: DATE}, a stretch you trust of some thousand rows or more",
        )
        return
    rows = traffic.per(size) * ((found[1] - found[0]) / size)
    made.remark("reference", "What windows are compared with. CHECK that nothing was wrong then")
    made.add("reference", {"start": format_moment(found[0]), "end": format_moment(found[1])}, f"about {rows:,.0f} rows")


def _rules(made: Proposal) -> None:
    if "latency_ms" not in made.roles:
        return
    quantiles = made.table.columns[made.roles["latency_ms"].column].quantiles
    p95, p99 = quantiles.get(0.95, 0.0), quantiles.get(0.99, 0.0)
    if p95 > 200:
        rule = {"id": "latency_p95", "above": float(f"{1.5 * p95:.2g}")}
        made.add("rules", [rule], f"usual is {p95:,.0f} ms; the built-in rule says 300")
    if p99 >= 500:
        made.remark("quality", f"CHECK: the slowest hundredth takes {p99:,.0f} ms; health warns from 500 on")
