"""The command line: the use cases of the pipeline without a scheduler, one command each."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hindsight import __version__
from hindsight.commands import (
    ack,
    address,
    alerts,
    audit,
    backup,
    baseline,
    dags,
    doctor,
    expire,
    lint,
    models,
    outbox,
    rehearse,
    retrain,
    review,
    silence,
    slo,
    upgrade,
)
from hindsight.commands.chosen import MaybeName, Name, chosen, warn_of_moving
from hindsight.commands.console import Commands, counted, err, out, print_json, steps
from hindsight.commands.postmortem import timeline
from hindsight.errors import ConfigError, HindsightError
from hindsight.monitors.loader import load_monitor
from hindsight.monitors.model import Monitor, Task
from hindsight.monitors.times import moment_of, nights_of, span_of
from hindsight.settings import Settings, read_settings
from hindsight.vocabulary.severity import Severity
from hindsight.vocabulary.windows import Window

if TYPE_CHECKING:
    from hindsight.pipeline import Resources

app = Commands(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Start = Annotated[str, typer.Option("--start", help="ISO time, UTC unless it says otherwise")]
End = Annotated[str, typer.Option("--end", help="ISO time; windows that start before it are taken")]
Json = Annotated[bool, typer.Option("--json", help="print JSON for machines")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="judge, but write no incident, mail or request")]
Column = Annotated[str | None, typer.Option(metavar="COLUMN", help="instead of the guess; none for none")]
FailOn = Annotated[Severity | None, typer.Option("--fail-on", help="exit 2 when such an incident is open")]

_UNFINISHED = "not over yet, the first from {first} on: rows still to come are missing from what is judged now"
_AHEAD = "in the future, the first {first}: what it finds stands until a later night, so ask for it in a replay only"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; exit 0 when all went well, 1 with one clear error, 2 where --fail-on found what it names."""
    try:
        typed = sys.argv[1:] if arguments is None else arguments
        code = app(args=[*typed] or ["--help"], prog_name="hindsight", standalone_mode=False)
    except HindsightError as exc:
        err.print(f"hindsight: {exc}", style="red", markup=False)
        code = 1
    except typer.TyperException as exc:  # usage: an unknown option, a missing argument
        _explain(exc)
        code = 1
    except typer.Abort:
        code = 130
    sys.exit(code)


def _explain(wrong: typer.TyperException) -> None:
    """Show how the command that was typed is used, and last what was wrong with it."""
    context = getattr(wrong, "ctx", None)
    if context is not None:
        err.print(context.get_help(), markup=False)
    err.print(f"hindsight: {wrong.format_message()}", style="red", markup=False)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"hindsight {__version__}")
        raise typer.Exit


@app.callback(help=__doc__)
def hindsight(
    version: Annotated[bool, typer.Option("--version", help="print the version", callback=_version)] = False,
) -> None:
    """Take what is said before a command."""


app.command(short_help="List every error of every monitor file, with its line.")(lint.lint)
app.command(short_help="Give each monitor a DAG file of its own.")(dags.dags)


@app.command(short_help="Propose a monitor file and a suite from a real table.")
def init(
    table: Annotated[str, typer.Option("--table", help="table or view of predictions, or schema.table")],
    connection: Annotated[str, typer.Option("--connection", help="Airflow connection of the warehouse")] = "warehouse",
    name: Annotated[str | None, typer.Option("--name", help="name of the monitor; made of the table's without")] = None,
    labels_table: Annotated[str | None, typer.Option("--labels-table", help="table of labels, or none")] = None,
    id: Column = None,
    timestamp: Column = None,
    prediction: Column = None,
    score: Column = None,
    model_version: Column = None,
    latency_ms: Column = None,
    status_code: Column = None,
    cost: Column = None,
    label: Column = None,
    arrived_at: Column = None,
    task: Annotated[Task | None, typer.Option("--task", help="binary, multiclass or regression")] = None,
    positive_label: Annotated[str | None, typer.Option("--positive-label", help="the class that is looked for")] = None,
    window: Annotated[str | None, typer.Option("--window", help="length of a window, such as 1h, 1d or 7d")] = None,
    timezone: Annotated[
        str | None, typer.Option("--timezone", help="of weekdays and hours, such as Europe/Berlin; windows stay UTC")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--out", help="where the file goes; HINDSIGHT_MONITORS without")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="overwrite files that are there")] = False,
    as_json: Json = False,
) -> int:
    """Propose a monitor file and an expectation suite from a real table; every guess is explained in the file."""
    from hindsight import terminal
    from hindsight.airflow.connections import open_warehouse
    from hindsight.pipeline import propose

    settings = read_settings()
    roles = {"id": id, "timestamp": timestamp, "prediction": prediction, "score": score, "model_version": model_version}
    roles |= {"latency_ms": latency_ms, "status_code": status_code, "cost": cost}
    roles |= {"label": label, "arrived_at": arrived_at}
    proposal = propose.propose_monitor(
        open_warehouse(connection, settings),
        connection,
        table,
        name=name or propose.name_of(table),
        given={role: column for role, column in roles.items() if column is not None},
        labels_table=labels_table,
        wishes=propose.wishes(task, positive_label, window, timezone),
    )
    written = propose.write(proposal, settings, folder=folder, force=force)
    if as_json:
        print_json(written.to_dict())
    else:
        out.print(terminal.proposal(written))
    return 0


@app.command(short_help="Check and judge every window of a range.")
def run(
    monitor: Name, start: Start, end: End, dry_run: DryRun = False, as_json: Json = False, fail_on: FailOn = None
) -> int:
    """Collect, check and judge every window that starts in the range: quality, operations, drift."""
    from hindsight import pipeline

    watched, resources = _open(monitor)
    windows = list(watched.grid.starting_in(*span_of(start, end)))
    open_still = [window.start for window in windows if window.end + watched.lateness > datetime.now(UTC)]
    _warn_of_future(open_still, "window", _UNFINISHED)

    def once(window: Window) -> dict[str, Any]:
        newest = datetime.now(UTC) if window is windows[-1] else None  # what is in no window is counted once
        with resources.remembering(watched.name):
            written = pipeline.run_window(watched, window, resources, read_at=newest)
            judged_at = datetime.now(UTC)
            judgement = pipeline.judge_window(watched, window, resources, judged_at=judged_at, dry_run=dry_run)
        return written | judgement.to_dict()

    results = map(once, steps(windows, f"{watched.name}: windows", quiet=as_json))
    return _finish(results, watched, resources, as_json=as_json, fail_on=fail_on, what="window", silent=dry_run)


@app.command(short_help="Measure performance with the labels known on a night.")
def labels(
    monitor: Name,
    as_of: Annotated[str | None, typer.Option("--as-of", help="one night: what was known then")] = None,
    start: Annotated[str | None, typer.Option("--start", help="with --end: every night of a range")] = None,
    end: Annotated[str | None, typer.Option("--end", help="every 00:00 UTC after start, up to and with end")] = None,
    everything: Annotated[bool, typer.Option("--all", help="every window again, after its file was corrected")] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    fail_on: FailOn = None,
) -> int:
    """Measure realised performance of the windows that labels touched or that matured, as of a night or every night."""
    from hindsight import pipeline

    watched, resources = _open(monitor)
    _require_labels(watched)

    if everything and not as_of:
        raise ConfigError("--all measures every window again as of one night: say which with --as-of T")
    nights = nights_of(as_of, start, end)
    _warn_of_future([night for night in nights if night > datetime.now(UTC)], "night", _AHEAD)

    def once(night: datetime) -> dict[str, Any]:
        with resources.remembering(watched.name):
            windows = pipeline.find_windows(watched, night, resources, everything=everything)
            written = pipeline.revise_windows(watched, windows, night, resources)
            judged_at = datetime.now(UTC)
            judgement = pipeline.judge_night(watched, night, windows, resources, judged_at=judged_at, dry_run=dry_run)
        return {"night": night.isoformat()} | written | judgement.to_dict()

    results = map(once, steps(nights, f"{watched.name}: nights", quiet=as_json))
    code = _finish(results, watched, resources, as_json=as_json, fail_on=fail_on, what="night", silent=dry_run)
    _warn_of_outdated(watched, monitor, resources)
    return code


@app.command(short_help="Make the accuracy report of a night.")
def report(
    monitor: Name,
    as_of: Annotated[str | None, typer.Option("--as-of", help="the last night up to then; the newest without")] = None,
    file: Annotated[Path | None, typer.Option("--out", help="write it there instead of beside the snapshots")] = None,
) -> int:
    """Make the accuracy report of a night: what its labels changed, as it was known then."""
    from hindsight import pipeline

    watched, resources = _open(monitor)
    _require_labels(watched)
    now = datetime.now(UTC)
    until = moment_of(as_of, "--as-of") if as_of else now
    night = resources.ledger.last_night(watched.name, before=until + timedelta(microseconds=1))
    if night is None:
        raise ConfigError(
            f"{watched.name}: no night is on record up to {until:%Y-%m-%d %H:%M} UTC - run hindsight labels"
        )
    where = pipeline.write_night(watched, night, resources, file=file, made_at=now)
    out.print(f"{watched.name}: night of {night:%Y-%m-%d %H:%M} UTC, {where}", soft_wrap=True, markup=False)
    return 0


@app.command(short_help="Show state, health and the latest numbers.")
def show(
    monitor: MaybeName = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="as it was known then")] = None,
    everything: Annotated[bool, typer.Option("--all", help="archived monitors too; of MONITOR every number")] = False,
    as_json: Json = False,
    fail_on: FailOn = None,
) -> int:
    """Show state, health and the latest numbers of a monitor, or of all."""
    from hindsight import pipeline, terminal
    from hindsight.pipeline.act.outbox import trouble
    from hindsight.pipeline.show import state

    resources = _resources(read_settings())
    moment = moment_of(as_of, "--as-of") if as_of else None
    watched = [m for m in chosen(monitor, resources.settings) if monitor or everything or m.state != "archived"]
    states = [pipeline.state_of(m, resources, as_of=moment) for m in watched]
    if as_json:
        print_json([state.to_dict() for state in states])
    elif monitor:
        standing = state.standing(watched[0], pipeline.stories(watched[0], resources), resources, moment)
        out.print(terminal.monitor(states[0], standing, everything=everything))
        _warn_of_outdated(watched[0], monitor, resources)
    elif states:
        out.print(terminal.monitors(states))
    else:
        out.print(f"no monitors in {resources.settings.monitors}")
    warn_of_moving(watched, resources)
    if stuck := trouble(resources.ledger, watched[0].name if monitor else None):
        err.print(f"warning: {stuck} - hindsight outbox", style="yellow", markup=False)
    return 2 if fail_on and any(Severity(open) <= fail_on for state in states for open in state.open) else 0


@app.command(short_help="List incidents, with what was done; or write one's timeline.")
def incidents(
    monitor: MaybeName = None,
    postmortem: Annotated[str | None, typer.Option(metavar="ID", help="the timeline of its case, as Markdown")] = None,
    as_json: Json = False,
) -> int:
    """List open and past incidents, with what was done about each; or write the timeline of one."""
    from hindsight import pipeline, terminal

    if postmortem is not None:
        return timeline(monitor, postmortem)

    resources = _resources(read_settings())
    watched = chosen(monitor, resources.settings)
    warn_of_moving(watched, resources)
    stories = [story for m in watched for story in pipeline.stories(m, resources)]
    if as_json:
        print_json([story.to_dict() for story in stories])
    else:
        out.print(terminal.incidents(stories) if stories else "no incidents")
    return 0


app.command(short_help="Delete what has expired, or list it first.")(expire.expire)
app.command(short_help="Copy ledger and store to a folder or address.")(backup.backup)
app.command(short_help="Bring a backup back, anywhere.")(backup.restore)
app.command("open", short_help="Print the address of a monitor's page.")(address.address)
app.command(short_help="List mail that waits or was given up; retry, drop.")(outbox.outbox)
app.command(short_help="Say what stored windows would have told; write and tell nothing.")(rehearse.rehearse)
app.command(short_help="Ask for a retraining; a person approves what comes of it.")(retrain.retrain)
app.command(short_help="List the versions of a monitor's model.")(models.models)
app.command(short_help="Put an earlier champion back in production.")(models.rollback)
app.command(short_help="Make tables and files of earlier versions new.")(upgrade.upgrade)
app.command(short_help="Show what windows are compared with, freeze it anew, accept it.")(baseline.baseline)
app.command(short_help="Look at every part; exit 1 where one is not well.")(doctor.doctor)
app.command(short_help="Say that somebody looks after an incident: no reminders.")(ack.ack)
app.command(short_help="Tell nobody of something until a moment, and why.")(silence.silence)
app.command(short_help="List who did what, when and why.")(audit.audit)
app.command(short_help="Count what people are told, and what they made of it.")(alerts.alerts)
app.command(short_help="Show what is left of each error budget.")(slo.slo)
app.command(short_help="Say what a week or a month came to.")(review.review)


def _require_labels(monitor: Monitor) -> None:
    if monitor.source.labels is None:
        raise ConfigError(f"{monitor.name}: its file declares no source.labels, so no performance can be measured")


def _open(name: str) -> tuple[Monitor, Resources]:
    settings = read_settings()
    return load_monitor(name, settings.monitors), _resources(settings)


def _resources(settings: Settings) -> Resources:
    from hindsight.airflow.connections import open_resources

    return open_resources(settings)


def _warn_of_future(ahead: Sequence[datetime], what: str, why: str) -> None:
    """Warn of what lies in the future, and go on: the clock decides no number, and a replay may be ahead of it."""
    if ahead:
        said = why.format(first=f"{ahead[0]:%Y-%m-%d %H:%M} UTC")
        err.print(f"warning: {counted(len(ahead), what)} {said}", style="yellow")


def _warn_of_outdated(watched: Monitor, typed: str, resources: Resources) -> None:
    """Say which numbers are of an earlier monitor file, and what measures them again."""
    from hindsight.pipeline.measure.definition import advice

    for line in advice(watched, resources, typed):
        err.print(f"warning: {line}", style="yellow", markup=False)


def _finish(
    results: Iterable[dict[str, Any]],
    monitor: Monitor,
    resources: Resources,
    *,
    as_json: bool,
    fail_on: Severity | None,
    what: str,
    silent: bool,
) -> int:
    """Do all of it, send the mail it led to, and say what came of it."""
    done = list(results)
    if as_json:
        print_json(done)
    else:
        new = sum(result["new"] for result in done)
        touched = len({id for result in done for id in result["incidents"]})
        told = sum(len(result["told"]) for result in done)
        counts = [(len(done), what), (new, "new snapshot"), (touched, "incident")]
        out.print(f"{monitor.name}: {', '.join(counted(*count) for count in counts)} touched, {told} told")
    if not silent and any(result["told"] for result in done):
        _deliver(monitor, resources)
    if faults := list(dict.fromkeys(fault for result in done for fault in result.get("faults", ()))):
        raise ConfigError(*(f"quality.suite: {fault} - all else was measured; see hindsight lint" for fault in faults))
    return 2 if _is_open(monitor, resources, fail_on) else 0


def _deliver(monitor: Monitor, resources: Resources) -> None:
    from hindsight import pipeline

    delivery = pipeline.deliver(resources, now=datetime.now(UTC), monitor=monitor.name)
    err.print(f"{monitor.name}: {counted(delivery.sent, 'mail')} sent, {delivery.pending} pending")
    if delivery.held:
        err.print(f"warning: {delivery.held}", style="yellow", markup=False)
    for complaint in delivery.complaints:
        err.print(f"mail given up: {complaint}", style="red", markup=False)


def _is_open(monitor: Monitor, resources: Resources, severity: Severity | None) -> bool:
    if severity is None:
        return False
    known = resources.ledger.incidents(monitor.name, open_only=True)
    return any(incident.severity <= severity and incident.state == "open" for incident in known)
