"""The timetable against the grid it follows: every window once, in order, whoever asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pendulum
import pytest
from airflow.serialization.decoders import decode_timetable
from airflow.serialization.encoders import encode_timetable
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction
from airflow.utils.types import DagRunType
from hypothesis import given
from hypothesis import strategies as st

from hindsight.airflow.runs import plain
from hindsight.airflow.timetable import WindowTimetable
from hindsight.vocabulary.windows import MONDAY, Grid

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SIZES = st.sampled_from([timedelta(minutes=5), timedelta(minutes=15), HOUR, 6 * HOUR, DAY, 7 * DAY, 11 * HOUR])
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001
LATENESS = st.timedeltas(timedelta(0), 3 * DAY)


def at(text: str) -> pendulum.DateTime:
    return pendulum.instance(datetime.fromisoformat(text).replace(tzinfo=UTC))


def runs(
    timetable: WindowTimetable, start: datetime, end: datetime | None, *, limit: int = 50, catchup: bool = True
) -> list[DagRunInfo]:
    last, found = None, []
    restriction = TimeRestriction(pendulum.instance(start), end and pendulum.instance(end), catchup)
    while len(found) < limit:
        info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        if info is None:
            break
        found.append(info)
        last = info.data_interval
    return found


@given(size=SIZES, anchor=MOMENTS, start=MOMENTS, lateness=LATENESS)
def test_runs_tile_time_exactly(size: timedelta, anchor: datetime, start: datetime, lateness: timedelta) -> None:
    infos = runs(WindowTimetable(size, anchor, lateness), start, None)

    assert all(earlier.data_interval.end == later.data_interval.start for earlier, later in pairwise(infos))
    assert start <= infos[0].data_interval.start < start + size
    for info in infos:
        assert info.data_interval.end - info.data_interval.start == size
        assert Grid(size, anchor).window_at(plain(info.data_interval.start)).start == info.data_interval.start
        assert info.run_after == info.data_interval.end + lateness
        assert info.logical_date == info.data_interval.start


@given(size=SIZES, anchor=MOMENTS, start=MOMENTS, windows=st.integers(1, 40))
def test_runs_are_the_windows_of_the_grid(size: timedelta, anchor: datetime, start: datetime, windows: int) -> None:
    end = start + windows * size
    found = runs(WindowTimetable(size, anchor, HOUR), start, end - timedelta(microseconds=1))

    assert [info.data_interval.start for info in found] == [w.start for w in Grid(size, anchor).starting_in(start, end)]


@given(size=SIZES, anchor=MOMENTS, now=MOMENTS, lateness=LATENESS)
def test_a_manual_run_gets_the_last_window_that_may_be_read(
    size: timedelta, anchor: datetime, now: datetime, lateness: timedelta
) -> None:
    start, end = WindowTimetable(size, anchor, lateness).infer_manual_data_interval(run_after=pendulum.instance(now))

    assert end - start == size
    assert end + lateness <= now < end + lateness + size


def test_without_catchup_the_first_run_is_the_window_under_way() -> None:
    (info,) = runs(WindowTimetable(DAY, MONDAY, HOUR), at("2020-01-01"), None, limit=1, catchup=False)

    assert info.data_interval.start <= datetime.now(UTC) < info.data_interval.end


@pytest.mark.parametrize("catchup", [True, False])
def test_an_outage_leaves_no_window_out(catchup: bool) -> None:
    before = DataInterval(at("2026-01-01"), at("2026-01-02"))
    restriction = TimeRestriction(None if not catchup else at("2025-12-01"), None, catchup)
    info = WindowTimetable(DAY, MONDAY, HOUR).next_dagrun_info(
        last_automated_data_interval=before, restriction=restriction
    )

    assert info is not None
    assert info.data_interval == DataInterval(at("2026-01-02"), at("2026-01-03"))


def test_another_window_size_goes_on_at_its_first_whole_window() -> None:
    hourly = DataInterval(at("2026-01-01T04:00"), at("2026-01-01T05:00"))
    info = WindowTimetable(DAY, MONDAY, HOUR).next_dagrun_info(
        last_automated_data_interval=hourly, restriction=TimeRestriction(at("2025-12-01"), None, True)
    )

    assert info is not None
    assert info.data_interval.start == at("2026-01-02")


def test_days_stay_whole_where_clocks_change_and_in_leap_years() -> None:
    starts = [i.data_interval.start for i in runs(WindowTimetable(DAY, MONDAY, HOUR), at("2028-02-28"), None, limit=40)]

    assert {"2028-02-29", "2028-03-26"} <= {f"{start:%Y-%m-%d}" for start in starts}
    assert {start.hour for start in starts} == {0}


def test_it_survives_serialisation() -> None:
    timetable = WindowTimetable(6 * HOUR, datetime(2026, 1, 5, 3, tzinfo=UTC), timedelta(minutes=10))
    again = decode_timetable(encode_timetable(timetable))

    assert isinstance(again, WindowTimetable)
    assert (again.grid, again.lateness) == (timetable.grid, timetable.lateness)
    assert (again.summary, again.description) == ("every 6 h", "every 6 h, 10 min after the window's end")


def test_scheduled_runs_are_named_after_their_window() -> None:
    timetable = WindowTimetable(DAY, MONDAY, HOUR)
    window, now = DataInterval(at("2026-01-01"), at("2026-01-02")), at("2026-01-02T01:00")

    def name(run_type: DagRunType) -> str:
        return timetable.generate_run_id(run_type=run_type, run_after=now, data_interval=window)

    assert name(DagRunType.SCHEDULED) == "scheduled__2026-01-01T00:00:00+00:00"
    assert name(DagRunType.MANUAL) == "manual__2026-01-02T01:00:00+00:00"
