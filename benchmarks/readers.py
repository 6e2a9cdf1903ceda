"""Readers: run each query of docs/readers.md over a store, and compare the rows with what our own reader says.

`python benchmarks/readers.py FOLDER` runs where the readers are installed (benchmarks/readers.txt), without Hindsight.
It prints one line a reader and exits with 1 where the rows of one differ; a reader that is not there is said.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

import pandas as pd

COLUMNS = [
    *("monitor", "kind", "model_version", "segment", "window_start", "window_end", "as_of", "metric", "feature", "bin"),
    *("value", "lower", "upper", "n", "reference", "note", "revision"),
]
PAGE = Path(__file__).parent.parent / "docs" / "readers.md"


def queries() -> dict[str, str]:
    """Return the code under each heading of the page."""
    found = re.findall(r"^## (\w+)\n.*?```\w+\n(.*?)```", PAGE.read_text(), flags=re.M | re.S)
    return dict(found)


def by_python(code: str) -> pd.DataFrame:
    """Run a block of Python that ends with `newest`."""
    names: dict[str, Any] = {}
    exec(code, names)
    newest = names["newest"]
    return newest if isinstance(newest, pd.DataFrame) else newest.to_pandas()


def by_duckdb(code: str) -> pd.DataFrame:
    """Run a query in DuckDB."""
    import duckdb

    return duckdb.sql(code).df()


def by_clickhouse(code: str) -> pd.DataFrame:
    """Run a query in ClickHouse, inside this process."""
    import chdb

    return chdb.query(code, "DataFrame")


def by_spark(code: str) -> pd.DataFrame:
    """Run a query in a Spark of this machine; it needs Java."""
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .getOrCreate()
    )
    session.conf.set("spark.sql.session.timeZone", "UTC")
    rows = [row.asDict() for row in session.sql(code).collect()]
    session.stop()
    return pd.DataFrame(rows)


READERS: dict[str, Callable[[str], pd.DataFrame]] = {
    "pandas": by_python,
    "Polars": by_python,
    "DuckDB": by_duckdb,
    "ClickHouse": by_clickhouse,
    "Spark": by_spark,
}


def as_compared(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    """Return rows as plain values in one order: moments in UTC, nothing as None."""
    rows = []
    for row in frame[COLUMNS].itertuples(index=False):
        rows.append(tuple(_plain(value) for value in row))
    return sorted(rows, key=repr)


def _plain(value: Any) -> Any:
    if value is None or value is pd.NaT or value != value:
        return None
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode()
    if hasattr(value, "tzinfo"):
        moment = pd.Timestamp(value)
        moment = moment.tz_localize(UTC) if moment.tzinfo is None else moment.tz_convert(UTC)
        return moment.isoformat()
    return float(value) if isinstance(value, int | float) or hasattr(value, "dtype") else str(value)


def main() -> int:
    """Run them all."""
    folder = Path(sys.argv[1])
    expected = as_compared(pd.read_parquet(folder / "newest.parquet"))
    os.chdir(folder.parent)  # the page says data/snapshots
    wrong = 0
    for name, code in queries().items():
        if name not in READERS:
            print(f"{name:12} not run")
            continue
        try:
            found = as_compared(READERS[name](code))
        except ImportError as exc:
            print(f"{name:12} not installed: {exc}")
            continue
        wrong += found != expected
        print(f"{name:12} {len(found):,} rows, {'the same' if found == expected else 'NOT the same'}")
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
