"""Train: run the user's `train(rows, as_of)` on matured labelled rows and keep later rows back for the comparison.

`rows` is a DataFrame, one row per prediction whose label has matured, with the monitor's feature columns under their
own names and `id`, `timestamp` (aware UTC), `model_version`, `prediction`, `score` (null where the model has none) and
`label`. What is held back is strictly later than what is trained on.
"""

from __future__ import annotations

import importlib
import inspect
import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hindsight.errors import TrainingError
from hindsight.training.artifacts import archive

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)
Trainer = Callable[["pd.DataFrame", datetime], Any]


def load_trainer(path: str) -> Trainer:
    """Return the function named by `package.module:function`; TrainingError says what is missing or does not fit."""
    module_name, _, function_name = path.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ImportError as exc:
        raise TrainingError(
            f"retrain.train: cannot import {module_name!r} of {path!r}: {exc}; is its folder on PYTHONPATH?"
        ) from exc
    function = getattr(module, function_name, None)
    if not callable(function):
        raise TrainingError(f"retrain.train: module {module_name!r} has no function {function_name!r}")
    _check_signature(function, path)
    return function  # type: ignore[no-any-return]


def _check_signature(function: Callable[..., Any], path: str) -> None:
    try:
        inspect.signature(function).bind(None, None)
    except (TypeError, ValueError) as exc:
        raise TrainingError(
            f"retrain.train: {path} must take (rows, as_of) and return a fitted estimator: {exc}"
        ) from exc


def train(path: str, rows: pd.DataFrame, as_of: datetime) -> Any:
    """Return the estimator that the user's function fits on `rows`, as of `as_of` (aware UTC).

    What the user's function raises is left as it is: its traceback says more than we could. Raises TrainingError
    when the function cannot be called, there are no rows, or what it returns cannot predict.
    """
    trainer = load_trainer(path)
    if rows.empty:
        raise TrainingError(f"retrain.train: no matured labelled rows as of {as_of:%Y-%m-%d %H:%MZ} to train on")
    model = trainer(rows, as_of)
    if not callable(getattr(model, "predict", None)):
        raise TrainingError(f"retrain.train: {path} returned {type(model).__name__}, expected a fitted estimator")
    return model


def rehearse(
    path: str, rows: pd.DataFrame, as_of: datetime, *, classes: bool, trusted: Iterable[str] = (), n: int = 200
) -> None:
    """Fit on about `n` rows and try whether the outcome could be kept, before hours go into the real fit.

    The rows are spread evenly over time and, of a model of `classes`, hold twenty of each. Where there are no more than
    that the real fit is as quick. Raises TrainingError where what is fitted could not be loaded again; a fit that fails
    on so few rows says nothing about the real one and is only logged.
    """
    few = _few(rows, n, classes=classes)
    if len(few) >= len(rows):
        return
    try:
        model = train(path, few, as_of)
    except TrainingError:
        raise
    except Exception as exc:  # noqa: BLE001 - the user's code, on rows it was not made for
        log.info("%s could not be tried on %d rows, so it is fitted at once: %s", path, len(few), exc)
        return
    archive(model, trusted=trusted)


def _few(rows: pd.DataFrame, n: int, *, classes: bool) -> pd.DataFrame:
    spread = rows.index[:: max(1, -(-len(rows) // n))]
    of_each = rows.groupby("label", sort=False).head(20).index if classes else rows.index[:0]
    return rows.loc[rows.index.isin(spread.union(of_each))]


def hold_out(rows: pd.DataFrame, *, share: float = 0.2, at_most: int = 5000) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split rows by time into (to train on, to compare on); the second part is strictly later than the first.

    The newest `share` is kept back, but never more than `at_most` rows: they are enough to see a gain of two points,
    and the newest truth, which is why a model is retrained, is needed for training. Rows of one moment stay together.
    Raises TrainingError when no row is left on either side.
    """
    ordered = rows.sort_values("timestamp", kind="stable")
    kept_back = min(int(len(ordered) * share), at_most)
    if kept_back < 1:
        raise TrainingError(f"{len(rows)} labelled rows are too few to train on and compare with")
    border = ordered["timestamp"].iloc[-kept_back]
    before, after = ordered[ordered["timestamp"] < border], ordered[ordered["timestamp"] >= border]
    if before.empty:
        raise TrainingError(f"all {len(rows)} labelled rows carry one timestamp: none is left to train on")
    return before, after
