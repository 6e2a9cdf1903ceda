"""The use cases: what a scheduler, a command line or a page asks for, composed from the rooms."""

from __future__ import annotations

from hindsight.pipeline.judging import Judgement, judge_night, judge_window
from hindsight.pipeline.nights import find_windows, revise_windows
from hindsight.pipeline.pages import monitor_view, overview_cards
from hindsight.pipeline.reporting import read_report, report_window
from hindsight.pipeline.resources import Resources
from hindsight.pipeline.retraining import claim, promote, refuse, train_and_compare
from hindsight.pipeline.showing import MonitorState, Story, state_of, stories
from hindsight.pipeline.snapshots import read_snapshots
from hindsight.pipeline.upkeep import deliver, maintain, mark_started, pending_starts
from hindsight.pipeline.windows import run_window

__all__ = [
    "Judgement",
    "MonitorState",
    "Resources",
    "Story",
    "claim",
    "deliver",
    "find_windows",
    "judge_night",
    "judge_window",
    "maintain",
    "mark_started",
    "monitor_view",
    "overview_cards",
    "pending_starts",
    "promote",
    "read_report",
    "read_snapshots",
    "refuse",
    "report_window",
    "revise_windows",
    "run_window",
    "state_of",
    "stories",
    "train_and_compare",
]
