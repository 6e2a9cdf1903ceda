"""Champions: the demo's first models in the registry, and the promoted one scoring beside the one in production."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from posixpath import basename

import pandas as pd
import sqlalchemy as sa

from demo.plan import DAY, Plan
from demo.traffic import Model, Traffic, answers, trained_until

SHADOW_DAYS = 2


def register_first(model: Model, plan: Plan, data: Traffic, *, ledger: sa.URL, folder: str) -> None:
    """Make the model that scored the log the champion v1, unless the registry has one already.

    `folder` is `models` below the data root.
    """
    from hindsight.snapshots.files import open_files
    from hindsight.training.artifacts import save_model
    from hindsight.training.registry import ModelVersion, Registry

    registry = Registry(sa.create_engine(ledger, poolclass=sa.NullPool))
    registry.create()
    name = model.stream.name
    if registry.champion(name) is not None:
        return
    artifact = save_model(data.champion, open_files(folder), f"{name}/v1")
    first = ModelVersion(
        monitor=name,
        version="v1",
        trained_from=plan.first_day,
        trained_to=trained_until(plan),
        n_rows=data.trained_rows,
        metrics={},
        artifact=f"models/{name}/v1/{basename(artifact.uri)}",
        sha256=artifact.sha256,
        created_at=trained_until(plan),
    )
    registry.register(first)
    registry.promote(name, "v1", at=trained_until(plan))


@dataclass(frozen=True, slots=True)
class Shadow:
    """How a promoted version does beside the one in production: over `n` requests, `labelled` of them with a label."""

    monitor: str
    version: str
    table: str
    n: int
    labelled: int
    agreement: float
    production_right: float | None
    shadow_right: float | None


def run_shadow(model: Model, *, warehouse: sa.URL, ledger: sa.URL, data: str, until: datetime) -> Shadow | None:
    """Let the champion score the last two days again into `<name>_shadow`; None while the first is still champion.

    The table has the log's columns and request ids, so what production answered stays untouched. Labels of so young a
    window are few and lean towards those that come early: the two numbers compare models, they do not rate them.
    """
    from hindsight.training.artifacts import Artifact, load_model, located
    from hindsight.training.registry import Registry

    champion = Registry(sa.create_engine(ledger, poolclass=sa.NullPool)).champion(model.stream.name)
    if champion is None or champion.version == "v1":
        return None
    engine = sa.create_engine(warehouse, poolclass=sa.NullPool)
    rows = _recent(engine, model, until)
    estimator = load_model(Artifact(located(data, champion.artifact), champion.sha256))
    scored = _scored(model, estimator, rows, champion.version)
    table = f"{model.log.removesuffix('_log')}_shadow"
    with engine.begin() as connection:
        scored.to_sql(table, connection, if_exists="replace", index=False, method="multi", chunksize=500)
    return _compared(engine, model, rows, scored, champion.version, table)


def _recent(engine: sa.Engine, model: Model, until: datetime) -> pd.DataFrame:
    with engine.connect() as connection:
        log = sa.Table(model.log, sa.MetaData(), autoload_with=connection)
        when = log.c.predicted_at
        query = sa.select(log).where(when >= until - SHADOW_DAYS * DAY, when < until, log.c.status_code == 200)
        return pd.read_sql(query.order_by(when, log.c.request_id), connection)


def _scored(model: Model, estimator: object, rows: pd.DataFrame, version: str) -> pd.DataFrame:
    output = answers(model, estimator, rows)
    prediction = (output >= 0.5).astype(int) if model.classifies else output.round(2)
    scored = rows.assign(model_version=version, prediction=prediction)
    return scored.assign(score=output.round(6)) if model.classifies else scored


def _compared(
    engine: sa.Engine, model: Model, rows: pd.DataFrame, scored: pd.DataFrame, version: str, table: str
) -> Shadow:
    with engine.connect() as connection:
        labels = sa.Table(model.labels, sa.MetaData(), autoload_with=connection)
        known = pd.read_sql(sa.select(labels).order_by(labels.c.labeled_at), connection)
    label = rows["request_id"].map(known.drop_duplicates("request_id", keep="last").set_index("request_id")["label"])
    has = label.notna()
    right = [_rightness(model, frame["prediction"][has], label[has]) for frame in (rows, scored)]
    agreement = _rightness(model, scored["prediction"], rows["prediction"]) or 0.0
    return Shadow(model.stream.name, version, table, len(rows), int(has.sum()), agreement, right[0], right[1])


def _rightness(model: Model, one: pd.Series, other: pd.Series) -> float | None:
    """The share of equal answers of a classifier; the mean absolute difference of a regressor."""
    if one.empty:
        return None
    return float((one == other).mean() if model.classifies else (one - other).abs().mean())
