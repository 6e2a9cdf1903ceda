"""The page of the season bench: its numbers as tables of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

GOALS = (
    ("pages_per_month", "pages a model-month, mean", 1.0, False),
    ("notices_per_month", "notices a model-month, mean", 2.0, False),
    ("notices_per_month_worst", "notices a month, worst series", 4.0, False),
    ("faults_found_middle", "middle faults found, whole", 0.9, True),
    ("faults_found_segment", "middle faults found, one segment", 0.8, True),
    ("cases_per_cause", "cases a lasting cause", 1.0, False),
    ("worse_told", "stretches of worse performance told", 1.0, True),
    ("ramps_told", "ramps of sixty days told", 1.0, True),
)
Numbers = dict[str, Any]


def page(found: Numbers, *, before: Numbers | None = None, points: Numbers | None = None) -> str:
    """Return the whole page; beside the goals what an earlier build came to, at the end the curve, where there are."""
    about = found["about"]
    return "\n".join(
        [
            "# Seasons: quiet on a world that moves, awake to what is new in it",
            "",
            f"Written by `make bench-seasons` on {about['at'][:10]}; it took {about['wall_seconds'] / 60:.0f} minutes.",
            *_HOW,
            "",
            "## Held to",
            "",
            goals(found, before),
            "",
            *([_before(before), ""] if before else []),
            "## Nothing planted",
            "",
            quiet(found),
            "",
            "## Faults found",
            "",
            cells(found),
            "",
            "Left out, with the reason: " + _left_out(found) + ".",
            "",
            *(["## Found against notices", "", curve(points), ""] if points else []),
            "## The series",
            "",
            sources(found),
            "",
        ]
    )


_HOW = (
    "",
    "Real logs as they lie in time, a model trained on the stretch before each, the monitor file that `hindsight init`",
    "proposes (without its expectation suite, which is about single rows and takes most of the time), every window",
    "run and every label night held in order. A *page* is a case told at P0 or P1, a *notice* one told at P2; each",
    "telling counts. Labels are looked at once a window. A fault is found when a case that names it is told by the",
    "night after the second window from its onset (labels: from maturity; the ramp: sixty days) and no such case in",
    "the paired run without it. Every kind, strength and place meets every series at one of its three onsets, drawn",
    "by seed (`--onsets 3` runs them all). Where no onset had seven windows without a telling before it, the",
    "quietest was taken. A lasting cause is followed for six windows; counted are those that were told at all.",
    "Labels are flipped and relations changed only where labels mature within ten windows. Faults are planted in the",
    "log alone: the predictions are those the model made of good inputs. What neither the oracle sees (the clean",
    "mean and deviation of each slot, four of them) nor Hindsight finds is not counted. `hotel_booking` gets every",
    "second fault: its labels come for a year, and each night looks at all its windows. Local clocks are read as UTC.",
    "Of the peers every column that is called drifted in a window counts, on the same windows and reference",
    "(benchmarks/alarms_peers.py). A stretch is worse when three windows or more are worse than the reference by 15 %",
    "and by three standard errors.",
)


def table(found: Numbers) -> str:
    """Return what the command prints."""
    return "\n\n".join([goals(found), quiet(found), cells(found)])


def goals(found: Numbers, before: Numbers | None = None) -> str:
    """Return the numbers the bench is held to, beside those of an earlier build where they are known."""
    rows = []
    for key, what, goal, at_least in GOALS:
        value = found[key]
        met = value is not None and (value >= goal if at_least else value <= goal)
        earlier = [_number(before.get(key), at_least)] if before else []
        rows.append([what, *earlier, _number(value, at_least), f"{'≥' if at_least else '≤'} {_number(goal, at_least)}"])
        rows[-1].append("–" if value is None else _yes(met))
    return _table(["", *(["before"] if before else []), "measured", "goal", "met"], rows)


def _before(before: Numbers) -> str:
    about = before["about"]
    cells = "every fault" if about["every"] == 1 else f"one fault in {about['every']}"
    return f"*Before*: the build of {about['at'][:10]}, on {', '.join(about['series'])}, {cells}."


def curve(points: Numbers) -> str:
    """Return what is told and found at each threshold of a curve."""
    rows = [
        [
            f"`{one['yaml']}`",
            *(_number(one[key], False) for key in ("pages_per_month", "notices_per_month")),
            *(_number(one[key], True) for key in ("faults_found_middle", "faults_found_segment")),
        ]
        for one in points["points"]
    ]
    of_series = f"On {', '.join(points['about']['series'])}.\n\n"
    return of_series + _table(["monitor file", "pages", "notices", "found, whole", "found, segment"], rows)


def sources(found: Numbers) -> str:
    """Return where each series is from and under which licence."""
    ran = [one for one in found["series"] if "left_out" not in one]
    return _table(["series", "source", "licence"], [[one["series"], one["source"], one["licence"]] for one in ran])


def quiet(found: Numbers) -> str:
    """Return pages and notices a month of each series, and the peers' calls."""
    rows = []
    for one in found["series"]:
        if "left_out" in one:
            rows.append([one["series"], f"left out: {one['left_out']}", *[""] * 5])
            continue
        most = ", ".join(f"{key} {n}" for key, n in list(one["told_of"].items())[:3])
        peers = [f"{one['peers'][peer]['notices_per_month']:.0f}" for peer in ("evidently", "nannyml")]
        told = [f"{one[key]:.2f}" for key in ("pages_per_month", "notices_per_month")]
        rows.append([one["series"], f"{one['windows']} × {one['window_days']} d", *told, *peers, most])
    head = ["series", "windows", "pages", "notices", "Evidently", "NannyML", "told most"]
    return _table(head, rows)


def cells(found: Numbers) -> str:
    """Return found of planted, and the oracle's and the peers', by kind, strength and place."""
    order = {"weak": 0, "middle": 1, "strong": 2}

    def cell(one: dict[str, Any]) -> tuple[str, str, int]:
        return one["kind"], one["place"], order[one["strength"]]

    rows = []
    for (kind, place), some in groupby(sorted(found["faults"], key=cell), key=lambda one: cell(one)[:2]):
        of_strength = {name: list(each) for name, each in groupby(some, key=lambda one: one["strength"])}
        rows.append([kind, place, *(_share(of_strength.get(name, ())) for name in order)])
    of_peers = "; ".join(f"{peer.title()} {_of_peer(found, peer)}" for peer in ("evidently", "nannyml"))
    note = f"Found of planted (the oracle's). Of all middle faults in a column, by default: {of_peers}."
    return _table(["kind", "place", "weak", "middle", "strong"], rows) + "\n\n" + note


def _share(some: Iterable[dict[str, Any]]) -> str:
    some = list(some)
    if not some:
        return "–"
    return f"{sum(one['found'] for one in some)}/{len(some)} ({sum(one['oracle'] for one in some)})"


def _of_peer(found: Numbers, peer: str) -> str:
    asked = [one["peers"][peer] for one in found["faults"] if one["strength"] == "middle" and "peers" in one]
    return f"{sum(asked)} of {len(asked)}"


def _left_out(found: Numbers) -> str:
    reasons = sorted({f"{one['kind']} in {one['series']}: {one['left_out']}" for one in found["left_out"]})
    return "; ".join(reasons) or "none"


def _number(value: float | None, is_share: bool) -> str:
    return "–" if value is None else f"{value:.0%}" if is_share else f"{value:.2f}"


def _yes(met: bool) -> str:
    return "yes" if met else "no"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
