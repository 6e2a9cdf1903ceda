"""delivery_eta: how many minutes until the food is there? A regressor whose truth is known within hours."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from demo.plan import Planted
from demo.stream import Stream

NAME = "delivery_eta"
VEHICLES = {"bike": 0.45, "scooter": 0.35, "car": 0.2}
ZONES = {"centre": 0.35, "north": 0.2, "harbour": 0.15, "hills": 0.15, "campus": 0.15}
KITCHENS = {"pizza": 0.3, "asian": 0.25, "burger": 0.2, "salad": 0.15, "fine": 0.1}
CATEGORICAL = ("vehicle", "zone", "kitchen")
NUMERIC = (
    "distance_km",
    "basket_items",
    "order_value",
    "prep_minutes",
    "courier_load",
    "traffic",
    "rain_mm",
    "temperature",
    "stops",
)
FEATURES = (*NUMERIC, *CATEGORICAL)
PACE = {"bike": 4.1, "scooter": 2.6, "car": 3.1}  # minutes per km
NOISE = 5.0  # minutes, the same at every hour


def draw(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Return n orders: km, minutes, mm of rain, °C; alike at every hour of the day."""
    rows = {
        "distance_km": np.round(np.clip(rng.gamma(3.2, 1.1, n), 0.2, 20), 2),
        "basket_items": 1.0 + rng.poisson(2.2, n),
        "order_value": np.round(rng.lognormal(3.2, 0.45, n), 2),
        "prep_minutes": np.round(np.clip(rng.normal(14, 4, n), 3, 40), 1),
        "courier_load": rng.poisson(1.3, n).astype(float),
        "traffic": np.round(rng.beta(3, 3, n), 3),
        "rain_mm": np.round(np.where(rng.random(n) < 0.7, 0.0, rng.gamma(1.5, 1.4, n)), 1),
        "temperature": np.round(rng.normal(14, 5, n), 1),
        "stops": rng.poisson(0.8, n).astype(float),
    }
    for column, shares in zip(CATEGORICAL, (VEHICLES, ZONES, KITCHENS), strict=True):
        rows[column] = rng.choice(list(shares), n, p=list(shares.values()))
    return pd.DataFrame(rows)


def truth(rng: np.random.Generator, rows: pd.DataFrame, drifted: np.ndarray) -> np.ndarray:
    """Return the minutes each delivery really takes."""
    ride = rows["distance_km"] * rows["vehicle"].map(PACE) * (0.75 + 0.5 * rows["traffic"])
    minutes = (
        4
        + 0.9 * rows["prep_minutes"]
        + ride
        + 3.0 * rows["courier_load"]
        + 2.5 * rows["stops"]
        + 1.2 * np.minimum(rows["rain_mm"], 6)
        + 0.4 * rows["basket_items"]
    )
    return np.asarray(np.round(np.maximum(minutes + rng.normal(0, NOISE, len(rows)), 5), 2))


def shift(rng: np.random.Generator, rows: pd.DataFrame, hit: np.ndarray) -> None:
    """A heat wave and a price rise: two features move that hardly matter to the minutes."""
    rows.loc[hit, "temperature"] = np.round(rng.normal(31, 3, int(hit.sum())), 1)
    rows.loc[hit, "order_value"] = np.round(rows.loc[hit, "order_value"] * 1.6, 2)


def delay(rng: np.random.Generator, outcome: np.ndarray) -> np.ndarray:
    """Return hours until the delivery is booked: the ride itself and then some."""
    return outcome / 60 + 1.5 * rng.lognormal(0, 0.6, len(outcome))


def wrong(rng: np.random.Generator, outcome: np.ndarray, planted: Planted | None) -> np.ndarray:
    """Return what a wrong booking shows: a slip of some minutes; a planted one is further off."""
    factor = 1.15 if planted is None else planted.settings["factor"]
    return np.asarray(np.round(outcome * factor, 2))


STREAM = Stream(
    name=NAME,
    number=2,
    prefix="d",
    per_day=2400,
    weekdays=(0.97, 0.96, 0.98, 1.0, 1.04, 1.05, 1.03),
    hours=(*(6 * [0.035]), *(6 * [0.04]), *(6 * [0.045]), *(6 * [7 / 150])),
    latency_ms=38.0,
    cost=0.00015,
    draw=draw,
    shift=shift,
    truth=truth,
    delay=delay,
    wrong=wrong,
    never_labelled=0.02,
)


def planted(end: datetime) -> list[Planted]:
    """Return what goes wrong with this model, counted back from `end` in hours."""

    def plant(
        kind: str, days_ago: int, at: int, hours: int, rules: str, severity: str, text: str, **rest: object
    ) -> Planted:
        start = end - timedelta(days=days_ago) + timedelta(hours=at)
        until = start + timedelta(hours=hours)
        return Planted(NAME, kind, start, until, tuple(rules.split()), severity, text, **rest)  # type: ignore[arg-type]

    def corrected(days_ago: int) -> datetime:
        return end - timedelta(days=days_ago)

    withdrawn = "deliveries are booked 60 % too long, then set right: the incident is withdrawn"
    return [
        plant(
            "units", 52, 0, 24, "quality drift", "P2", "distance_km holds metres",
            feature="distance_km", settings={"factor": 1000.0, "share": 0.4},
        ),
        plant("service", 46, 12, 6, "latency_p95 health_warning health_critical", "P1", "an afternoon of slow answers",
              settings={"slower": 12.0, "failing": 0.02}),
        plant("volume", 41, 6, 12, "volume", "P1", "the app loses most of its orders", settings={"keep": 0.2}),
        plant(
            "respelled", 36, 0, 18, "quality drift", "P2", "vehicle bike becomes bicycle",
            feature="vehicle", settings={"spelling": {"bike": "bicycle"}},
        ),
        plant("shift", 28, 0, 24, "drift out_of_range", "P2", "a heat wave and a price rise; the error stays",
              feature="temperature", also=("drift_share", "news")),
        plant(
            "labels_wrong", 21, 0, 24, "accuracy_drop", "P0", withdrawn, settings={"factor": 1.6},
            corrected=corrected(17), also=("label_drift",), state="withdrawn",
        ),
        plant(
            "nulls", 12, 6, 12, "null_rate quality", "P2", "a fifth of prep_minutes is missing",
            feature="prep_minutes", settings={"share": 0.22},
        ),
        plant(
            "labels_wrong", 7, 12, 12, "accuracy_drop", "P0", withdrawn, settings={"factor": 1.6},
            corrected=corrected(4), also=("label_drift",), state="withdrawn",
        ),
        plant("volume", 5, 12, 6, "volume", "P1", "the app loses most of its orders", settings={"keep": 0.2}),
        plant(
            "units", 4, 6, 6, "quality drift", "P2", "distance_km holds metres",
            feature="distance_km", settings={"factor": 1000.0, "share": 0.4},
        ),
        plant("service", 2, 6, 12, "latency_p95 health_warning health_critical", "P1", "half a day of slow answers",
              settings={"slower": 12.0, "failing": 0.02}),
    ]  # fmt: skip
