"""Answer a retraining request: train on what was known, compare on later rows, then promote or say why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from posixpath import basename
from typing import TYPE_CHECKING, Any

from hindsight.errors import ConfigError, SupersededError, TrainingError
from hindsight.ledger.records import UNDECIDED, Progress, RequestState
from hindsight.monitors.model import Monitor, Retrain
from hindsight.pipeline.measure.baselines import freeze
from hindsight.pipeline.resources import Resources
from hindsight.training.artifacts import save_model
from hindsight.training.compare import Comparison, compare, recall
from hindsight.training.registry import ModelVersion
from hindsight.training.train import hold_out, rehearse, train
from hindsight.verdicts.model import RetrainRequest
from hindsight.verdicts.retraining import noted
from hindsight.vocabulary.letters import Letter, Message, letters
from hindsight.vocabulary.severity import Severity
from hindsight.vocabulary.windows import Window
from hindsight.warehouse.labels import labelled

if TYPE_CHECKING:
    import pandas as pd


def claim(monitor: Monitor, key: str, resources: Resources, *, by: str) -> bool:
    """Take a request of this monitor for one DAG run; every other run is told False and ends."""
    return resources.ledger.claim(key, monitor=monitor.name, by=by)


def ask(
    monitor: Monitor,
    key: str,
    resources: Resources,
    *,
    as_of: datetime,
    by: str,
    why: str,
    at: datetime,
    run_id: str = "",
    alone: bool = False,
) -> RetrainRequest:
    """Write down that a person, `by`, asks for a retraining; return the request as it stands, once for each key.

    Cooldown and budget are noted beside the reason. Without a `run_id` hindsight__relay starts the run; a run that asks
    for itself has the request from the start. Raises ConfigError, and writes nothing, where `alone` is asked for and
    another request of the monitor is not decided yet.
    """
    retrain = _retrain(monitor)
    wish = RetrainRequest(key, monitor.name, monitor.retrain_dag, (), as_of, at, retrain.approval, by, why.strip())
    with resources.ledger.locked(monitor.name) as tx:
        if alone:
            _require_none_under_way(monitor, tx.retrain_requests(but=set(RequestState) - set(UNDECIDED)))
        past = [r for r in tx.retrain_requests(but=[RequestState.FAILED]) if r.key != key]
        tx.request_retraining(noted(wish, retrain, past), claimed_by=run_id)
    return _request(monitor, key, resources).request


def _require_none_under_way(monitor: Monitor, undecided: Sequence[RetrainRequest]) -> None:
    if undecided:
        first = undecided[0]
        raise ConfigError(
            f"{monitor.name}: retraining {first.key}, asked for by {first.asked_by or 'the rules'} at "
            f"{first.requested_at:%Y-%m-%d %H:%M} UTC, is under way in {first.dag} - wait for its end; where "
            f"Airflow has no such run any more, trigger {first.dag} there"
        )


def train_and_compare(monitor: Monitor, key: str, as_of: datetime | None, resources: Resources) -> dict[str, Any]:
    """Train a challenger on matured labels known at `as_of`, compare it with the champion on later ones, register it.

    Without `as_of` the request says it. Returns whether it is better, a summary for the person who approves, and the
    version. One request has one challenger: where it is registered already it is found again and not trained anew, and
    what is returned are always the numbers of the one registered, which is the one `promote` takes.
    """
    request = _request(monitor, key, resources).request
    version = resources.registry.made_for(monitor.name, key)
    version = version or _trained(monitor, request, as_of or request.as_of, resources)
    compared = recall(version.metrics)
    summary = summarise(monitor, request, version, compared)
    return {"better": compared.better, "version": version.version, "summary": summary}


def _trained(monitor: Monitor, request: RetrainRequest, as_of: datetime, resources: Resources) -> ModelVersion:
    """Train, compare and register the challenger of a request; of two that are trained at once the first stays."""
    earlier, later = hold_out(matured_rows(monitor, as_of, resources))
    _rehearse(monitor, earlier, as_of)
    model = train(_retrain(monitor).train, earlier, as_of)
    compared = compare(later, model, task=monitor.model.task, features=list(monitor.features))
    folder = f"models/{monitor.name}/{request.key}"
    artifact = save_model(model, resources.files, folder, trusted=monitor.trusted)
    version = ModelVersion(
        monitor=monitor.name,
        version=version_of(request.key),
        trained_from=earlier["timestamp"].min().to_pydatetime(),
        trained_to=earlier["timestamp"].max().to_pydatetime(),
        n_rows=len(earlier),
        metrics=compared.metrics(),
        artifact=f"{folder}/{basename(artifact.uri)}",
        sha256=artifact.sha256,
        created_at=request.requested_at,
        incidents=request.incidents,
        request_key=request.key,
    )
    return resources.registry.register(version)


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


def summarise(monitor: Monitor, request: RetrainRequest, version: ModelVersion, compared: Comparison) -> str:
    """Say in a few lines, in Markdown, what was trained, who asked and how it compares: what the approver reads."""
    verdict = "better" if compared.better else f"not better: {compared.note}"
    return (
        f"{_wish(request)}\n\n**{monitor.name} {version.version}** was trained on {version.n_rows:,} labelled rows "
        f"from {version.trained_from:%Y-%m-%d} to {version.trained_to:%Y-%m-%d %H:%M}.\n\n"
        f"On {compared.n:,} later rows its {compared.metric} is **{compared.challenger:.4g}**, the champion's "
        f"{compared.champion:.4g}; gain {compared.difference:.4g} (95 % interval {compared.lower:.4g} to "
        f"{compared.upper:.4g}): {verdict}."
    ).strip()


def promote(monitor: Monitor, key: str, resources: Resources, *, at: datetime, by: str = "") -> dict[str, Any]:
    """Make the challenger of a request the champion, freeze the baseline for it, announce it, and close the request.

    `by` is who approved it, "" where nobody was asked. Where a newer champion stands it stays: the answer then says why
    under `refused`, and so does the request unless it was done before.
    """
    try:
        version = resources.registry.promote(monitor.name, version_of(key), at=at)
    except SupersededError as exc:
        _close(monitor, key, RequestState.KEPT, str(exc), resources, at=at, by=by)
        return {"refused": str(exc)}
    if monitor.reference is not None:
        since = version.promoted_at or at
        freeze(monitor, resources, as_of=since, model_version=version.version, effective_from=since)
    _close(monitor, key, RequestState.DONE, f"{version.version} is the champion", resources, at=at, by=by)
    return {"version": version.version, "trained_rows": version.n_rows}


def refuse(monitor: Monitor, key: str, resources: Resources, *, at: datetime, by: str | None) -> None:
    """Close a request whose challenger is not promoted: it is no better, or the person `by` said no."""
    state = RequestState.REFUSED if by else RequestState.KEPT
    name = version_of(key)
    note = f"{by} refused {name}" if by else f"{name} is not better than the champion"
    _close(monitor, key, state, note, resources, at=at, by=by or "")


def lapse(monitor: Monitor, key: str, resources: Resources, *, at: datetime) -> None:
    """Close a request whose better challenger is not promoted, because nobody answered in time."""
    note = f"nobody answered in time, {version_of(key)} is not promoted"
    _close(monitor, key, RequestState.UNANSWERED, note, resources, at=at)


def give_up(monitor: Monitor, key: str, resources: Resources, *, at: datetime, run_id: str) -> None:
    """Close a request whose run failed, and say so; the next request need not wait for its cooldown.

    What was decided before the run failed, at its announcement for instance, stands, and nothing else is told.
    """
    note = f"run {run_id} of {monitor.retrain_dag} failed"
    subject = f"[failed] {monitor.name}: the retraining failed"
    text = f"{note}: its log in Airflow says why. The champion stays. Clear the run to try again.\n"
    with resources.ledger.locked(monitor.name) as tx:
        if tx.give_up_retraining(key, by=run_id, at=at, note=note):
            tx.queue(_announcement(monitor, f"{key} failed at {at:%Y-%m-%d %H:%M}", subject, text), at)


def _close(
    monitor: Monitor, key: str, state: RequestState, note: str, resources: Resources, *, at: datetime, by: str = ""
) -> None:
    """Write down what came of a request and tell its people, both or neither; what is done stays done."""
    version = resources.registry.version(monitor.name, version_of(key))
    decided = replace(_request(monitor, key, resources), state=state, decided_by=by)
    tag, (subject, _, more) = "promoted" if state is RequestState.DONE else "kept", note.partition("; ")
    text = (f"{more}.\n\n" if more else "") + _told(version, decided)
    with resources.ledger.locked(monitor.name) as tx:
        if tx.finish_retraining(key, state, at=at, note=note, by=by):
            tx.queue(_announcement(monitor, key, f"[{tag}] {monitor.name}: {subject}", text), at)


def _told(version: ModelVersion, progress: Progress) -> str:
    approved = f"Approved by {progress.decided_by}." if progress.state is RequestState.DONE else ""
    said = [
        f"{version.version} was trained on {version.n_rows:,} rows.",
        _wish(progress.request),
        approved if progress.decided_by else "",
    ]
    numbers = "\n".join(f"  {name}: {value:.6g}" for name, value in version.metrics.items())
    return " ".join(filter(None, said)) + f"\n\nOn later rows:\n{numbers}\n"


def _wish(request: RetrainRequest) -> str:
    return f"Asked for by {request.asked_by}: {request.why or 'no reason given'}." if request.asked_by else ""


def _announcement(monitor: Monitor, key: str, subject: str, text: str) -> list[Letter]:
    message = Message(subject, text, severity=Severity.P1)
    cause, to = f"retraining {key}", monitor.receivers(message.severity)
    return letters(message, monitor=monitor.name, cause=cause, recipients=to)


def _retrain(monitor: Monitor) -> Retrain:
    if monitor.retrain is None:
        raise TrainingError(f"{monitor.name}: the monitor file has no retrain section, so nothing can be trained")
    return monitor.retrain


def _request(monitor: Monitor, key: str, resources: Resources) -> Progress:
    found = [p for p in resources.ledger.requests(monitor.name) if p.request.key == key]
    if not found:
        raise TrainingError(f"{monitor.name}: the ledger holds no retraining request {key!r}")
    return found[0]
