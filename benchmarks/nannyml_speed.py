"""Time NannyML's univariate drift, one method over all columns, on two Parquet files; runs in `.venv-nannyml`."""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path

import nannyml
import pandas as pd


def main(folder: Path) -> None:
    """Fit on the reference, then time the window alone: Jensen-Shannon and ten chunks are NannyML's defaults."""
    reference, window = (pd.read_parquet(folder / f"{name}.parquet") for name in ("reference", "window"))
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=list(window.columns), continuous_methods=["jensen_shannon"], categorical_methods=["jensen_shannon"]
    )
    began = time.perf_counter()
    calculator.fit(reference)
    fitted = time.perf_counter()
    calculator.calculate(window)
    ended = time.perf_counter()
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    print(
        json.dumps(
            {
                "seconds": ended - fitted,
                "fit_seconds": fitted - began,
                "rss_mb": int(peak[1]) / 1024 if peak else None,
                "version": nannyml.__version__,
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
