"""Judging: what it costs to judge and tell a window with 300 rules over 21 groups of rows, and a tick of the relay.

`python -m benchmarks.judging [--beside CHECKOUT]` judges eight windows of a monitor with 20 rules on 15 columns, in all
rows and in 20 segments, on a SQLite ledger: four are calm, in three a quarter of the columns breach in every segment.
It prints the CPU seconds of a calm window, of the first bad one and of one that is bad again, and of a tick of the
relay that has nothing to do, its imports and its start left out. With the path of another checkout of Hindsight it
measures that too, in turn, in processes of their own, and prints the ratios. Three rounds, the least of each.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from benchmarks.history_layout import open_resources
from hindsight import pipeline
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.windows import Window, parse_moment

RESULTS = Path(__file__).parent / "results"
ROUNDS, RULES, COLUMNS, SEGMENTS, ROWS = 3, 20, 15, 20, 1000
BAD = (3, 4, 6)
START = parse_moment("2026-09-01")
DAY = timedelta(days=1)


def a_monitor() -> Monitor:
    """Return the monitor: 20 rules on each of 15 columns are 300, each in 21 groups of rows."""
    columns = {"table": "log", **{name: name for name in ("id", "timestamp", "prediction")}}
    rules = [
        {"id": f"r{k}", "metric": "drift.psi", "above": 0.2 + k / 1e6, "segments": True, "severity": "P2"}
        for k in range(RULES)
    ]
    return Monitor.model_validate(
        {
            "name": "judged",
            "model": {"name": "judged", "task": "binary", "positive_label": 1},
            "source": {"predictions": columns},
            "window": "1d",
            "start": "2026-09-01",
            "features": {f"f{k}": "numeric" for k in range(COLUMNS)},
            "segments": ["region"],
            "reference": {"start": "2026-08-01", "end": "2026-08-28"},
            "rules": rules,
            "alerts": {"email": ["a@example.com"]},
        }
    )


def facts(*, bad: bool) -> list[Measurement]:
    """Return the drift of a window."""
    groups = ["", *(f"region={k}" for k in range(SEGMENTS))]
    return [
        Measurement("psi", 0.5 if bad and k % 4 == 0 else 0.05, ROWS, segment=group, feature=f"f{k}")
        for group in groups
        for k in range(COLUMNS)
    ]


def measured(folder: Path) -> dict[str, float]:
    """Return the CPU seconds of each part."""
    monitor, resources = a_monitor(), open_resources(folder)
    resources = replace(resources, settings=replace(resources.settings, monitors=folder))
    seconds = []
    for number in range(8):
        window = Window(START + number * DAY, START + (number + 1) * DAY)
        as_of = window.end + monitor.lateness
        total = [Measurement("total_requests", float(ROWS), ROWS)]
        for kind, some in {Kind.DRIFT: facts(bad=number in BAD), Kind.OPERATIONS: total}.items():
            resources.store.write(monitor.name, kind, window, as_of, some)
        at = as_of + timedelta(minutes=10)
        seconds.append(_cpu(lambda w=window, t=at: pipeline.judge_window(monitor, w, resources, judged_at=t)))
    now = START + 30 * DAY
    pipeline.tell_what_lasts([monitor], resources, now=now)
    idle = _cpu(lambda: (pipeline.tell_what_lasts([monitor], resources, now=now), pipeline.pending_starts(resources)))
    return {"calm": min(seconds[:3]), "first_bad": seconds[BAD[0]], "bad_again": seconds[BAD[2]], "idle_tick": idle}


def _cpu(once: Callable[[], object]) -> float:
    began = time.process_time()
    once()
    return time.process_time() - began


def of_checkout(checkout: Path) -> dict[str, float]:
    """Measure the Hindsight of a checkout in a process of its own, by this very file."""
    path = os.pathsep.join([str(checkout / "include"), str(Path(__file__).parents[1])])
    command = [sys.executable, "-m", "benchmarks.judging", "--once"]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, check=True, capture_output=True, text=True)
    return {name: float(value) for name, value in json.loads(done.stdout).items()}


def main() -> None:
    """Measure, print, and keep the numbers."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--beside", type=Path, help="another checkout of Hindsight")
    options.add_argument("--once", action="store_true", help="measure here, once, and print JSON")
    given = options.parse_args()
    if given.once:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(measured(Path(folder))))
        return
    checkouts = [Path(__file__).parents[1], *([given.beside.resolve()] if given.beside else [])]
    rounds = [[of_checkout(one) for one in checkouts] for _ in range(ROUNDS)]
    ours, *other = [{name: min(r[k][name] for r in rounds) for name in rounds[0][k]} for k in range(len(checkouts))]
    for name, value in ours.items():
        beside = f"   {other[0][name]:8.3f} there, ratio {value / other[0][name]:.2f}" if other else ""
        print(f"{name.replace('_', ' '):10} {value:8.3f} CPU s{beside}")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "judging.json").write_text(json.dumps({"ours": ours, "beside": other[0] if other else None}, indent=1))


if __name__ == "__main__":
    main()
