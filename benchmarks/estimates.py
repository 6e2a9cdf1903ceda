"""Estimates: what Hindsight and NannyML say of a window before its labels come, beside what turned out to be true.

`python -m benchmarks.estimates [CASE…]` runs the binary cases below HINDSIGHT_CASES through Hindsight's command line
and the same rows through NannyML's CBPE in its own environment. Prints, for accuracy and ROC AUC, how far the two
estimates are apart and how far each is from the truth; writes benchmarks/results/estimates.json.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import case_runs
from benchmarks.case import Case, moment
from benchmarks.cases import Numbers
from benchmarks.nannyml_env import in_nannyml
from demo import database

HERE = Path(__file__).parent
RESULTS = HERE / "results"
METRICS = ("accuracy", "roc_auc")


def ours(case: Case, data: str) -> dict[str, dict[str, tuple[float | None, float | None]]]:
    """Return estimate and truth of each window's metrics, from the snapshots."""
    found = Numbers.read(case, data).values

    def value(row: Mapping[str, str], kind: str, metric: str) -> float | None:
        return found.get((moment(row["window_start"]), kind, metric, ""), (None,))[0]

    return {
        row["window_start"]: {m: (value(row, "estimate", m), value(row, "performance", m)) for m in METRICS}
        for row in case.truth
    }


def theirs(case: Case, folder: Path) -> dict[str, dict[str, float]]:
    """Return NannyML's estimates of the same windows, from the rows that were answered."""
    reference = pd.read_parquet(case.folder / "reference.parquet").query("split == 'holdout'")
    rows = pd.read_parquet(case.folder / "predictions.parquet")
    rows = rows[(rows["status_code"] == 200) & rows["prediction"].notna()]
    start, end = case.span
    rows = rows[(rows["predicted_at"] >= start) & (rows["predicted_at"] < end)]
    number = (rows["predicted_at"] - start) // case.size
    rows["window"] = [f"{start + int(k) * case.size:%Y-%m-%dT%H:%M:%SZ}" for k in number]
    paths = [folder / "reference.parquet", folder / "windows.parquet"]
    for path, frame in zip(paths, (reference, rows), strict=True):
        _as_nannyml_takes_it(frame, case.setup["positive_label"]).to_parquet(path)
    found = in_nannyml(HERE / "nannyml_estimates.py", *map(str, paths))
    if found is None:
        raise SystemExit("NannyML's environment is missing: make it with `make .venv-nannyml/.installed`")
    return found


def _as_nannyml_takes_it(frame: pd.DataFrame, positive: Any) -> pd.DataFrame:
    """Classes as 0 and 1, and nothing but what an estimate needs."""
    found = frame[[name for name in ("prediction", "label", "score", "window") if name in frame.columns]].copy()
    for name in {"prediction", "label"} & set(found.columns):
        whole = found[name].astype(int) if found[name].dtype.kind == "f" else found[name]
        found[name] = (whole.astype(str) == str(positive)).astype(int)
    return found.astype({"score": float})


def compared(mine: Mapping[str, Any], nannyml: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return per metric: windows, the largest and mean difference of the estimates, and the mean error of each."""
    found = {}
    for metric in METRICS:
        rows = [
            (mine[window][metric][0], nannyml[window][metric], mine[window][metric][1])
            for window in mine
            if window in nannyml and None not in mine[window][metric] and np.isfinite(nannyml[window][metric])
        ]
        ours_, theirs_, truth = np.array(rows, float).T
        apart = np.abs(ours_ - theirs_)
        found[metric] = {
            "windows": len(rows),
            "largest_difference": float(apart.max()),
            "mean_difference": float(apart.mean()),
            "our_error": float(np.abs(ours_ - truth).mean()),
            "nannyml_error": float(np.abs(theirs_ - truth).mean()),
        }
    return found


def measure(some: Sequence[Case]) -> dict[str, Any]:
    """Run the cases through both; return what `compared` says of each."""
    temporary = tempfile.TemporaryDirectory(prefix="hindsight-estimates-")
    with temporary as folder, database.running(Path(folder) / "postgres") as server:
        url = server.set(database="warehouse")
        os.environ.update(case_runs.prepare(some, url, Path(folder)))
        found = {}
        for case in some:
            case_runs.load(case, url)
            case_runs.run(case)
            case_runs.night(case)
            found[case.name] = compared(ours(case, os.environ["HINDSIGHT_DATA"]), theirs(case, Path(folder)))
            _print(case.name, found[case.name])
    return found


def _print(name: str, found: Mapping[str, Mapping[str, float]]) -> None:
    for metric, row in found.items():
        print(
            f"{name:24}{metric:10}{row['windows']:4.0f} windows; apart at most {row['largest_difference']:.4f}, "
            f"{row['mean_difference']:.4f} at the mean; error: ours {row['our_error']:.4f}, "
            f"NannyML's {row['nannyml_error']:.4f}"
        )


def main() -> None:
    """Compare, print, keep the numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "cases", nargs="*", metavar="CASE", help="folders below HINDSIGHT_CASES; all binary ones without"
    )
    parser.add_argument("--windows", type=int, default=None, help="only so many windows of each")
    asked = parser.parse_args()
    place = Path(os.environ.get("HINDSIGHT_CASES") or parser.error("HINDSIGHT_CASES names no folder of cases"))
    names = asked.cases or sorted(file.parent.name for file in place.glob("*/case.json"))
    some = [Case(place / name, asked.windows) for name in names]
    found = measure([case for case in some if case.setup["task"] == "binary"])
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "estimates.json").write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
