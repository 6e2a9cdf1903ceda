"""The silence command: nobody is told of something until a moment, and why; what lasts longer is told then."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from hindsight.commands.chosen import Name
from hindsight.commands.console import out, print_json, user
from hindsight.errors import ConfigError
from hindsight.monitors.loader import load_monitor
from hindsight.monitors.times import moment_of
from hindsight.settings import read_settings
from hindsight.verdicts.silence import Silence
from hindsight.vocabulary.windows import parse_duration

if TYPE_CHECKING:
    from hindsight.monitors.model import Monitor
    from hindsight.pipeline import Resources


def silence(
    monitor: Name,
    until: Annotated[str | None, typer.Option("--until", help="ISO time, UTC unless it says otherwise")] = None,
    lasting: Annotated[str | None, typer.Option("--lasting", help="2h, 30m, 3d: instead of --until")] = None,
    since: Annotated[str | None, typer.Option("--since", help="from when on; now without")] = None,
    comment: Annotated[str, typer.Option("--comment", help="why")] = "",
    rule: Annotated[str, typer.Option("--rule", help="of this rule only")] = "",
    feature: Annotated[str, typer.Option("--feature", help="of this column, or SLO, only")] = "",
    segment: Annotated[str, typer.Option("--segment", help="only of region=EU, or of 'all rows'")] = "",
    starts: Annotated[bool, typer.Option("--starts", help="start DAGs and ask for retraining all the same")] = False,
    end: Annotated[int | None, typer.Option("--end", metavar="ID", help="end this silence now")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> int:
    """Tell nobody of something until a moment; without --until or --lasting list what is silenced."""
    from hindsight.airflow.connections import open_resources

    settings, now = read_settings(), datetime.now(UTC)
    watched, resources = load_monitor(monitor, settings.monitors), open_resources(settings)
    if end is not None:
        return _end(watched, resources, end, now, as_json=as_json)
    if until or lasting:
        begun = moment_of(since, "--since") if since else now
        over = _end_of(until, lasting, begun)
        asked = Silence(begun, over, user(), comment.strip(), rule, segment, feature, starts, asked_at=now)
        return _ask(watched, resources, asked, now, as_json=as_json)
    if comment or rule or feature or segment or since:
        raise ConfigError("a silence ends: say when with --until T or --lasting 2h")
    return _list(watched, resources, now, as_json=as_json)


def _end_of(until: str | None, lasting: str | None, begun: datetime) -> datetime:
    if until and lasting:
        raise ConfigError("--until and --lasting say the same: give one of them")
    if until:
        return moment_of(until, "--until")
    try:
        return begun + parse_duration(lasting or "")
    except ValueError as exc:
        raise ConfigError(f"--lasting: {exc}") from exc


def _ask(watched: Monitor, resources: Resources, asked: Silence, now: datetime, *, as_json: bool) -> int:
    from hindsight.ledger.silences import add_silence
    from hindsight.pipeline.act.answers import refuse_silence

    refuse_silence(watched, asked, now)
    number = add_silence(resources.ledger, watched.name, asked)
    if as_json:
        print_json({"id": number, "about": asked.about, "since": asked.since, "until": asked.until})
    else:
        out.print(f"{watched.name}: {asked.about} {asked} (number {number})", markup=False)
    return 0


def _end(watched: Monitor, resources: Resources, number: int, now: datetime, *, as_json: bool) -> int:
    from hindsight.ledger.silences import end_silence

    if not end_silence(resources.ledger, watched.name, number, by=user(), at=now):
        raise ConfigError(f"{watched.name} has no silence {number} that lasts: hindsight silence {watched.name}")
    if as_json:
        print_json({"id": number, "until": now})
    else:
        out.print(f"{watched.name}: silence {number} has ended; the relay tells what lasts within minutes")
    return 0


def _list(watched: Monitor, resources: Resources, now: datetime, *, as_json: bool) -> int:
    from hindsight.ledger.silences import silences
    from hindsight.pipeline.judge.silences import silences_of

    with resources.ledger.reading() as connection:
        to_come = [one for one in silences(connection, watched.name, now) if one.since > now]
        found = [*silences_of(watched, connection, now), *to_come]
    if as_json:
        fields = ("id", "about", "since", "until", "by", "comment", "starts")
        print_json([{field: getattr(one, field) for field in fields} for one in found])
        return 0
    for one in found:
        begins = f", from {one.since:%Y-%m-%d %H:%M} UTC on" if one.since > now else ""
        out.print(f"{one.id if one.id is not None else '-':>4}  {one.about}: {one}{begins}", markup=False)
    if not found:
        out.print(f"nothing of {watched.name} is silenced")
    return 0
