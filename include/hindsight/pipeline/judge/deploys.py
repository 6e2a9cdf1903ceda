"""Deploys of a model: noted when a window shows a version that is new, and silent about drift for some windows."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from hindsight.ledger.deploys import deploys, note_versions
from hindsight.ledger.transaction import Transaction
from hindsight.monitors.model import Monitor
from hindsight.pipeline.resources import Resources
from hindsight.verdicts.deploys import NOTICED, Quiet, quiet_after
from hindsight.verdicts.silence import Silence
from hindsight.vocabulary.measurement import Kind
from hindsight.vocabulary.windows import Window

BY = "the deploy"


def note_deploys(monitor: Monitor, tx: Transaction, window: Window, as_of: datetime, resources: Resources) -> None:
    """Note which versions of the model made a noticeable share of a window's rows."""
    if monitor.source.predictions.model_version is None:
        return
    facts = resources.store.measurements(monitor.name, Kind.OPERATIONS, window, as_of)
    rows = {m.model_version: m.value or 0 for m in facts if m.metric == "total_requests" and not m.segment}
    total = rows.pop("", 0)
    note_versions(tx, window.start, [version for version, n in rows.items() if n >= NOTICED * total > 0])


def silences_after_deploys(
    monitor: Monitor, connection: sa.Connection, since: datetime, until: datetime
) -> list[Silence]:
    """Return the silences about drift that deploys make, of those that end after `since` and begin by `until`."""
    if monitor.source.predictions.model_version is None or not monitor.deploy_mute:
        return []
    found = quiet_after(deploys(connection, monitor.name), monitor.window, monitor.deploy_mute)
    spans = [one for one in found if one.until > since and one.since <= until]
    about = [rule.id for rule in monitor.rules if rule.metric.startswith(f"{Kind.DRIFT}.")]
    return [_silence(span, rule) for span in spans for rule in about]


def _silence(span: Quiet, rule: str) -> Silence:
    since = f"version {span.deploy.version} is in the log since {span.deploy.start:%Y-%m-%d %H:%M} UTC"
    return Silence(span.since, span.until, BY, since, rule=rule)
