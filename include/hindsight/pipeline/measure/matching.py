"""Matching: whether predictions lack a label only because the two tables write their ids in two ways."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from hindsight.checks.statistics.rates import share
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.identities import ALONE, Unmatched, newest_unmatched, respelt_labels
from hindsight.warehouse.labels import Labelled

METRIC = "misspelt_share"
FEWEST, ENOUGH = 5, 20  # ids that prove something; labels and predictions that never meet
SHOWN = 2


def unmatched(monitor: Monitor, as_of: datetime, resources: Resources) -> Unmatched:
    """Return what is known of the newest labels that belong to no prediction."""
    return newest_unmatched(resources.warehouse(monitor.source.connection), monitor, as_of)


def misspelt_windows(
    monitor: Monitor, windows: Iterable[Window], previous: datetime | None, as_of: datetime, resources: Resources
) -> set[Window]:
    """Return those of the windows that labels touched since the previous night, but under another spelling."""
    found = unmatched(monitor, as_of, resources)
    if found.proved < FEWEST:
        return set()
    engine = resources.warehouse(monitor.source.connection)
    since = previous - monitor.labels.overlap if previous else None
    answers = {w: respelt_labels(engine, monitor, w, found, since=since, until=as_of) for w in windows}
    return {window for window, answer in answers.items() if len(answer.pairs) >= FEWEST}


def misspelt(
    monitor: Monitor,
    window: Window,
    as_of: datetime,
    known: Labelled,
    newest: Callable[[], Unmatched],
    resources: Resources,
) -> Measurement:
    """Return `misspelt_share`: of the predictions without a label those that have one under another spelling.

    Where none is found, but a window has matured without a single label while those that came belong to no prediction,
    it is all of them. `newest` is asked only where labels are missing: what joins costs nothing.
    """
    arrived = known.table.num_rows - known.table["arrived_at"].null_count
    waiting, mature = known.n_scored - arrived, window.end + monitor.labels.matures_after <= as_of
    if waiting < FEWEST:
        return Measurement(METRIC, 0.0, known.n_scored)
    found = newest()
    if found.proved < FEWEST and not (mature and arrived < known.n_scored / 2):
        return Measurement(METRIC, 0.0, known.n_scored)
    engine = resources.warehouse(monitor.source.connection)
    answer = respelt_labels(engine, monitor, window, found, since=None, until=as_of)
    if answer.pairs:
        return share(METRIC, len(answer.pairs), answer.asked, note=_cause(monitor, found, answer.pairs))
    never_meet = mature and not arrived and len(found.ids) >= ENOUGH and found.share >= ALONE
    if never_meet and known.n_scored >= ENOUGH:
        return Measurement(METRIC, 1.0, known.n_scored, note=_strangers(monitor, found))
    return Measurement(METRIC, 0.0, known.n_scored)


def _cause(monitor: Monitor, found: Unmatched, pairs: Iterable[tuple[str, str]]) -> str:
    personal = _is_personal(monitor)
    said = found.difference(personal=personal) or "the two tables write ids in two ways"
    return said if personal else f"{said}: " + ", ".join(f"{theirs!r} is {ours!r}" for ours, theirs in [*pairs][:SHOWN])


def _strangers(monitor: Monitor, found: Unmatched) -> str:
    personal, fact = _is_personal(monitor), f"none of the {found.asked} newest labels is of a prediction"
    said = "; ".join(filter(None, (fact, found.difference(personal=personal))))
    theirs, ours = (" and ".join(map(repr, ids[:SHOWN])) for ids in (found.ids, found.waiting))
    return said if personal else f"{said}: labels have ids such as {theirs}, predictions {ours}"


def _is_personal(monitor: Monitor) -> bool:
    labels = monitor.source.labels
    ids = {monitor.source.predictions.id, labels.id if labels else ""}
    return not ids.isdisjoint({*monitor.pii.hash, *monitor.pii.drop})
