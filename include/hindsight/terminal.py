"""Terminal: states, numbers and incidents as people read them; no cell is markup."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hindsight.ledger.records import Mail, MailState, Progress
from hindsight.messages.wording import clean, number
from hindsight.pipeline.show.state import PROVISIONAL, MonitorState, Number, Story
from hindsight.verdicts.model import State
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.severity import Severity

if TYPE_CHECKING:
    from hindsight.pipeline.propose import Written
    from hindsight.pipeline.show.audit import Deed
    from hindsight.pipeline.show.baseline_contents import Frozen, Held, Refitted
    from hindsight.pipeline.show.doctor import Part
    from hindsight.pipeline.show.slos import SloState
    from hindsight.training.grade import Grade
    from hindsight.training.registry import ModelVersion

HEALTH = {"healthy": "green", "warning": "yellow", "critical": "bold red"}
SEVERITY = {Severity.P0: "bold red", Severity.P1: "yellow", Severity.P2: "cyan"}
STATE = {
    State.OPEN: ("●", ""),
    State.RECOVERING: ("◐", "yellow"),
    State.RESOLVED: ("○", "dim"),
    State.WITHDRAWN: ("✕", "dim"),
}
QUALITY = ("performance.accuracy", "performance.mae")
DULL = {
    "reference_age_days",
    "health",
    "rows_raw",
    "http_4xx_rate",
    "http_5xx_rate",
    "throughput_rps",
    "n_labeled",
    "fpr",
    "fnr",
}
TOP = 10  # drifted columns
SHORT = 8  # letters of an incident's id, enough to name it by
NOTABLE = 0.01  # more of a column's rows than in the reference, to be worth a line


def monitors(states: Iterable[MonitorState]) -> Table:
    """One line a monitor: what state it is in, how it does, and since when nothing newer is known."""
    table = _table("monitor", "state", "health", "last window", "open incidents", "quality", right="quality")
    for state in states:
        cells = (Text(state.name, "bold"), Text(state.state), _health(state), Text(_moment(state.window)))
        table.add_row(*cells, _open(state), Text(_quality(state).strip()))
    return table


def monitor(state: MonitorState, standing: Sequence[Story], *, everything: bool) -> RenderableType:
    """One monitor: its state, the incidents that are open, and the numbers worth a look, or every one of them."""
    head = Text.assemble((state.name, "bold"), f"  {state.state}  ", _health(state), "  last window ")
    head.append(_moment(state.window)).append("  open ").append_text(_open(state))
    parts: list[RenderableType] = [head]
    if state.nights:
        parts.append(Text(f"nights of labels begin by {state.nights} (cron, UTC)", "dim"))
    if standing:
        parts += ["", incidents(standing)]
    shown = state.numbers if everything else tuple(_worth_a_look(state.numbers))
    if shown:
        parts += ["", _numbers(shown)]
    more = len(_drifted(state.numbers)) - TOP
    if more > 0 and not everything:
        parts += [Text(f"  and {more} more drifted columns", "dim")]
    for note in _warnings(state.numbers):
        parts += ["", Text(note, "yellow")]
    if hidden := len(state.numbers) - len(shown):
        parts += ["", Text(f"{hidden} more numbers with --all", "dim")]
    return Group(*parts)


def incidents(stories: Sequence[Story]) -> RenderableType:
    """One line an incident: how severe, what happened in the words of the mail, from when to when, what was done.

    Below its state stands how its id begins, at the end where to look first of what is open.
    """
    table = _table("", "", "what", "from → to", "done")
    several = len({story.incident.monitor for story in stories}) > 1
    for name, some in groupby(stories, key=lambda story: story.incident.monitor):
        if several:
            table.add_row("", "", Text(name, "bold"))
        for story in some:
            style = STATE[story.incident.state][1]
            table.add_row(*_incident(story), style=style)
    hints = dict.fromkeys((story.incident.series.rule, story.advice) for story in stories if story.advice)
    return Group(table, *(Text(f"{rule}: {advice}", "dim") for rule, advice in hints))


def models(versions: Iterable[tuple[ModelVersion, Progress | None]], grades: Mapping[str, Grade | None]) -> Table:
    """One row a version: stage, training and, a line each, comparison, since when, its first windows, who decided."""
    table = _table("version", "stage", "trained on", "what is known of it")
    for version, request in versions:
        stage = "rolled back" if version.rolled_back_at else str(version.stage)
        style = {"champion": "green", "rolled back": "red"}.get(stage, "dim" if stage == "archived" else "")
        rows = f"{version.n_rows:,} rows\n{version.trained_from:%Y-%m-%d} to\n{version.trained_to:%Y-%m-%d}"
        known = "\n".join(filter(None, _known(version, request, grades.get(version.version))))
        table.add_row(Text(version.version, "bold"), stage, Text(rows), Text(known), style=style)
    return table


def _known(version: ModelVersion, request: Progress | None, grade: Grade | None) -> Iterator[str]:
    yield _compared(version.metrics)
    yield f"champion since {_moment(version.promoted_at)}" if version.promoted_at else ""
    yield f"then {grade.metric} {grade.realised:.3g}: {grade.mark.words}" if grade else ""
    yield clean(request.outcome, 60) if request else ""
    yield f"file {version.sha256[:12]}"


def _compared(metrics: Mapping[str, Any]) -> str:
    """'accuracy 0.91 against 0.82' of the comparison that a version was registered with."""
    name = next((name for name in metrics if f"champion_{name}" in metrics), "")
    return f"{name} {metrics[name]:.4g} against {metrics[f'champion_{name}']:.4g}" if name else ""


def slos(states: Iterable[SloState]) -> Table:
    """One line an SLO: its promise, what is left of the budget, how fast it goes, since when that is an incident."""
    table = _table("slo", "good", "target", "budget left", "burn", "longer", "by", "open since", right="budget left")
    for state in states:
        cells = (state.good, state.promised, number("budget_left", state.left), *state.burns, _moment(state.window))
        since = _moment(state.since) if state.since else ""
        table.add_row(Text(state.name, "bold"), *map(Text, cells), since, style="yellow" if state.since else "")
    return table


def doctor(parts: Iterable[Part]) -> Table:
    """One line a part: whether it is well, and what was seen."""
    table = _table("", "part", "")
    for part in parts:
        mark, style = ("✓", "green") if part.well else ("✕", "bold red")
        table.add_row(Text(mark, style), part.name, Text(clean(part.said, 300), "" if part.well else style))
    return table


def audit(deeds: Iterable[Deed]) -> Table:
    """One line a deed: when, whose monitor, who, what and why."""
    table = _table("when", "monitor", "who", "what", "why")
    for deed in deeds:
        cells = (clean(deed.who, 60), clean(deed.what, 120), clean(deed.why, 300))
        table.add_row(_moment(deed.at), deed.monitor, *map(Text, cells))
    return table


def outbox(mails: Iterable[Mail]) -> Table:
    """What mail waits or was given up: to whom, since when, how often it was tried, and what was said last."""
    table = _table("id", "mail", "promised", "", "why", right="id")
    for mail in mails:
        given_up = mail.state is MailState.DEAD
        stands = "given up" if given_up else f"tried {mail.attempts} ×, next {_moment(mail.next_at)}"
        said = clean(mail.last_error, 300) or "not tried yet"
        whose = Text(f"{clean(mail.subject, 80)}\nto {clean(mail.recipient, 60)}")
        table.add_row(
            str(mail.id), whose, _moment(mail.created_at), stands, Text(said), style="red" if given_up else ""
        )
    return table


def proposal(written: Written) -> RenderableType:
    """What was guessed of a table and why, what is to be checked, and what to type next."""
    from hindsight.proposals.proposal import plain_guesses

    made = written.proposal
    guesses = _table("", "guess", "why")
    for key, value, why in plain_guesses(made):
        doubtful = "CHECK" in why
        guesses.add_row(key, Text(clean(value, 60), "bold"), Text(clean(why, 200), "yellow" if doubtful else "dim"))
    remarks = [Text(f"• {clean(text, 400)}") for texts in made.remarks.values() for text in texts]
    then = [Text(f"  {command}", "bold") for command in written.commands]
    head = Text.assemble(
        (made.name, "bold"), f"  {made.table.rows:,} rows of {made.table.name}, {made.table.looked_at:,} looked at"
    )
    return Group(
        head,
        "",
        guesses,
        "",
        *remarks,
        "",
        Text(f"Written: {written.monitor}"),
        Text(f"         {written.suite}"),
        "",
        Text("Read the file, correct it, then:"),
        *then,
    )


def baseline(state: Frozen) -> RenderableType:
    """What windows are compared with: since when, from which rows, and what is frozen of each column."""
    if not state.id:
        now = f"; {state.changed} has changed since the last one was frozen" if state.changed else ""
        when = (
            f"it is frozen by the first `hindsight run` that finds rows in it ({state.reference}), or now with --refit"
        )
        return Group(Text(f"{state.monitor}: no baseline yet{now} - {when}"), *_kept(state))
    old = "" if state.age is None else f", its newest row {_days(state.age)} {state.as_of:%Y-%m-%d}"
    version = f"of version {state.model_version}" if state.model_version else "of all versions"
    labels = "mature" if state.labels == "mature" else "still arriving when it was frozen"
    lines = (
        ("reference", f"{state.reference}{old}"),
        ("rows", f"{state.rows:,}, the output {version} from {state.rows_output:,}"),
        ("fitted", f"as of {_moment(state.fitted_as_of)}, in force {_since(state.effective_from)}"),
        ("labels", f"{labels}; calibration: {state.calibration}"),
        ("performance", ", ".join(_performance(state)) or "none"),
        ("segments", ", ".join(clean(segment, 40) for segment in state.segments) or "none"),
    )
    head = Text.assemble((state.monitor, "bold"), f"  {state.id}")
    facts = Table.grid(padding=(0, 2))
    for name, text in lines:
        facts.add_row(Text(name, "dim"), Text(text))
    wrong = [Text(f"CHECK the score: {clean(state.mistaken, 300)}", "yellow")] if state.mistaken else []
    skipped = [Text(f"{name}: {clean(why, 200)}", "yellow") for name, why in (state.skipped or {}).items()]
    return Group(head, facts, "", _columns(state.columns), *wrong, *skipped, *_kept(state))


def refitted(result: Refitted) -> RenderableType:
    """Which baseline took the place of which, what is different, and the new one."""
    before, after = result.before, result.after
    if not after.id:
        said = f"{after.monitor}: nothing frozen: the reference has no rows yet"
    elif before.id == after.id:
        said = f"{after.monitor}: nothing changed; {after.id} stays"
    elif not before.id:
        said = f"{after.monitor}: frozen {after.id}, in force {_since(after.effective_from)}"
    else:
        what = "; ".join(result.changes) or "nothing but its date"
        said = f"{after.monitor}: {before.id} → {after.id}, in force {_since(after.effective_from)}; {what}"
    return Group(Text(said, "bold"), "", baseline(after)) if before.id != after.id else Text(said)


def _performance(state: Frozen) -> Iterator[str]:
    """The numbers of the whole reference; those of segments are counted."""
    found = state.performance or {}
    whole = {name: value for name, value in found.items() if "=" not in name}
    yield from (f"{name} {number(name, value)}" for name, value in whole.items())
    if len(found) > len(whole):
        yield f"and {len(found) - len(whole)} of segments (--json)"


def _columns(columns: Iterable[Held]) -> Table:
    table = _table("column", "", "null", "mean ± std", "range or most frequent", "bins", "", right="null")
    for one in columns:
        mean = "" if one.mean is None or one.std is None else f"{_short(one.mean)} ± {_short(one.std)}"
        span = "" if one.low is None or one.high is None else f"{_short(one.low)} to {_short(one.high)}"
        often = ", ".join(f"{clean(text, 24)} {share:.0%}" for text, share in one.top[:3])
        bins = f"{one.bins}" + (
            f", {len(one.point_masses)} point mass{'es' * (len(one.point_masses) > 1)}" if one.point_masses else ""
        )
        learnt = "" if one.threshold is None else f"drift over {_short(one.threshold)}"
        cells = (one.name, one.role, f"{one.null_share:.1%}", mean, span or often, bins, learnt)
        table.add_row(*map(Text, cells[:-1]), Text(", ".join(filter(None, (learnt, one.note)))))
    return table


def _kept(state: Frozen) -> Iterator[Text]:
    """Which baselines there are, where it is more than the one in force."""
    if [one.id for one in state.kept] in ([], [state.id]):
        return
    yield Text(
        f"\n{len(state.kept)} baselines are kept; windows take the newest that is in force when they start:", "dim"
    )
    for one in state.kept:
        of = f", version {one.model_version}" if one.model_version else ""
        gone = "" if one.is_declared else ", for what the file said before"
        early = "" if one.labels == "mature" else ", its labels still arriving"
        yield Text(f"{'●' if one.id == state.id else '○'} {one.id}  {_since(one.effective_from)}{of}{early}{gone}")


def _since(moment: datetime | None) -> str:
    return "from the beginning" if moment is None else f"for windows from {_moment(moment)} on"


def _days(span: timedelta) -> str:
    days = round(span / timedelta(days=1))
    return f"{days:,} days before" if days >= 0 else f"{-days:,} days after"


def _short(value: float) -> str:
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e15 else f"{value:.3g}"


def _incident(story: Story) -> tuple[Text, ...]:
    incident = story.incident
    mark, style = STATE[incident.state]
    what = Text(story.what.replace(" %", "\N{NO-BREAK SPACE}%"), overflow="fold")
    severity = Text(f"{mark} {incident.severity}", style or SEVERITY[incident.severity])
    span = Text(_span(incident.started, incident.ended), no_wrap=True)
    state = Text.assemble(str(incident.state), (f"\n{incident.id[:SHORT]}", "dim"))
    return severity, state, what, span, Text(story.done)


def _table(*columns: str, right: str = "") -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, justify="right" if column and column in right else "left")
    return table


def _numbers(numbers: Iterable[Number]) -> Table:
    table = _table("", "about", "value", "reference", "rows", right="value reference rows")
    for (kind, window), each in groupby(numbers, key=lambda n: (n.metric.partition(".")[0], n.window)):
        some = list(each)
        if table.rows:
            table.add_row()
        table.add_row(Text.assemble((kind, "bold"), (f"  {_moment(window)}", "dim")), Text(_waits(some), "yellow"))
        for one in some:
            table.add_row(*_cells(one), style="dim" if one.value is None else "")
    return table


def _waits(numbers: Iterable[Number]) -> str:
    """Say that numbers are provisional, where all of them are."""
    return PROVISIONAL if all(number.note.startswith(PROVISIONAL) for number in numbers) else ""


def _cells(one: Number) -> tuple[Text, ...]:
    value, reference = _said(one.metric, one.value), "" if one.reference is None else _said(one.metric, one.reference)
    metric, about = one.metric.partition(".")[2].removesuffix("_s"), clean(one.about, 30)
    return Text(f"  {metric}"), Text(about), Text(value), Text(reference), Text(f"{one.n:,}")


def _said(metric: str, value: float | None) -> str:
    if metric.endswith("_s") and value is not None:
        return str(timedelta(seconds=round(value)))
    return number(metric, value)


def _worth_a_look(numbers: Iterable[Number]) -> Iterator[Number]:
    """Leave out what was not evaluated, what is as in the reference, and of a drifted column all but one number.

    At most TOP drifted columns are shown.
    """
    known = [one for one in numbers if one.value is not None]
    drifted = {Kind.DRIFT: _drifted(known)[:TOP], Kind.LABELS: _drifted(known, Kind.LABELS)}
    for one in known:
        kind, _, metric = one.metric.partition(".")
        if kind == "quality":
            notable = (one.value or 0.0) - (one.reference or 0.0) >= NOTABLE
        elif kind in drifted and one.about:
            notable = metric == "psi" and one.about in drifted[Kind(kind)]
        else:
            notable = (
                metric not in DULL and not one.about and (kind != "labels" or one.value != 0 or metric == "coverage")
            )
        if notable:
            yield one


def _drifted(numbers: Iterable[Number], kind: Kind = Kind.DRIFT) -> list[str]:
    """The columns that drifted, in the order in which the numbers come: the weightiest first."""
    return list(dict.fromkeys(one.about for one in numbers if one.metric == f"{kind}.drifted" and one.value))


def _warnings(numbers: Iterable[Number]) -> list[str]:
    """What is to be said of the reference: that it is old, or of another version of the model."""
    return [one.note for one in numbers if one.metric == "drift.reference_age_days" and one.note]


def _health(state: MonitorState) -> Text:
    return Text(f"● {state.health}", HEALTH.get(state.health, "dim"))


def _open(state: MonitorState) -> Text:
    counts = [Text(f"{count} {severity}", SEVERITY[Severity(severity)]) for severity, count in state.open.items()]
    if state.recovering:
        counts.append(Text(f"{state.recovering} recovering", "yellow"))
    return Text(", ").join(counts) if counts else Text("none", "dim")


def _quality(state: MonitorState) -> str:
    found = [one for one in state.numbers if one.metric in QUALITY and not one.about and one.value is not None]
    return "".join(f"{_waits([one])} {one.metric.partition('.')[2]} {number(one.metric, one.value)}" for one in found)


def _moment(when: datetime | None) -> str:
    if when is None:
        return "nothing yet"
    return f"{when:%Y-%m-%d %H:%M}" if when.hour or when.minute else f"{when:%Y-%m-%d}"


def _span(start: datetime, end: datetime | None) -> str:
    """From → to, the second as short as it can be."""
    if end is None:
        return f"{_moment(start)} →"
    if end.date() == start.date():
        return f"{_moment(start)} → {end:%H:%M}"
    return f"{_moment(start)} → {_moment(end)[5 if end.year == start.year else 0 :]}"
