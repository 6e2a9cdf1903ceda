"""Traffic: everything the demo's models have logged, scored by real models, and the labels that have come.

A calendar day's rows depend on the seed, the plan and the date only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from demo import credit, delivery, training
from demo.plan import DAY, Plan
from demo.stream import Day, Stream, day, days

TRAINING_DAYS = 11  # from the first day on; the reference follows, then a week for its labels to come


@dataclass(frozen=True, slots=True)
class Model:
    """One demo model: its stream, what trains it and the tables it is logged to."""

    stream: Stream
    features: tuple[str, ...]
    trainer: Callable[[pd.DataFrame, datetime], Any]
    log: str
    labels: str
    classifies: bool


MODELS = (
    Model(credit.STREAM, credit.FEATURES, training.train_credit, "credit_log", "credit_labels", True),
    Model(delivery.STREAM, delivery.FEATURES, training.train_eta, "delivery_log", "delivery_labels", False),
)


@dataclass(frozen=True, slots=True)
class Traffic:
    """Scored requests and labels of one model, ready to load."""

    log: pd.DataFrame
    labels: pd.DataFrame
    champion: Any
    trained_rows: int


def trained_until(plan: Plan) -> datetime:
    """Return the end of the days the first models are trained on; the reference begins there."""
    return plan.first_day + TRAINING_DAYS * DAY


def reference_until(plan: Plan) -> datetime:
    """Return the end of the reference: a week before the first window, so that its labels are all in."""
    return plan.start - 7 * DAY


def traffic(model: Model, plan: Plan, until: datetime) -> Traffic:
    """Return everything one model has logged before `until` and every label that has arrived by then."""
    made = [day(model.stream, plan, start) for start in days(plan, until)]
    requests = pd.concat([one.requests for one in made], ignore_index=True)
    labels = pd.concat([one.labels for one in made], ignore_index=True)
    training_days = made[:TRAINING_DAYS]
    champion = _train(model, training_days, trained_until(plan), 1.0)
    canary = _train(model, training_days, trained_until(plan), 0.7) if model.stream.canary else champion
    log = _scored(model, requests, champion, canary)
    return Traffic(log, labels[labels["labeled_at"] < until], champion, sum(len(d.requests) for d in training_days))


def _train(model: Model, made: Sequence[Day], as_of: datetime, share: float) -> Any:
    """Train on the first `share` of the rows: the canary is the same model on fewer."""
    rows = pd.concat([one.requests.merge(one.labels.drop_duplicates("request_id", keep="last")) for one in made])
    rows = rows.rename(columns={"predicted_at": "timestamp"}).iloc[: int(len(rows) * share)]
    return model.trainer(rows, as_of)


def _scored(model: Model, requests: pd.DataFrame, champion: Any, canary: Any) -> pd.DataFrame:
    is_canary = (requests["model_version"] == "v2").to_numpy()
    output = answers(model, champion, requests)
    if is_canary.any():
        output[is_canary] = answers(model, canary, requests[is_canary])
    failed = (requests["status_code"] != 200).to_numpy()
    if model.classifies:
        requests["prediction"] = pd.array(np.where(output >= 0.5, 1, 0), dtype="Int64")
        requests["score"] = np.where(failed, np.nan, np.round(output, 6))
    else:
        requests["prediction"] = np.round(output, 2)
    requests.loc[failed, "prediction"] = pd.NA if model.classifies else np.nan
    return requests


def answers(model: Model, estimator: Any, rows: pd.DataFrame) -> np.ndarray:
    """Return the probability of default, or the minutes, for each row."""
    features = rows[list(model.features)]
    answer = estimator.predict_proba(features)[:, 1] if model.classifies else estimator.predict(features)
    return np.asarray(answer)
