"""A monitor that is renamed keeps its history, incidents, baseline and models, whatever breaks off on the way."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight import pipeline
from hindsight.errors import ConfigError, LedgerError
from hindsight.ledger import tables
from hindsight.ledger.records import RequestState
from hindsight.ledger.renames import renames
from hindsight.monitors.loader import load_monitor
from hindsight.monitors.model import Monitor
from hindsight.pipeline.measure import renaming
from hindsight.training.registry import TABLE as MODELS
from hindsight.verdicts.model import RetrainRequest, State
from tests.builders import DAY, a_window, at
from tests.pipeline.world import REFERENCE, World, a_world

SLOW: dict[str, Any] = {"latency_ms": 900.0}
FIRST, SECOND = "2026-09-01", "2026-09-02"
LATER = at("2026-09-02T01:00")
RENAMED = at("2026-09-02T12:00")


@pytest.fixture
def both(database_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    """A slow day whose incidents were mailed, on each database."""
    yield from a_slow_world(database_url, tmp_path)


@pytest.fixture
def slow(sqlite_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    """The same on SQLite."""
    yield from a_slow_world(sqlite_url, tmp_path)


def a_slow_world(url: sa.URL, folder: Path) -> Iterator[World]:
    with a_world(url, folder, REFERENCE) as made:
        made.log(FIRST, **SLOW).run(FIRST)
        made.deliver(LATER)
        yield made


def renamed(world: World, name: str = "credit_v2", before: Any = "credit", **changes: Any) -> Monitor:
    world.declare(name=name, renamed_from=before, **changes)
    return load_monitor(name, world.resources.settings.monitors)


def owners(world: World) -> set[str]:
    """The names the ledger's rows have."""
    found: set[str] = set()
    with world.resources.ledger.reading() as connection:
        for table in (*tables.metadata.sorted_tables, MODELS):
            if "monitor" in table.c:
                found |= set(connection.execute(sa.select(table.c.monitor)).scalars())
    return found


def paths(world: World, name: str) -> set[str]:
    """What of a name lies in the store, without the name."""
    files = world.resources.files
    tops = (f"snapshots/monitor={name}", f"baselines/{name}", f"labels/monitor={name}")
    return {path.replace(name, "", 1) for top in tops for path in files.listing(top)}


def test_everything_on_record_moves_and_nothing_is_left_behind(both: World) -> None:
    before, incidents = paths(both, "credit"), both.incidents()
    taken = pipeline.take_over(renamed(both), both.resources, now=RENAMED)

    assert (taken, owners(both)) == (RENAMED, {"credit_v2"})
    assert (paths(both, "credit_v2"), paths(both, "credit")) == (before, set())
    moved = both.resources.ledger.incidents("credit_v2")
    assert [(i.id, i.state, i.told) for i in moved] == [(i.id, i.state, i.told) for i in incidents]


def test_the_next_window_goes_on_with_the_incident_the_baseline_and_what_was_told(slow: World) -> None:
    told, monitor, window = slow.deliver(LATER), renamed(slow), a_window(SECOND)
    baselines = slow.resources.baselines.ids("credit")
    slow.log(SECOND, **SLOW)
    pipeline.run_window(monitor, window, slow.resources)
    pipeline.judge_window(monitor, window, slow.resources, judged_at=window.end)

    assert slow.deliver(window.end + DAY / 24) == told
    [lasting] = [i for i in slow.resources.ledger.incidents("credit_v2") if i.series.rule == "latency_p95"]
    assert (lasting.state, lasting.breaches) == (State.OPEN, (at(FIRST), at(SECOND)))
    assert slow.resources.baselines.ids("credit_v2") == baselines


def test_it_is_done_once_and_costs_nothing_again(slow: World) -> None:
    monitor = renamed(slow)
    pipeline.take_over(monitor, slow.resources, now=RENAMED)
    ledger, files = slow.ledger(), slow.files()
    assert pipeline.take_over(monitor, slow.resources, now=RENAMED + DAY) == RENAMED
    assert (slow.ledger(), slow.files()) == (ledger, files)


def test_processes_that_find_the_new_name_at_once_move_it_once(both: World) -> None:
    monitor, before = renamed(both), paths(both, "credit")
    with ThreadPoolExecutor(4) as threads:
        calls = [threads.submit(pipeline.take_over, monitor, both.resources, now=RENAMED) for _ in range(4)]
        assert {call.result() for call in calls} == {RENAMED}
    assert (owners(both), paths(both, "credit_v2"), paths(both, "credit")) == ({"credit_v2"}, before, set())


@pytest.mark.parametrize("where", ["copy_files", "move_rows", "remove_files", "note_emptied"])
def test_what_breaks_off_is_gone_on_with(slow: World, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    monitor, before, real = renamed(slow), paths(slow, "credit"), getattr(renaming, where)

    def breaks(*args: Any, **named: Any) -> None:
        real(*args, **named)
        raise KeyboardInterrupt

    monkeypatch.setattr(renaming, where, breaks)
    with pytest.raises(KeyboardInterrupt):
        pipeline.take_over(monitor, slow.resources, now=RENAMED)
    monkeypatch.setattr(renaming, where, real)
    assert len(owners(slow)) == 1  # all of the rows, or none of them
    pipeline.take_over(monitor, slow.resources, now=RENAMED)
    assert (owners(slow), paths(slow, "credit_v2"), paths(slow, "credit")) == ({"credit_v2"}, before, set())
    with slow.resources.ledger.reading() as connection:
        assert renames(connection, ["credit"])["credit"].emptied


def test_a_run_of_the_old_name_that_comes_late_writes_nothing(slow: World) -> None:
    late = slow.monitor
    pipeline.take_over(renamed(slow), slow.resources, now=RENAMED)
    slow.log(SECOND)
    with pytest.raises(LedgerError, match="credit was renamed to credit_v2 on 2026-09-02 12:00 UTC") as refused:
        pipeline.run_window(late, a_window(SECOND), slow.resources)
    assert (refused.value.transient, owners(slow), paths(slow, "credit")) == (False, {"credit_v2"}, set())


def test_a_late_run_of_the_old_name_does_not_bar_the_way_back(slow: World) -> None:
    late, resources = slow.monitor, slow.resources
    pipeline.take_over(renamed(slow), resources, now=RENAMED)
    slow.log(REFERENCE[0], seed=8)  # the reference would be frozen otherwise now
    with pytest.raises(LedgerError, match="was renamed to credit_v2"):
        pipeline.run_window(late, a_window(SECOND), resources)
    with pytest.raises(LedgerError, match="was renamed to credit_v2"):
        pipeline.find_windows(late, LATER, resources)
    pipeline.take_over(renamed(slow, "credit", "credit_v2"), resources, now=RENAMED + DAY)
    assert (owners(slow), paths(slow, "credit_v2")) == ({"credit"}, set())


def test_renamed_twice_and_back_the_history_follows(slow: World) -> None:
    before, resources = paths(slow, "credit"), slow.resources
    pipeline.take_over(renamed(slow), resources, now=RENAMED)
    pipeline.take_over(renamed(slow, "credit_v3", ["credit", "credit_v2"]), resources, now=RENAMED + DAY)
    assert (owners(slow), paths(slow, "credit_v3")) == ({"credit_v3"}, before)
    back = renamed(slow, "credit", ["credit_v3"])
    pipeline.take_over(back, resources, now=RENAMED + 2 * DAY)
    assert (owners(slow), paths(slow, "credit")) == ({"credit"}, before)
    pipeline.run_window(back, a_window(FIRST), resources)  # its own name is free again


def test_a_chain_of_names_is_taken_over_wherever_a_place_stands(slow: World) -> None:
    pipeline.take_over(renamed(slow, "credit_v3", ["credit", "credit_v2"]), slow.resources, now=RENAMED)
    assert owners(slow) == {"credit_v3"}


def test_a_retraining_under_way_is_asked_of_the_dag_of_the_new_name(slow: World) -> None:
    ledger, names = slow.resources.ledger, ("waits", "claimed", "theirs", "done")
    with ledger.locked("credit") as tx:
        for key in names:
            dag = "own_dag" if key == "theirs" else "retrain__credit"
            tx.request_retraining(RetrainRequest(key, "credit", dag, (), LATER, LATER, approval=False))
        tx.finish_retraining("done", RequestState.DONE, at=LATER)
    for key in ("claimed", "theirs"):
        ledger.claim(key, monitor="credit", by="run")
    pipeline.take_over(renamed(slow), slow.resources, now=RENAMED)
    found = {one.request.key: (one.request.dag, one.state) for one in ledger.requests("credit_v2")}
    assert found == {
        "waits": ("retrain__credit_v2", RequestState.REQUESTED),
        "claimed": ("retrain__credit_v2", RequestState.REQUESTED),
        "theirs": ("own_dag", RequestState.CLAIMED),
        "done": ("retrain__credit_v2", RequestState.DONE),
    }
    assert not ledger.claim("claimed", monitor="credit", by="run")  # the run of the DAG that is gone


def test_two_histories_are_never_mixed(slow: World) -> None:
    other = slow.declare(name="credit_v2").resources.settings.monitors
    pipeline.run_window(load_monitor("credit_v2", other), a_window(FIRST), slow.resources)
    rows = slow.ledger()
    with pytest.raises(ConfigError, match="both credit and credit_v2 have a history, and two do not mix"):
        pipeline.take_over(renamed(slow), slow.resources, now=RENAMED)
    assert slow.ledger() == rows


def test_a_name_that_another_file_still_has_is_not_taken(slow: World) -> None:
    monitor = renamed(slow)
    written = slow.resources.settings.monitors / "credit.yml"
    (written.parent / "other.yml").write_text(written.read_text())
    slow.declare()
    with pytest.raises(ConfigError, match="'credit' is still the name of a monitor"):
        pipeline.take_over(monitor, slow.resources, now=RENAMED)
    assert owners(slow) == {"credit"}


def test_maintenance_takes_over_and_closes_nothing(slow: World) -> None:
    done = pipeline.maintain([renamed(slow)], slow.resources, now=LATER, all_there=True)
    assert (done["closed"], owners(slow)) == ({}, {"credit_v2"})


def test_maintenance_goes_on_where_it_cannot_take_over(slow: World) -> None:
    pipeline.run_window(
        load_monitor("credit_v2", slow.declare(name="credit_v2").resources.settings.monitors),
        a_window(FIRST),
        slow.resources,
    )
    done = pipeline.maintain([renamed(slow)], slow.resources, now=LATER, all_there=True)
    assert ("two do not mix" in done["not taken over"][0], done["closed"]) == (True, {})
