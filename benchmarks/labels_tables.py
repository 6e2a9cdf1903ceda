"""Tables of the late-label benchmarks: written into docs/benchmarks-labels.md from the numbers that were kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.speed_tables import BEGIN, END, markdown

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "benchmarks-labels.md"
RESULTS = Path(__file__).parent / "results"
Found = dict[str, Any]


def nights(found: Found) -> Iterator[str]:
    """Yield the section on one night of late labels."""
    yield f"### One night on {found['days']} days of {found['predictions_a_day']:,} predictions"
    yield f"{found['late_labels']:,} labels came; everything takes {found['everything_over_one_night']:.1f} × as long."
    rows = [
        (what, str(found[key]["windows"]), f"{found[key]['seconds']:.1f}", f"{found[key]['rows']:,}")
        for what, key in (("every window, from the beginning", "everything"), ("the night", "one_night"))
    ]
    yield markdown(("what", "windows", "seconds", "rows PostgreSQL read"), rows)


def verdicts(found: Found) -> Iterator[str]:
    """Yield the section on naive and gated verdicts."""
    yield "### Verdicts on labels whose delay depends on the class"
    rows = []
    for world in (each for each in found.values() if isinstance(each, dict)):
        for name, what in (("good", "ended well"), ("bad", "ended badly")):
            if world[f"{name}_windows"]:
                rates = (_rate(world[f"{way}_breaches_of_{name}"]) for way in ("naive", "gated"))
                rows.append((f"{world[f'{name}_windows']:,} windows that {what}", *rates))
    yield markdown(("", "breached, naive", "breached, gated"), rows)
    for name, world in found.items():
        if isinstance(world, dict) and world["interval_covers"]:
            held, count = world["interval_covers"]
            error = world["mean_error_of_expected"]
            yield (
                f"Where {name}, the interval of `accuracy_expected` held the final accuracy on {held:.1%} of {count:,} "
                f"nights, at a mean error of {error:.4f}."
            )


def _rate(found: list[float]) -> str:
    rate, lower, upper = found
    return f"{rate:.1%} ({lower:.1%} to {upper:.1%})"


def estimates(found: Found) -> Iterator[str]:
    """Yield the section on NannyML's estimates."""
    yield "### Estimates before labels, beside NannyML's CBPE on the same rows"
    rows = [
        (
            name,
            metric.replace("_", " "),
            f"{row['windows']:.0f}",
            f"{row['largest_difference']:.4f}",
            f"{row['mean_difference']:.4f}",
            f"{row['our_error']:.4f}",
            f"{row['nannyml_error']:.4f}",
        )
        for name, metrics in found.items()
        for metric, row in metrics.items()
    ]
    yield markdown(("case", "metric", "windows", "apart at most", "at the mean", "our error", "NannyML's error"), rows)


def main() -> None:
    """Write every section whose numbers were kept."""
    sections = {"nights": nights, "labels": verdicts, "estimates": estimates}
    kept = [(write, RESULTS / f"{name}.json") for name, write in sections.items()]
    parts = [part for write, file in kept if file.exists() for part in write(json.loads(file.read_text()))]
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text("\n\n".join((before + BEGIN, *parts, END + rest.partition(END)[2])))


if __name__ == "__main__":
    main()
