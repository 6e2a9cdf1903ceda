"""Answer a retraining request: train on what was known, compare on later rows, then promote or say why not."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from hindsight.errors import TrainingError
from hindsight.ledger.records import Progress, RequestState
from hindsight.monitors.model import Monitor, Retrain
from hindsight.pipeline.measure.baselines import freeze
from hindsight.pipeline.resources import Resources
from hindsight.training.artifacts import save_model
from hindsight.training.compare import Comparison, compare
from hindsight.training.registry import ModelVersion
from hindsight.training.train import hold_out, rehearse, train
from hindsight.vocabulary.letters import Message, letters
from hindsight.vocabulary.severity import Severity
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.labels import labelled

if TYPE_CHECKING:
    import pandas as pd


def claim(monitor: Monitor, key: str, resources: Resources, *, by: str) -> bool:
    """Take a request of this monitor for one DAG run; every other run is told False and ends."""
    return resources.ledger.claim(key, monitor=monitor.name, by=by)


def train_and_compare(monitor: Monitor, key: str, as_of: datetime, resources: Resources) -> dict[str, Any]:
    """Train a challenger on matured labels known at `as_of`, compare it with the champion on later ones, register it.

    Returns whether it is better, a summary for the person who approves, and the comparison's numbers.
    """
    retrain, request = _retrain(monitor), _request(monitor, key, resources)
    rows = matured_rows(monitor, as_of, resources)
    earlier, later = hold_out(rows)
    _rehearse(monitor, earlier, as_of)
    model = train(retrain.train, earlier, as_of)
    compared = compare(later, model, task=monitor.model.task, features=list(monitor.features))
    artifact = save_model(model, f"{resources.settings.data}/models/{monitor.name}/{key}", trusted=monitor.trusted)
    version = ModelVersion(
        monitor=monitor.name,
        version=version_of(key),
        trained_from=earlier["timestamp"].min().to_pydatetime(),
        trained_to=earlier["timestamp"].max().to_pydatetime(),
        n_rows=len(earlier),
        metrics=compared.metrics(),
        artifact=artifact.uri,
        sha256=artifact.sha256,
        created_at=as_of,
        incidents=request.request.incidents,
        request_key=key,
    )
    resources.registry.register(version)
    return {"better": compared.better, "version": version.version, "summary": summarise(monitor, version, compared)}


def _rehearse(monitor: Monitor, rows: pd.DataFrame, as_of: datetime) -> None:
    """Say before the real training, not hours later, that what `train` makes could not be kept."""
    classes = monitor.model.task != "regression"
    rehearse(_retrain(monitor).train, rows, as_of, classes=classes, trusted=monitor.trusted)


def version_of(key: str) -> str:
    """The name of the version a request leads to: the same request never makes two."""
    return f"retrained-{key[:8]}"


def matured_rows(monitor: Monitor, as_of: datetime, resources: Resources) -> pd.DataFrame:
    """Return the labelled predictions of the matured windows of the last `retrain.trained_on`, for training."""
    end = monitor.grid.window_at(as_of - monitor.labels.matures_after).start
    p = monitor.source.predictions
    known = labelled(
        resources.warehouse(monitor.source.connection),
        monitor,
        Window(end - _retrain(monitor).trained_on, end),
        as_of,
        pii_key=resources.pii_key,
        also=[p.id, p.timestamp, *monitor.features],
    )
    frame = known.table.to_pandas()
    return frame[frame["label"].notna()].rename(columns={p.id: "id", p.timestamp: "timestamp"})


def summarise(monitor: Monitor, version: ModelVersion, compared: Comparison) -> str:
    """Say in a few lines, in Markdown, what was trained and how it compares: what the approver reads."""
    verdict = "better" if compared.better else f"not better: {compared.note}"
    return (
        f"**{monitor.name} {version.version}** was trained on {version.n_rows:,} labelled rows from "
        f"{version.trained_from:%Y-%m-%d} to {version.trained_to:%Y-%m-%d %H:%M}.\n\n"
        f"On {compared.n:,} later rows its {compared.metric} is **{compared.challenger:.4g}**, the champion's "
        f"{compared.champion:.4g}; gain {compared.difference:.4g} (95 % interval {compared.lower:.4g} to "
        f"{compared.upper:.4g}): {verdict}."
    )


def promote(monitor: Monitor, key: str, resources: Resources, *, at: datetime) -> dict[str, Any]:
    """Make the challenger of a request the champion, freeze the baseline for it, announce it, and close the request."""
    version = resources.registry.promote(monitor.name, version_of(key), at=at)
    if monitor.reference is not None:
        since = version.promoted_at or at
        freeze(monitor, resources, as_of=since, model_version=version.version, effective_from=since)
    note = f"{version.version} is the champion"
    resources.ledger.finish(key, RequestState.DONE, at=at, note=note)
    _announce(monitor, key, f"[promoted] {monitor.name}: {note}", _told(version), resources, at)
    return {"version": version.version, "trained_rows": version.n_rows}


def refuse(monitor: Monitor, key: str, resources: Resources, *, at: datetime, by: str | None) -> None:
    """Close a request whose challenger is not promoted: it is no better, or the person `by` said no."""
    version = resources.registry.version(monitor.name, version_of(key))
    state = RequestState.REFUSED if by else RequestState.KEPT
    note = f"{by} refused {version.version}" if by else f"{version.version} is not better than the champion"
    resources.ledger.finish(key, state, at=at, note=note)
    _announce(monitor, key, f"[kept] {monitor.name}: {note}", _told(version), resources, at)


def give_up(monitor: Monitor, key: str, resources: Resources, *, at: datetime, run_id: str) -> None:
    """Close a request whose run failed, and say so; the next request need not wait for its cooldown.

    What was decided before the run failed, at its announcement for instance, stands, and nothing else is told.
    """
    note = f"run {run_id} of {monitor.retrain_dag} failed"
    if not resources.ledger.give_up(key, by=run_id, at=at, note=note):
        return
    text = f"{note}: its log in Airflow says why. The champion stays. Clear the run to try again.\n"
    _announce(
        monitor,
        f"{key} failed at {at:%Y-%m-%d %H:%M}",
        f"[failed] {monitor.name}: the retraining failed",
        text,
        resources,
        at,
    )


def _told(version: ModelVersion) -> str:
    numbers = "\n".join(f"  {name}: {value:.6g}" for name, value in version.metrics.items())
    return f"{version.version} was trained on {version.n_rows:,} rows.\n\nOn later rows:\n{numbers}\n"


def _announce(monitor: Monitor, key: str, subject: str, text: str, resources: Resources, at: datetime) -> None:
    message = Message(subject, text, severity=Severity.P1)
    cause = f"retraining {key}"
    with resources.ledger.locked(monitor.name) as tx:
        tx.queue(letters(message, monitor=monitor.name, cause=cause, recipients=monitor.alerts.email), at)


def _retrain(monitor: Monitor) -> Retrain:
    if monitor.retrain is None:
        raise TrainingError(f"{monitor.name}: the monitor file has no retrain section, so nothing can be trained")
    return monitor.retrain


def _request(monitor: Monitor, key: str, resources: Resources) -> Progress:
    found = [p for p in resources.ledger.requests(monitor.name) if p.request.key == key]
    if not found:
        raise TrainingError(f"{monitor.name}: the ledger holds no retraining request {key!r}")
    return found[0]
