"""What must hold whatever fails: right after the fault, and when everything was run again."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hindsight import pipeline
from hindsight.ledger.connect import open_engine
from hindsight.ledger.ledger import Ledger
from hindsight.training.registry import Registry
from hindsight.training.registry import Stage as Standing
from tests.faults.scenarios import CANARY
from tests.faults.stage import Stage
from tests.pipeline.world import World, sqlite

DELIVERY = ("outbox", "mail_holds")  # what a failed attempt to send may change
CLOCKS = ("at", "judged_at", "changed_at", "committed_at", "created_at", "next_at", "lease_until", "sent_at", "heard")
CLOCKS += ("retried_at", "started_at", "finished_at", "attempts", "ambiguous")
CLOCKS += ("last_error", "id", "mail", "requested_at")
TEXTS = ("text", "html", "png")  # an error while a note is gathered costs a mail the note
MODELS = "models/"  # no two archives of one model are alike; each says what it should be in the registry
Rows = dict[str, list[Any]]


@dataclass(frozen=True)
class Sight:
    """What is on record, on disk and shown."""

    rows: Rows
    settled: Rows  # without what depends on when it was written, and the texts of mails
    versions: tuple[Any, ...]
    files: dict[str, bytes]
    shown: tuple[Any, ...]


@dataclass(frozen=True)
class Undisturbed:
    """A scenario in which nothing failed: what was asked for, what was on record between, how it began and ended."""

    points: tuple[str, ...]
    moments: tuple[Rows, ...]
    first: Sight
    last: Sight
    told: Counter[tuple[str, str]]


def onlooker(stage: Stage) -> World:
    """The same world through a connection of one's own, which nobody counts."""
    ledger = Ledger(open_engine(sqlite(stage.case, "ledger.db")))
    resources = replace(stage.world.resources, ledger=ledger, registry=Registry(ledger.engine))
    return replace(stage.world, resources=resources)


def sight(stage: Stage) -> Sight:
    """Look at everything there is."""
    world = onlooker(stage)
    files = world.resources.files
    state = pipeline.state_of(stage.world.monitor, world.resources)
    return Sight(
        rows=world.ledger(),
        settled=world.ledger(*CLOCKS, *TEXTS),
        versions=tuple((v.version, v.stage) for v in world.resources.registry.versions("credit")),
        files={path: files.get(path) for path in files.listing() if not path.startswith(MODELS)},
        shown=(state.window, state.health),
    )


def told(stage: Stage) -> Counter[tuple[str, str]]:
    """Who was told what how often."""
    mails = Counter((str(mail["To"]), str(mail["Subject"]).strip()) for mail in stage.world.inbox.accepted)
    return mails + Counter(("hook", post["title"].strip()) for post in stage.hook.posts)


def broken_at_once(stage: Stage, calm: Undisturbed, now: Sight, *, killed: bool) -> Iterator[str]:
    """Yield what does not hold right after the fault."""
    for path, data in now.files.items():
        if calm.last.files.get(path) != data:
            yield f"I1 {path} is not what it is when nothing fails"
    left = () if killed else DELIVERY
    moments = [{name: rows for name, rows in moment.items() if name not in left} for moment in calm.moments]
    if {name: rows for name, rows in now.rows.items() if name not in left} not in moments:
        yield "I3 the ledger is as it is between no two transactions of an undisturbed run"
    if now.shown not in (calm.first.shown, calm.last.shown):
        yield f"I7 {now.shown} is shown"
    yield from _healthy_without_data(stage)


def _healthy_without_data(stage: Stage) -> Iterator[str]:
    world = onlooker(stage)
    for window in {verdict.window for verdict in _verdicts(world)}:
        if not any(f"{window.start:%Y-%m-%d}" in path for path in world.resources.files.listing("snapshots")):
            yield f"I7 {window} was judged without being measured"


def _verdicts(world: World) -> list[Any]:
    ledger = world.resources.ledger
    series = {i.series for i in ledger.incidents("credit")}
    return [one for history in ledger.histories("credit", series).values() for one in history]


def broken_in_the_end(stage: Stage, calm: Undisturbed, *, fault: str) -> Iterator[str]:
    """Yield what does not hold when everything was run again and all that waited was sent."""
    now, world = sight(stage), onlooker(stage)
    if extra := now.files.keys() ^ calm.last.files.keys():
        yield f"I2 files added or missing: {sorted(extra)}"
    for name, rows in now.settled.items():
        if rows != calm.last.settled[name]:
            yield f"I3 {name}: {_difference(rows, calm.last.settled[name])}"
    if now.versions != calm.last.versions or sum(v[1] is Standing.CHAMPION for v in now.versions) > 1:
        yield f"I5 model versions are {now.versions}"
    yield from _damaged_models(world)
    yield from _sent_wrongly(stage, calm, world, fault)
    yield from _claimed_twice(stage, world)
    yield from _shown_secrets(stage)


def _damaged_models(world: World) -> Iterator[str]:
    files = world.resources.files
    for version in world.resources.registry.versions("credit"):
        is_made_here = version.request_key is not None
        if is_made_here and hashlib.sha256(files.get(version.artifact)).hexdigest() != version.sha256:
            yield f"I1 {version.artifact} is not the model its name says"


def _difference(rows: list[Any], expected: list[Any]) -> str:
    more, fewer = Counter(rows) - Counter(expected), Counter(expected) - Counter(rows)
    return f"more: {[str(one)[:200] for one in more]}, fewer: {[str(one)[:200] for one in fewer]}"


def _sent_wrongly(stage: Stage, calm: Undisturbed, world: World, fault: str) -> Iterator[str]:
    """A message is sent once; again only where nobody could know whether it had arrived, which the ledger counts."""
    unsure = Counter({(m.recipient, m.subject.strip()): m.ambiguous for m in world.resources.ledger.outbox()})
    now = told(stage)
    if now.keys() != calm.told.keys():
        yield f"I4 told {sorted(now.keys() - calm.told.keys())}, not told {sorted(calm.told.keys() - now.keys())}"
    for key, times in now.items():
        allowed = calm.told[key] + unsure[key] + (key[0] == "hook" and fault == "channel answer")
        if times > allowed:
            yield f"I4 {key} was sent {times} times, at most {allowed} are allowed"


def _claimed_twice(stage: Stage, world: World) -> Iterator[str]:
    for progress in world.resources.ledger.requests("credit"):
        if progress.started_at and pipeline.claim(
            stage.world.monitor, progress.request.key, world.resources, by="another"
        ):
            yield f"I5 {progress.request.key} was claimed by a second run"
    starts = [start["run_id"] for start in pipeline.pending_starts(world.resources)]
    if len(starts) != len(set(starts)):
        yield f"I5 runs are asked for twice: {starts}"


def _shown_secrets(stage: Stage) -> Iterator[str]:
    files: list[Path] = [path for path in stage.case.rglob("*") if path.is_file()]
    said = {str(path): path.read_bytes() for path in files}
    said |= {f"mail {n}": mail.as_bytes() for n, mail in enumerate(stage.world.inbox.accepted)}
    said |= {f"post {n}": str(post).encode() for n, post in enumerate(stage.hook.posts)}
    yield from (f"I8 {where} holds what nobody may see" for where, text in said.items() if CANARY.encode() in text)
