"""A night judged and told: judging asks for the note that a mail quotes, and showing writes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hindsight.monitors.model import Monitor
from hindsight.pipeline.judge.judgement import Judgement, settle_night
from hindsight.pipeline.resources import Resources
from hindsight.pipeline.show.night_note import night_note
from hindsight.vocabulary.windows import Window


def judge_night(
    monitor: Monitor,
    as_of: datetime,
    windows: Sequence[Window],
    resources: Resources,
    *,
    judged_at: datetime,
    link: str = "",
    dry_run: bool = False,
) -> Judgement:
    """Judge what a night measured again and do what follows; `link` is where people read more, for the mail."""
    return settle_night(
        monitor,
        as_of,
        windows,
        resources,
        judged_at=judged_at,
        note=lambda since: night_note(monitor, as_of, resources, since=since),
        link=link,
        dry_run=dry_run,
    )
