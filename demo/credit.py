"""credit_default: will a loan default? A classifier whose truth takes days to arrive, sooner when it is bad."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from demo.plan import DAY, Planted
from demo.stream import Stream

NAME = "credit_default"
REGIONS = {"north": 0.3, "south": 0.25, "east": 0.2, "west": 0.15, "islands": 0.1}
CHANNELS = {"broker": 0.4, "web": 0.3, "app": 0.2, "branch": 0.1}
PURPOSES = {"debt": 0.3, "car": 0.25, "home": 0.2, "medical": 0.1, "business": 0.08, "other": 0.07}
HOUSING = {"rent": 0.45, "mortgage": 0.35, "own": 0.2}
EMPLOYMENT = {"salaried": 0.6, "self_employed": 0.18, "public": 0.14, "retired": 0.08}
CATEGORICAL = ("region", "channel", "purpose", "housing", "employment")
NUMERIC = (
    "amount",
    "term_months",
    "income",
    "age",
    "employment_years",
    "credit_history_years",
    "bureau_score",
    "dti",
    "utilization",
    "open_accounts",
    "delinquencies",
    "inquiries",
    "savings",
    "loan_to_income",
    "monthly_payment",
)
FEATURES = (*NUMERIC, *CATEGORICAL)


def draw(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Return n loan applications: money in USD, time in years or months, ratios from 0 to 1."""
    age = np.clip(np.round(rng.normal(43, 11, n)), 18, 85)
    amount = np.clip(np.round(rng.lognormal(9.2, 0.55, n), -2), 500, 80_000)
    income = np.clip(np.round(rng.lognormal(10.7, 0.4, n), -2), 9_000, 400_000)
    term = rng.choice([12.0, 24.0, 36.0, 48.0, 60.0], n, p=[0.1, 0.2, 0.35, 0.2, 0.15])
    rows = {
        "amount": amount,
        "term_months": term,
        "income": income,
        "age": age,
        "employment_years": np.round(np.minimum(rng.gamma(2, 3.5, n), age - 17), 1),
        "credit_history_years": np.round(np.minimum(rng.gamma(3, 3.5, n), age - 17), 1),
        "bureau_score": np.clip(np.round(rng.normal(680, 60, n)), 300, 850),
        "dti": np.round(rng.beta(2.5, 5, n), 3),
        "utilization": np.round(rng.beta(2, 3, n), 3),
        "open_accounts": rng.poisson(5, n).astype(float),
        "delinquencies": rng.poisson(0.4, n).astype(float),
        "inquiries": rng.poisson(1.1, n).astype(float),
        "savings": np.round(rng.lognormal(8, 1, n)),
        "loan_to_income": np.round(amount / income, 3),
        "monthly_payment": np.round(amount / term * 1.09, 2),
    }
    for column, shares in zip(CATEGORICAL, (REGIONS, CHANNELS, PURPOSES, HOUSING, EMPLOYMENT), strict=True):
        rows[column] = rng.choice(list(shares), n, p=list(shares.values()))
    frame = pd.DataFrame(rows)
    frame.loc[rng.random(n) < 0.01, "income"] = np.nan
    return frame


def logit(rows: pd.DataFrame) -> np.ndarray:
    """Return the log odds of default as the world has it; who asks and through which channel does not matter."""
    risk = (
        -1.0 * (rows["bureau_score"] - 680) / 60
        + 0.9 * (rows["dti"] - 0.333) / 0.16
        + 0.7 * (rows["utilization"] - 0.4) / 0.2
        + 0.6 * (rows["delinquencies"] - 0.4)
        + 0.5 * np.clip((rows["loan_to_income"] - 0.27) / 0.2, -2, 3)
        + rows["employment"].map({"salaried": 0.0, "self_employed": 0.5, "public": -0.5, "retired": -0.1})
        + rows["region"].map({"north": -0.2, "south": 0.1, "east": 0.0, "west": 0.1, "islands": 0.3})
    )
    return np.asarray(1.6 * risk - 2.7)


def truth(rng: np.random.Generator, rows: pd.DataFrame, drifted: np.ndarray) -> np.ndarray:
    """Return 1 for the loans that will default; where the concept drifted, most of the brokered ones do."""
    odds = logit(rows)
    brokered = drifted & (rows["channel"] == "broker").to_numpy()
    odds = np.where(brokered, 1.3 - 0.3 * odds, odds)
    return np.asarray(rng.random(len(rows)) < 1 / (1 + np.exp(-odds)), dtype=np.int64)


def shift(rng: np.random.Generator, rows: pd.DataFrame, hit: np.ndarray) -> None:
    """A campaign among the young: eight features move that say nothing about default."""
    n = int(hit.sum())
    rows.loc[hit, "age"] = np.clip(np.round(rng.normal(29, 6, n)), 18, 60)
    rows.loc[hit, "employment_years"] = np.round(rng.gamma(1.2, 1.5, n), 1)
    rows.loc[hit, "credit_history_years"] = np.round(rng.gamma(1.5, 2, n), 1)
    rows.loc[hit, "savings"] = np.round(rng.lognormal(6.8, 0.9, n))
    rows.loc[hit, "open_accounts"] = rng.poisson(2.5, n).astype(float)
    rows.loc[hit, "inquiries"] = rng.poisson(2.2, n).astype(float)
    rows.loc[hit, "housing"] = rng.choice(["rent", "mortgage", "own"], n, p=[0.85, 0.1, 0.05])
    rows.loc[hit, "channel"] = rng.choice(list(CHANNELS), n, p=[0.1, 0.15, 0.7, 0.05])


def delay(rng: np.random.Generator, outcome: np.ndarray) -> np.ndarray:
    """Return hours until the outcome is booked: defaults in about a day and a half, the rest in three and a half."""
    return np.asarray(np.where(outcome == 1, 36.0, 86.0) * rng.lognormal(0, 0.42, len(outcome)))


def wrong(rng: np.random.Generator, outcome: np.ndarray, planted: Planted | None) -> np.ndarray:
    """Return the labels a wrong booking shows: the other class; a planted one writes off part of the good loans."""
    if planted is None:
        return 1 - outcome
    return np.where((outcome == 0) & (rng.random(len(outcome)) < planted.settings["share"]), 1, outcome)


STREAM = Stream(
    name=NAME,
    number=1,
    prefix="c",
    per_day=5000,
    weekdays=(1.04, 1.05, 1.03, 1.02, 1.0, 0.92, 0.94),
    hours=tuple(h / 100 for h in (2, 1, 1, 1, 1, 2, 3, 5, 6, 6, 6, 6, 5, 5, 6, 6, 6, 5, 5, 6, 6, 5, 3, 2)),
    latency_ms=62.0,
    cost=0.0004,
    draw=draw,
    shift=shift,
    truth=truth,
    delay=delay,
    wrong=wrong,
    never_labelled=0.03,
    canary=(33, 19),
)


def planted(end: datetime) -> list[Planted]:
    """Return what goes wrong with this model, counted back from `end`."""

    def plant(kind: str, ago: float, days: float, rules: str, severity: str, text: str, **rest: object) -> Planted:
        start = end - ago * DAY
        return Planted(NAME, kind, start, start + days * DAY, tuple(rules.split()), severity, text, **rest)  # type: ignore[arg-type]

    outage = {"slower": 7.0, "failing": 0.13}
    return [
        plant(
            "sentinel", 54, 1, "quality drift", "P2", "-999 for unknown in a quarter of employment_years",
            feature="employment_years", settings={"value": -999.0, "share": 0.25},
        ),
        plant(
            "respelled", 49, 2, "quality drift", "P2", "region north is spelled North",
            feature="region", settings={"spelling": {"north": "North"}},
        ),
        plant(
            "nulls", 44, 1, "null_rate quality", "P2", "a fifth of income is missing",
            feature="income", settings={"share": 0.21},
        ),
        plant("service", 39, 1, "health_critical", "P0", "p99 over 1 s and 13 % errors", settings=outage),
        plant("volume", 35, 1, "volume", "P1", "only a quarter of the usual requests", settings={"keep": 0.25}),
        plant(
            "shift", 31, 2, "drift_share", "P1", "a campaign among the young moves eight features; accuracy stays",
            also=("drift", "news"),
        ),
        plant(
            "labels_overturned", 25, 3, "accuracy_drop", "P0", "after maturity a quarter of the good loans is written "
            "off: the incident opens by correction", settings={"share": 0.32}, corrected=end - 14 * DAY,
            also=("label_drift",),
        ),
        plant(
            "concept", 15, 15, "accuracy_drop", "P0", "most brokered loans default now: accuracy falls by "
            "a quarter, a retraining follows", also=("label_drift",),
        ),
        plant(
            "sentinel", 5, 1, "quality drift", "P2", "-999 for unknown in a quarter of credit_history_years",
            feature="credit_history_years", settings={"value": -999.0, "share": 0.25},
        ),
        plant("service", 3, 1, "health_critical", "P0", "p99 over 1 s and 13 % errors", settings=outage),
    ]  # fmt: skip
