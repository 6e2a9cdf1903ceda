"""Training: what the demo's monitor files name as `retrain.train`; the first models are trained by it too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from demo import credit, delivery

if TYPE_CHECKING:
    import pandas as pd

HALF_LIFE_DAYS = 1.0  # yesterday counts more than last week: the world of lending turns quickly


def train_credit(rows: pd.DataFrame, as_of: datetime) -> Any:
    """Return a classifier of default fitted on matured applications, recent ones weighing more."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return _fit(
        HistGradientBoostingClassifier(max_iter=100, learning_rate=0.12, max_leaf_nodes=15, random_state=0),
        rows,
        as_of,
        features=credit.FEATURES,
        categorical=credit.CATEGORICAL,
    )


def train_eta(rows: pd.DataFrame, as_of: datetime) -> Any:
    """Return a regressor of delivery minutes fitted on matured deliveries, recent ones weighing more."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    return _fit(
        HistGradientBoostingRegressor(max_iter=120, learning_rate=0.12, max_leaf_nodes=15, random_state=0),
        rows,
        as_of,
        features=delivery.FEATURES,
        categorical=delivery.CATEGORICAL,
    )


def _fit(
    model: Any, rows: pd.DataFrame, as_of: datetime, *, features: Sequence[str], categorical: Sequence[str]
) -> Any:
    """Fit `model` behind an encoder that knows unseen and missing categories; rows need timestamp and label."""
    import numpy as np
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OrdinalEncoder

    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan)
    columns = ColumnTransformer([("categories", encoder, list(categorical))], remainder="passthrough")
    model.set_params(categorical_features=list(range(len(categorical))), early_stopping=False)
    age_days = (as_of - rows["timestamp"]).dt.total_seconds() / 86_400
    weight = 0.5 ** ((age_days - age_days.min()) / HALF_LIFE_DAYS)
    pipeline = Pipeline([("columns", columns), ("model", model)])
    return pipeline.fit(rows[list(features)], rows["label"], model__sample_weight=weight.to_numpy())
