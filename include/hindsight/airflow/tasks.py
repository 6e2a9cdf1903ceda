"""The tasks of Hindsight's DAGs: each reads what its run is about, calls one use case and returns a small dict.

The clock is read here. `hindsight.pipeline` is imported inside the tasks: parsing a DAG file must stay light.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from airflow.sdk import BaseOperatorLink, conf, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from hindsight.airflow import assets
from hindsight.airflow.connections import open_resources
from hindsight.airflow.heartbeat import heartbeat
from hindsight.airflow.log_lines import about
from hindsight.airflow.pauses import EVERY, drafts_off, note, paused_by_hand, paused_in_airflow, resumed, skip_if_paused
from hindsight.airflow.renamed import take_over_night, take_over_window
from hindsight.airflow.runs import Span, from_spans, is_paused, night_of, skip, start_run, to_chunks, window_of
from hindsight.airflow.task_retries import RetryTransient
from hindsight.errors import HindsightError
from hindsight.monitors.loader import load_folder, load_monitor
from hindsight.monitors.model import Monitor
from hindsight.settings import read_settings
from hindsight.vocabulary.periods import Kind, last_whole
from hindsight.vocabulary.windows import Window

logger = logging.getLogger(__name__)
LONGEST = timedelta(hours=6)
COMPLETENESS_HOUR = 4  # UTC; after the usual nights of labels
PAGES = "/hindsight/reports/"
# Of all that waits for a slot Airflow's scheduler takes the weightiest first: mail, then work, then drawing, and of
# each that of the most critical monitor.
MAIL_FIRST, WORK, DRAWING_LAST = 100, 10, 1
MORE = {"high": 2, "medium": 1, "low": 0}


DEFAULTS: dict[str, Any] = {
    "retries": 3,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=15),
    "retry_policy": RetryTransient(),
    "priority_weight": WORK,
    "weight_rule": "absolute",  # by default a task weighs as much as all that waits for it, and the mail nothing
}


class ReportLink(BaseOperatorLink):
    """The button that leads from the task that made a page to the page."""

    @property
    def name(self) -> str:
        """What the button says."""
        return "Report"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return where the report's page is; "" where the task made none."""
        made = ti_key.xcom_pull(task_ids=ti_key.task_id)
        page = made and made.get(self.name.lower().replace(" ", "_"))
        return f"{urlsplit(conf.get('api', 'base_url', fallback='/')).path.rstrip('/')}{PAGES}{page}" if page else ""


class DataDocsLink(ReportLink):
    """The button that leads to the Data Docs a task made."""

    @property
    def name(self) -> str:
        """What the button says."""
        return "Data Docs"


@task(execution_timeout=LONGEST)
def window(name: str, **run: Any) -> dict[str, Any]:
    """Check a window, judge it and hand over the mail that is due; whatever breaks off is taken up by the next try.

    Measuring and judging again writes nothing new. What was judged and not told yet is only told: a mail server that
    fails never makes anything be measured twice. Where nothing breached, nothing is to be drawn.
    """
    from hindsight import pipeline

    monitor = load(name)
    window = window_of(monitor, run, now=now())
    due = window.end + monitor.lateness
    about(name, window=window, as_of=due)
    skip_if_paused(monitor, due, run)
    resources, run_id = open_resources(), run["run_id"]
    take_over_window(monitor, window, resources, run, now())
    run["outlet_events"][assets.snapshots(name)].add_partitions(assets.partition_key(window))
    if pipeline.awaits_delivery(name, run_id, resources):
        logger.warning("%s was measured and judged before and is only told now; clear it again to measure it", window)
        done: dict[str, Any] = {}
    else:
        done = _settle(monitor, window, resources, run)
    done |= _handed_over(pipeline.deliver(resources, now=now(), monitor=name))
    pipeline.delivered(name, run_id, resources)
    if done.get("breaches") == 0:
        skip("documents")
    return done


def _settle(monitor: Monitor, window: Window, resources: Any, run: Mapping[str, Any]) -> dict[str, Any]:
    """Measure and judge a window, and note that it waits to be told."""
    from hindsight import pipeline

    done = pipeline.run_window(monitor, window, resources, read_at=now())
    link, quiet, at = _address(f"/hindsight/monitors/{monitor.name}"), bool(run["params"].get("quiet")), now()
    judged = pipeline.judge_window(monitor, window, resources, judged_at=at, link=link, quiet=quiet)
    pipeline.note_judged(monitor.name, run["run_id"], resources, at=at)
    return done | _summary(judged)


@task(execution_timeout=LONGEST, retries=1, priority_weight=DRAWING_LAST)
def documents(name: str, **run: Any) -> dict[str, str]:
    """Draw the pages of a window that breached: its report beside the reference, and the Data Docs of its suite."""
    from hindsight import pipeline

    monitor, at = load(name), now()
    window = window_of(monitor, run, now=at)
    about(name, window=window)
    made = pipeline.document_breach(monitor, window, open_resources(), made_at=at)
    if not made:
        raise AirflowSkipException("nothing breached, or the file names neither a reference nor a suite")
    return dict(made)


@task(execution_timeout=LONGEST)
def find(name: str, **run: Any) -> list[list[Span]]:
    """Find the windows that labels have touched since the last night, and those that have matured."""
    from hindsight import pipeline

    monitor, as_of = load(name), _night(name, run, now())
    skip_if_paused(monitor, as_of, run)
    resources = open_resources()
    take_over_night(monitor, as_of, resources, run, now())
    return to_chunks(pipeline.find_windows(monitor, as_of, resources))


@task(execution_timeout=LONGEST)
def revise(name: str, chunk: Sequence[Span], **run: Any) -> dict[str, Any]:
    """Measure the performance of these windows again, with the labels known on this night."""
    from hindsight import pipeline

    monitor = load(name)
    windows = from_spans(monitor, chunk)
    done = pipeline.revise_windows(monitor, windows, _night(name, run, now()), open_resources())
    run["outlet_events"][assets.snapshots(name)].add_partitions([assets.partition_key(window) for window in windows])
    return done


@task(trigger_rule="none_failed")
def judge_night(name: str, chunks: Any, **run: Any) -> dict[str, Any]:
    """Judge the windows of this night, send what waited for the digest, and commit the night."""
    from hindsight import pipeline

    if chunks is None:
        raise AirflowSkipException("nothing was looked for")
    monitor, at = load(name), now()
    windows = [window for chunk in chunks for window in from_spans(monitor, chunk)]
    night, link = _night(name, run, at), _address(f"/hindsight/monitors/{name}")
    judged = pipeline.judge_night(monitor, night, windows, open_resources(), judged_at=at, link=link)
    return _summary(judged)


@task(execution_timeout=LONGEST, retries=0, priority_weight=DRAWING_LAST)
def draw(name: str, judged: Any, **run: Any) -> dict[str, Any]:
    """Draw Evidently's report of the labelled rows of the newest final window; nothing else waits for it in vain."""
    from hindsight import pipeline

    monitor, at = load(name), now()
    made = judged and pipeline.report_performance(monitor, _night(name, run, at), open_resources(), made_at=at)
    if not made:
        raise AirflowSkipException("no window is final, or there are no labels to compare with")
    return {"report": made}


@task(trigger_rule="all_done")
def report_night(name: str, judged: Any, **run: Any) -> dict[str, Any]:
    """Make the accuracy report of this night; with or without Evidently's beside it."""
    from hindsight import pipeline

    if not judged:
        raise AirflowSkipException("the night was not judged")
    monitor, at = load(name), now()
    made = pipeline.report_night(monitor, _night(name, run, at), open_resources(), made_at=at)
    return {"report": made}


@task(priority_weight=MAIL_FIRST)
def deliver(name: str | None = None) -> dict[str, Any]:
    """Hand over the mail that is due. It fails where mail is given up or its connection is at fault; the rest waits.

    That of all monitors, which the relay hands over, ends with a sign of life for who watches from outside: there is
    none while something cannot be told.
    """
    from hindsight import pipeline

    done = _handed_over(pipeline.deliver(open_resources(), now=now(), monitor=name))
    if name is None and not done.get("held") and (outside := heartbeat()) is not None:
        outside.beat(now())
    return done


@task(priority_weight=MAIL_FIRST)
def tell_what_lasts() -> list[str]:
    """Tell of what was silenced until lately, of what nobody acknowledged, and of a maintenance that stands still."""
    from hindsight import pipeline

    monitors, resources = load_folder(read_settings().monitors).monitors.values(), open_resources()
    pipeline.take_over_all(monitors, resources, now=now())
    pipeline.watch_over("relay", monitors, resources, now=now())
    return pipeline.tell_what_lasts(monitors, resources, now=now())


@task(priority_weight=MAIL_FIRST)
def post_alerts() -> dict[str, int]:
    """Post what is open to the Alertmanagers that routes name; what one does not take is posted again next time."""
    from hindsight import pipeline

    monitors = load_folder(read_settings().monitors).monitors.values()
    return pipeline.post_alerts(monitors, open_resources(), now=now())


@task
def requested() -> list[dict[str, Any]]:
    """List the DAG runs that were asked for and not started yet."""
    from hindsight import pipeline

    return pipeline.pending_starts(open_resources())


@task
def start(request: dict[str, Any], **run: Any) -> dict[str, str]:
    """Start one requested run and note that it is there, or why it has to wait, of which people are told once.

    A DAG that is missing, broken or paused makes no task fail: its request stays and is tried again. What fails here
    is the relay itself.
    """
    from hindsight import pipeline

    why, resources = start_run(run["ti"], **request), open_resources()
    if not why:
        pipeline.mark_started(resources, request["run_id"], at=now())
        return {"started": request["run_id"]}
    logger.warning("run %s waits: %s", request["run_id"], why)
    monitors = load_folder(read_settings().monitors).monitors.values()
    pipeline.put_off(resources, request["run_id"], why=why, monitors=monitors, at=now())
    return {"waits": why}


@task
def note_pauses(**run: Any) -> None:
    """Note which monitors are paused, in their files or in Airflow: what was due meanwhile is not caught up."""
    from hindsight import pipeline

    monitors, at = list(load_folder(read_settings().monitors).monitors.values()), now()
    asks_all = pipeline.is_due_again("pauses", open_resources(), now=at, every=EVERY)
    note(monitors, at, paused_in_airflow(monitors, is_paused(run["ti"]), asks_all=asks_all))


@task
def maintain(**run: Any) -> dict[str, Any]:
    """Tidy up, tell of every active monitor that has not reported, and close the incidents of those retired."""
    from hindsight import pipeline

    loaded = load_folder(read_settings().monitors)
    all_there = bool(loaded.monitors) and not loaded.problems
    watched, resources = list(loaded.monitors.values()), open_resources()
    if "relay" in pipeline.watch_over("maintenance", watched, resources, now=now()):
        pipeline.deliver(resources, now=now())
    unstarted = drafts_off(loaded.files, is_paused(run["ti"]))
    by_hand, since = paused_by_hand(), resumed() | dict.fromkeys(unstarted, now())
    return pipeline.maintain(watched, resources, now=now(), resumed=since, paused=by_hand, all_there=all_there)


@task
def review(kind: Kind, **run: Any) -> dict[str, Any]:
    """Promise everyone the review of the newest week or month that is over; the relay sends it."""
    from hindsight import pipeline

    period = last_whole(kind, run.get("data_interval_end") or now())
    watched, link = load_folder(read_settings().monitors).monitors.values(), _address("/hindsight/review")
    told = pipeline.send_reviews(watched, period, open_resources(), at=now(), link=link)
    return {"period": period.name, "told": told}


@task
def ask_again() -> dict[str, int]:
    """Once a day: ask for the windows to be measured again whose rows came after they were measured."""
    from hindsight import pipeline

    if now().hour != COMPLETENESS_HOUR:
        raise AirflowSkipException(f"looked for in the hour from {COMPLETENESS_HOUR}:00 UTC on")
    watched, resources = load_folder(read_settings().monitors).monitors.values(), open_resources()
    found: dict[str, int] = {}
    complaints = []
    for monitor in watched:
        if monitor.state != "active":
            continue
        try:
            asked = pipeline.ask_again(monitor, resources, now=now())
        except HindsightError as exc:  # of one monitor; the others are asked about all the same
            complaints.append(str(exc))
        else:
            found |= {monitor.name: len(asked)} if asked else {}
    if complaints:
        raise AirflowFailException("; ".join(complaints))
    return found


def _night(name: str, run: Mapping[str, Any], at: datetime) -> datetime:
    """Return the moment a run's night is as of, and name it in what is logged from here on."""
    as_of = night_of(run, now=at)
    about(name, as_of=as_of)
    return as_of


def _address(path: str) -> str:
    """Return the address of a page for people outside Airflow; "" where Airflow does not say where it is."""
    base = conf.get("api", "base_url", fallback="") or ""
    return f"{base.rstrip('/')}{path}" if base else ""


def _handed_over(done: Any) -> dict[str, Any]:
    """Say what a delivery did; raise AirflowFailException for mail that was given up."""
    if done.complaints:
        raise AirflowFailException("mail given up: " + "; ".join(done.complaints))
    return {"sent": done.sent, "pending": done.pending} | ({"held": done.held} if done.held else {})


def _summary(judged: Any) -> dict[str, Any]:
    return {"breaches": len(judged.breaches), "told": len(judged.told), "retraining": str(judged.retraining or "")}


def load(name: str) -> Monitor:
    """Return the monitor as its file stands now, and name it in what is logged from here on."""
    about(name)
    return load_monitor(name, read_settings().monitors)


def now() -> datetime:
    """Return this moment: the one place in the tasks that reads a clock."""
    return datetime.now(UTC)
