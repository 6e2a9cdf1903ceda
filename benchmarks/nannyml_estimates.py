"""NannyML's estimates of the same windows; runs in NannyML's own environment and imports nothing of Hindsight.

`python nannyml_estimates.py REFERENCE.parquet WINDOWS.parquet` reads rows with the columns prediction, score, label
(reference only) and window, and prints JSON: per window the CBPE estimates of accuracy and ROC AUC.
"""

from __future__ import annotations

import json
import os
import sys
import warnings

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"  # read when NannyML is imported
warnings.simplefilter("ignore")

import nannyml as nml  # noqa: E402
import pandas as pd  # noqa: E402

METRICS = ["accuracy", "roc_auc"]


def estimates(reference: pd.DataFrame, windows: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return the estimates of each window of `windows`."""
    estimator = nml.CBPE(
        y_pred_proba="score",
        y_pred="prediction",
        y_true="label",
        problem_type="classification_binary",
        metrics=METRICS,
        chunk_size=len(reference),  # the reference is one chunk: its own spread is not what is compared
    )
    estimator.fit(reference.assign(label=reference["label"].astype(int)))
    found = {}
    for window, rows in windows.groupby("window", sort=True):
        estimator.chunker = nml.SizeBasedChunker(chunk_size=len(rows), incomplete="keep")
        result = estimator.estimate(rows.reset_index(drop=True)).filter(period="analysis").to_df()
        found[str(window)] = {metric: float(result[metric]["value"].iloc[0]) for metric in METRICS}
    return found


if __name__ == "__main__":
    print(json.dumps(estimates(*map(pd.read_parquet, sys.argv[1:3]))))
