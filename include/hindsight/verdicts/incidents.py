"""Fold verdicts into incidents: episodes depend only on the newest verdict of each window, ids on what was recorded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count
from math import log2

from hindsight.monitors.rules import Rule
from hindsight.verdicts.effect import DRIFTED, effect_of
from hindsight.verdicts.model import FAR_OFF, VALUES, Heard, Incident, Series, State, Status, Verdict, doubled

NEWS, VOLUME = "drift.news", "operations.volume_ratio"
STUCK = "share of one value"
FAR = 16.0  # standard deviations: four times what is news at all
BOTH = 2  # windows in which a share has doubled
GROWING = frozenset(  # shares that are told again as they double
    f"quality.{share}" for share in ("null_rate", "sentinel_share", "new_category_share", "out_of_range_share")
)
CYCLE = timedelta(days=7)
LOOK_BACK = 100  # windows folded again before the earliest changed one, for breaches still pending there


@dataclass(frozen=True, slots=True)
class Episode:
    """At least `for` breaches in a row and those that followed; `settled` is the end of the window that resolved it.

    `calm` counts the good windows since the last breach.
    """

    breaches: tuple[Verdict, ...]
    settled: datetime | None
    calm: int = 0

    @property
    def windows(self) -> tuple[datetime, ...]:
        """The starts of the windows that breached."""
        return tuple(verdict.window.start for verdict in self.breaches)


def episodes(rule: Rule, verdicts: Iterable[Verdict]) -> list[Episode]:
    """Return the episodes in verdicts of one series in window order; only OK and BREACH move them.

    An episode begins with `for` breaches without an OK between them and ends with `keep_for` OK without a breach or,
    where that is a week or more, with the first OK so long after the last breach: weekends may have no verdict.
    """
    found: list[Episode] = []
    run: list[Verdict] = []
    calm = 0
    for verdict in verdicts:
        if verdict.status is Status.BREACH:
            run.append(verdict)
            calm = 0
        elif verdict.status is Status.OK and run:
            calm += 1
            if len(run) < rule.for_:
                run, calm = [], 0
            elif calm >= rule.keep_for or _is_calm_for_a_cycle(rule, run[-1], verdict):
                found.append(Episode(tuple(run), verdict.window.end))
                run, calm = [], 0
    if len(run) >= rule.for_:
        found.append(Episode(tuple(run), None, calm))
    return found


def _is_calm_for_a_cycle(rule: Rule, last: Verdict, now: Verdict) -> bool:
    cycle = rule.keep_for * (now.window.end - now.window.start)
    return cycle >= CYCLE and now.window.end - last.window.end >= cycle


def refold(
    monitor: str, rule: Rule, series: Series, verdicts: Sequence[Verdict], recorded: Sequence[Incident]
) -> list[Incident]:
    """Return all incidents of a series, oldest first: `recorded` as they stand now, and new ones.

    `verdicts` are those of the series from `fold_from` on (of several for one window the newest counts); `recorded`
    are all its incidents. An episode that shares a breaching window with a recorded incident is that incident. Of
    several it is the oldest that still stands, else the oldest withdrawn; the others are withdrawn as merged. Where an
    incident splits, its earliest part keeps the id. Nobody's episode any more: withdrawn, with its windows kept, so
    that it is reopened under its id should they breach again.
    """
    newest = {v.window.start: v for v in sorted(verdicts, key=lambda v: (v.window.start, v.as_of))}
    first = min(newest, default=None)
    known = [incident for incident in recorded if first is not None and incident.breaches[-1] >= first]
    older = [incident for incident in recorded if incident not in known]
    taken = {incident.id for incident in recorded}
    owners: dict[str, Incident] = {}
    found = episodes(rule, newest.values())
    for episode in found:
        sharing = _sharing(episode, known, owners)
        id = sharing[0].id if sharing else _new_id(monitor, series, episode, taken)
        taken.add(id)
        owners[id] = _incident(id, monitor, rule, series, episode, sharing)
    gone = [_withdrawn(incident, rule, newest, owners.values()) for incident in known if incident.id not in owners]
    return sorted([*older, *owners.values(), *gone], key=lambda incident: (incident.started, incident.id))


def fold_from(rule: Rule, changed: datetime, recorded: Iterable[Incident], *, size: timedelta) -> datetime:
    """Return the window start from which a series must be folded when the window that starts at `changed` changed.

    It looks back over LOOK_BACK windows of `size` (or `for` or `keep_for` of them, if more), and over whole incidents.
    """
    moment = changed - max(LOOK_BACK, rule.for_, rule.keep_for) * size
    standing = (incident for incident in recorded if incident.state is not State.WITHDRAWN)
    touched = [i.started for i in standing if i.news_of is None or i.news_of > moment]
    return min([moment, *touched])


def retire(incident: Incident, reason: str) -> Incident:
    """Return an incident closed because its rule or monitor is no longer judged."""
    return replace(incident, state=State.WITHDRAWN, reason=reason)


def _sharing(episode: Episode, known: Iterable[Incident], owners: Mapping[str, Incident]) -> list[Incident]:
    """Return the recorded incidents that share a breaching window with an episode; it is the first of them."""
    windows = set(episode.windows)
    sharing = [i for i in known if i.id not in owners and not windows.isdisjoint(i.breaches)]
    return sorted(sharing, key=lambda i: (i.state is State.WITHDRAWN, i.started, i.id))


def _new_id(monitor: str, series: Series, episode: Episode, taken: set[str]) -> str:
    """Return the first free id: a hash of where the episode began, numbered only where another began there too."""
    parts = [monitor, series.rule, series.model_version, series.segment, series.feature, episode.windows[0].isoformat()]
    hashes = (sha256("\0".join([*parts, str(number)] if number else parts).encode()) for number in count())
    return next(id for digest in hashes if (id := digest.hexdigest()[:12]) not in taken)


def _incident(
    id: str, monitor: str, rule: Rule, series: Series, episode: Episode, sharing: Sequence[Incident]
) -> Incident:
    owner = sharing[0] if sharing else None
    reopened = owner is not None and owner.state is State.WITHDRAWN
    last = episode.breaches[-1]
    told, heard = _known_of(sharing)
    return Incident(
        id=id,
        monitor=monitor,
        series=series,
        severity=rule.severity,
        state=_state(rule, episode),
        started=episode.windows[0],
        ended=episode.settled and (last.window.end if rule.keep_for > 1 else episode.settled),
        breaches=episode.windows,
        value=last.value,
        threshold=last.threshold,
        told=told,
        case=owner.case if owner else "",
        reason="its windows breach again" if reopened else last.note or (owner.reason if owner else ""),
        settled=episode.settled,
        heard=heard,
        number=_number(rule, episode.breaches),
    )


def _number(rule: Rule, breaches: Sequence[Verdict]) -> str:
    """Return which number of its column an incident is about, as far as people care; "" where there is but one.

    Of news its nulls, how many rows, how many of them are one value, its values or, from FAR deviations on, its values
    far off. Of a share how often it has doubled since it was worth telling, in both of its last windows; of how far a
    column is from the reference the same in all of a week: what is told as grown has to last.
    """
    if rule.metric in GROWING:
        return doubled(min(_doublings(one) for one in breaches[-BOTH:]))
    if rule.metric == DRIFTED and (far := [effect_of(one.note) for one in breaches[-rule.keep_for :]]):
        return doubled(min(one.doublings if one else 0 for one in far))
    note = breaches[-1].note
    if rule.metric != NEWS or not note:
        return ""
    named = next((number for number in ("nulls", "rows", STUCK) if note.startswith(f"{number} ")), "")
    return named or (FAR_OFF if _deviations(note) >= FAR else VALUES)


def _doublings(verdict: Verdict) -> int:
    if not verdict.value or not verdict.threshold or verdict.value <= verdict.threshold:
        return 0
    return int(log2(verdict.value / verdict.threshold))


def _deviations(note: str) -> float:
    found = re.search(r"\(([\d.]+) standard deviations", note)
    return float(found[1]) if found else 0.0


def _state(rule: Rule, episode: Episode) -> State:
    if episode.settled:
        return State.RESOLVED
    return State.RECOVERING if episode.calm and _may_recover(rule) else State.OPEN


def _may_recover(rule: Rule) -> bool:
    """Whether calm windows of a rule may follow a cycle: errors and latency are open until they are over."""
    return rule.metric == VOLUME or not rule.metric.startswith("operations.")


def _known_of(sharing: Sequence[Incident]) -> tuple[State | None, Heard | None]:
    """Return what was told of the incidents an episode is made of: who heard of one that merged has heard of it."""
    own = sharing[:1]
    heard = [i for i in sharing if i.heard is not None and (i.state is not State.WITHDRAWN or i in own)]
    if not heard:
        return (own[0].told, own[0].heard) if own else (None, None)
    newest = max(heard, key=lambda i: (i.heard.until, i.told is State.OPEN))  # type: ignore[union-attr]  # has one
    notes = [i.heard for i in heard if i.heard is not None]
    numbers = dict.fromkeys(number for one in notes for number in one.numbers)
    said = Heard(
        max(one.until for one in notes),
        min(one.severity for one in notes),
        max(one.n for one in notes),
        tuple(numbers),
        max((one.at for one in notes if one.at), default=None),
    )
    return newest.told, said


def _withdrawn(
    incident: Incident, rule: Rule, newest: Mapping[datetime, Verdict], standing: Iterable[Incident]
) -> Incident:
    if incident.state is State.WITHDRAWN:
        return incident
    windows = set(incident.breaches)
    heir = next((other for other in standing if not windows.isdisjoint(other.breaches)), None)
    if heir:  # it goes on under another id, which knows what was told of it: its end is no news
        told = incident.told and State.WITHDRAWN
        return replace(incident, state=State.WITHDRAWN, reason=f"merged into {heir.id}", told=told)
    return replace(incident, state=State.WITHDRAWN, reason=_why_gone(incident, rule, newest))


def _why_gone(incident: Incident, rule: Rule, newest: Mapping[datetime, Verdict]) -> str:
    now = [newest[start] for start in incident.breaches if start in newest]
    if not now:
        return "its windows are no longer judged"
    left = sum(verdict.status is Status.BREACH for verdict in now)
    seen = f"{max(verdict.as_of for verdict in now):%Y-%m-%d %H:%M} UTC"
    if left:
        return f"as of {seen} {left} of its windows still breach, not {rule.for_} in a row"
    if any(verdict.status is Status.OK for verdict in now):
        what = "labels" if rule.metric.startswith(("performance.", "labels.")) else "data"
        return f"{what} that arrived by {seen} put it back within the threshold"
    return f"as of {seen} it cannot be judged: {now[-1].note or now[-1].status}"
