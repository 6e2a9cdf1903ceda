"""The use cases: what a scheduler, a command line or a page asks for, composed from the rooms.

measure   rows in, snapshots out         judge   snapshots in, verdicts, incidents and promises out
act       promises kept                  show    what people look at
night     a night judged and told        propose a first monitor file   drafts one made in Airflow
review    a week or a month told to those who own the monitors
rehearse  stored windows judged again, nothing written and nobody told
lint      what a monitor file says and what it needs at run time
resources everything a use case reads from or writes to

Each is imported when it is first used: a task that only sends mail does not wait for the statistics to load.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hindsight.pipeline.act.alerts_posted import post_alerts
    from hindsight.pipeline.act.completeness import ask_again
    from hindsight.pipeline.act.delivery import deliver, promise
    from hindsight.pipeline.act.maintenance import is_due_again, maintain, watch_over
    from hindsight.pipeline.act.requests import mark_started, pending_starts, put_off
    from hindsight.pipeline.act.retraining import ask, claim, give_up, lapse, promote, refuse, train_and_compare
    from hindsight.pipeline.act.undelivered import awaits_delivery, delivered, note_judged
    from hindsight.pipeline.judge.judgement import Judgement, judge_window
    from hindsight.pipeline.judge.reminders import tell_what_lasts
    from hindsight.pipeline.measure.nights import find_windows, revise_windows
    from hindsight.pipeline.measure.renaming import take_over, take_over_all, was_measured
    from hindsight.pipeline.measure.windows import run_window
    from hindsight.pipeline.night import judge_night
    from hindsight.pipeline.resources import Resources
    from hindsight.pipeline.review import send_reviews
    from hindsight.pipeline.show.case_page import case_view
    from hindsight.pipeline.show.comparing import compare_view
    from hindsight.pipeline.show.debugging import debug_view
    from hindsight.pipeline.show.distributions import distribution_view
    from hindsight.pipeline.show.documents import (
        document_breach,
        document_window,
        night_page,
        read_report,
        report_night,
        report_performance,
        report_window,
        write_night,
    )
    from hindsight.pipeline.show.executive import executive
    from hindsight.pipeline.show.exposition import exposed
    from hindsight.pipeline.show.fleet import overview_cards
    from hindsight.pipeline.show.on_call import on_call
    from hindsight.pipeline.show.pages import monitor_view
    from hindsight.pipeline.show.reviews import review_view
    from hindsight.pipeline.show.snapshots import read_snapshots
    from hindsight.pipeline.show.state import MonitorState, Story, state_of, stories

__all__ = [
    "Judgement",
    "MonitorState",
    "Resources",
    "Story",
    "ask",
    "ask_again",
    "awaits_delivery",
    "case_view",
    "claim",
    "compare_view",
    "debug_view",
    "deliver",
    "delivered",
    "distribution_view",
    "document_breach",
    "document_window",
    "executive",
    "exposed",
    "find_windows",
    "give_up",
    "is_due_again",
    "judge_night",
    "judge_window",
    "lapse",
    "maintain",
    "mark_started",
    "monitor_view",
    "night_page",
    "note_judged",
    "on_call",
    "overview_cards",
    "pending_starts",
    "post_alerts",
    "promise",
    "promote",
    "put_off",
    "read_report",
    "read_snapshots",
    "refuse",
    "report_night",
    "report_performance",
    "report_window",
    "review_view",
    "revise_windows",
    "run_window",
    "send_reviews",
    "state_of",
    "stories",
    "take_over",
    "take_over_all",
    "tell_what_lasts",
    "train_and_compare",
    "was_measured",
    "watch_over",
    "write_night",
]
_MODULES = {
    "act.retraining": ("ask", "claim", "give_up", "lapse", "promote", "refuse", "train_and_compare"),
    "act.alerts_posted": ("post_alerts",),
    "act.completeness": ("ask_again",),
    "act.delivery": ("deliver", "promise"),
    "act.maintenance": ("is_due_again", "maintain", "watch_over"),
    "act.requests": ("mark_started", "pending_starts", "put_off"),
    "act.undelivered": ("awaits_delivery", "delivered", "note_judged"),
    "judge.reminders": ("tell_what_lasts",),
    "judge.judgement": ("Judgement", "judge_window"),
    "measure.nights": ("find_windows", "revise_windows"),
    "measure.renaming": ("take_over", "take_over_all", "was_measured"),
    "measure.windows": ("run_window",),
    "night": ("judge_night",),
    "resources": ("Resources",),
    "review": ("send_reviews",),
    "show.documents": (
        "document_breach",
        "document_window",
        "night_page",
        "read_report",
        "report_night",
        "report_performance",
        "report_window",
        "write_night",
    ),
    "show.case_page": ("case_view",),
    "show.comparing": ("compare_view",),
    "show.debugging": ("debug_view",),
    "show.distributions": ("distribution_view",),
    "show.executive": ("executive",),
    "show.exposition": ("exposed",),
    "show.fleet": ("overview_cards",),
    "show.on_call": ("on_call",),
    "show.pages": ("monitor_view",),
    "show.reviews": ("review_view",),
    "show.snapshots": ("read_snapshots",),
    "show.state": ("MonitorState", "Story", "state_of", "stories"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Return a use case from the module it lives in."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
