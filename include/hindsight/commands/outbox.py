"""The outbox command: mail that waits or was given up, and why; to try again, or to drop."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hindsight.commands.chosen import MaybeName
from hindsight.commands.console import counted, err, out, print_json, user
from hindsight.errors import ConfigError
from hindsight.monitors.loader import load_monitor
from hindsight.settings import read_settings

if TYPE_CHECKING:
    from hindsight.ledger.records import Mail
    from hindsight.pipeline import Resources

_ALL = "all"


def outbox(
    monitor: MaybeName = None,
    again: Annotated[
        list[str] | None, typer.Option("--retry", metavar="ID|all", help="try this mail again now, or all of them")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="as --retry all")] = False,
    unwanted: Annotated[list[int] | None, typer.Option("--drop", metavar="ID", help="never send this mail")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> int:
    """List the mail that waits or was given up, and why; try it again, or drop it."""
    from hindsight.airflow.connections import open_resources
    from hindsight.pipeline.act import outbox as mails

    wanted = _wanted(again or [], everything)
    if wanted != [] and unwanted:
        raise ConfigError("--retry and --drop are two commands: a mail is tried again or dropped")
    resources = open_resources(read_settings())
    ledger, now = resources.ledger, datetime.now(UTC)
    name = load_monitor(monitor, resources.settings.monitors).name if monitor else None
    if unwanted:
        _show(mails.drop(ledger, name, unwanted, by=user(), at=now), "dropped", as_json=as_json)
    elif wanted != []:
        _show(mails.retry(ledger, name, wanted, by=user(), at=now), "to be sent again", as_json=as_json)
        _send(resources, name)
    else:
        _list(mails.unsent(ledger, name), mails.held(ledger, now), as_json=as_json)
    return 0


def _wanted(typed: Iterable[str], everything: bool) -> list[int] | None:
    """Return the ids of what is to be tried again, none if nothing is, and None for all of it."""
    words = [word.strip("-") for word in typed]
    if everything or _ALL in words:
        return None
    if wrong := [word for word in words if not word.isdigit()]:
        raise ConfigError(f"--retry {wrong[0]!r} is neither the number of a mail nor all - hindsight outbox lists them")
    return [int(word) for word in words]


def _list(mails: list[Mail], held: list[str], *, as_json: bool) -> None:
    from hindsight import terminal

    if as_json:
        print_json([_plain(mail) for mail in mails])
        return
    for line in held:
        err.print(f"warning: {line}", style="yellow", markup=False)
    out.print(terminal.outbox(mails) if mails else "no mail waits, and none was given up")


def _show(mails: list[Mail], what: str, *, as_json: bool) -> None:
    if as_json:
        print_json([_plain(mail) for mail in mails])
    else:
        out.print(f"{counted(len(mails), 'mail')} {what}")


def _send(resources: Resources, monitor: str | None) -> None:
    from hindsight import pipeline

    done = pipeline.deliver(resources, now=datetime.now(UTC), monitor=monitor)
    err.print(f"{counted(done.sent, 'mail')} sent, {done.pending} pending")
    for complaint in done.complaints:
        err.print(f"mail given up: {complaint}", style="red", markup=False)


def _plain(mail: Mail) -> dict[str, Any]:
    return {
        "id": mail.id,
        "monitor": mail.monitor,
        "recipient": mail.recipient,
        "severity": str(mail.severity),
        "subject": mail.subject,
        "state": str(mail.state),
        "attempts": mail.attempts,
        "may_have_arrived": mail.ambiguous,
        "promised_at": mail.created_at,
        "next_at": mail.next_at,
        "why": mail.last_error,
    }
