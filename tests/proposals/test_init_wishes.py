"""hindsight init: what the user says, what cannot be guessed, and what is written."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hindsight.errors import ConfigError, DataError, HindsightError
from hindsight.pipeline import propose
from hindsight.proposals.proposal import Wishes
from hindsight.warehouse.connect import open_engine
from tests.builders import HOUR, at
from tests.proposals.loans import LOANS, TIME, a_place, a_warehouse, init, make
from tests.warehouse.tables import writing


@pytest.fixture
def warehouse(database_url: sa.URL) -> sa.URL:
    return a_warehouse(database_url)


def test_every_guess_can_be_overruled(warehouse: sa.URL, tmp_path: Path) -> None:
    columns = {"timestamp": "updated_at", "prediction": "is_new", "score": "none", "id": "region"}
    monitor, text, _ = init(
        warehouse, tmp_path, labels_table="none", wishes=Wishes(task="multiclass", window=HOUR), **columns
    )
    source = monitor.source.predictions
    assert (source.timestamp, source.prediction, source.score, source.id) == (
        "updated_at",
        "is_new",
        None,
        "region",
    )
    assert (monitor.model.task, monitor.window, monitor.source.labels) == ("multiclass", HOUR, None)
    assert "CHECK: only 3 values in 1,000 rows" in text


def test_a_named_column_must_be_there(warehouse: sa.URL, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--prediction: loans has no column 'decison' - did you mean 'decision'"):
        init(warehouse, tmp_path, prediction="decison")
    with pytest.raises(ConfigError, match="--labels-table: no such table or view 'loan_label' - did you mean"):
        init(warehouse, tmp_path, labels_table="loan_label")
    with pytest.raises(ConfigError, match="--label: payments has no column 'void'"):
        init(warehouse, tmp_path, labels_table="payments", label="void")
    with pytest.raises(DataError, match=r"loan: no such table or view.*Correct --table or grant access"):
        init(warehouse, tmp_path, "loan")


def test_without_time_or_prediction_the_columns_seen_and_the_option_are_named(
    database_url: sa.URL, tmp_path: Path
) -> None:
    make(database_url, "bare", {"a": sa.Integer(), "b": sa.Text()}, [{"a": 1, "b": "x"}])
    with pytest.raises(ConfigError, match=r"no column holds the date and time .* --timestamp COLUMN.*a \(INTEGER\), b"):
        init(database_url, tmp_path, "bare")
    make(
        database_url,
        "timed",
        {"a": sa.Integer(), "id": sa.Integer(), "t": TIME},
        [{"a": 1, "id": 1, "t": at("2026-01-01")}],
    )
    with pytest.raises(ConfigError, match=r"no column is called like a prediction.*--prediction COLUMN"):
        init(database_url, tmp_path, "timed")
    assert init(database_url, tmp_path, "timed", prediction="a")[0].source.predictions.prediction == "a"


def test_an_empty_table_says_so(database_url: sa.URL, tmp_path: Path) -> None:
    make(database_url, "loans", LOANS, [])
    with pytest.raises(DataError, match="loans is empty"):
        init(database_url, tmp_path)


def test_names_no_file_can_hold_are_left_out(database_url: sa.URL, tmp_path: Path) -> None:
    columns = {"id": sa.Integer(), "ts": TIME, "prediction": sa.Integer()}
    columns |= {"two words": sa.Double(), "ünï %s": sa.Double(), 'quo"te\n#: [': sa.Text()}
    rows = [
        dict.fromkeys(columns, 1) | {"id": i, "ts": at("2026-01-01") + i * HOUR, 'quo"te\n#: [': "x"} for i in range(50)
    ]
    make(database_url, "odd", columns, rows)
    monitor, text, _ = init(database_url, tmp_path, "odd")
    assert not monitor.features
    assert "'two words' (a monitor file takes names of letters" in text
    with pytest.raises(ConfigError, match="rename it in a view"):
        init(database_url, tmp_path, "odd", score="two words")


def test_little_history_gives_a_file_without_reference(database_url: sa.URL, tmp_path: Path) -> None:
    columns = {"id": sa.Integer(), "ts": TIME, "prediction": sa.Integer()}
    rows = [{"id": i, "ts": at("2026-01-01") + i * timedelta(minutes=1), "prediction": i % 2} for i in range(20)]
    make(database_url, "young", columns, rows)
    monitor, text, _ = init(database_url, tmp_path, "young")
    assert (monitor.reference, monitor.start) == (None, at("2026-01-01"))
    assert "Too little history" in text


def test_nothing_is_overwritten_unless_asked(warehouse: sa.URL, tmp_path: Path) -> None:
    made = propose.propose_monitor(open_engine(warehouse), "warehouse", "loans", name="loans", given={})
    place = a_place(tmp_path)
    written = propose.write(made, place)
    written.monitor.write_text("mine")
    with pytest.raises(ConfigError, match=r"loans\.yml and .*loans\.json: already there"):
        propose.write(made, place)
    assert written.monitor.read_text() == "mine"
    propose.write(made, place, force=True)
    assert written.monitor.read_text() != "mine"
    (place.monitors / "other.yml").write_text(written.monitor.read_text().replace("name: loans\n", "name: credit\n"))
    with pytest.raises(ConfigError, match="is called 'credit' already"):
        propose.write(replace_name(made, "credit"), place)


def replace_name(made: Any, name: str) -> Any:
    return replace(made, name=name)


def test_the_same_table_gives_the_same_files(warehouse: sa.URL, tmp_path: Path) -> None:
    assert init(warehouse, tmp_path)[1:] == init(warehouse, tmp_path)[1:]


NAMES = st.one_of(
    st.sampled_from(
        ["id", "ts", "prediction", "score", "label", "latency_ms", "status_code", "email", "x", "null", "yes", "on"]
    ),
    st.text(min_size=1, max_size=12).filter(lambda name: "\x00" not in name and name.isprintable()),
)
_CORE = ("id", "ts", "prediction")
KINDS = st.sampled_from(["INTEGER", "REAL", "TEXT", "TIMESTAMP", "BOOLEAN", "BLOB", "NUMERIC"])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "INTEGER": st.integers(-(2**62), 2**62),
    "REAL": st.floats(allow_nan=False),
    "TEXT": st.text(max_size=8).filter(lambda text: "\x00" not in text and text.isprintable()),
    "TIMESTAMP": st.integers(0, 4 * 10**9).map(lambda s: (at("1970-01-02") + timedelta(seconds=s)).isoformat(" ")),
    "BOOLEAN": st.integers(0, 1),
    "BLOB": st.binary(max_size=4),
    "NUMERIC": st.integers(-99, 99),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[tuple[str, str]], list[list[Any]]]:
    """Any columns with any values; in half of the tables those that a monitor cannot do without are there."""
    names = draw(st.lists(NAMES, min_size=1, max_size=8, unique_by=lambda name: name.casefold()))
    whole = draw(st.booleans())
    if whole:
        names = [*_CORE, *(name for name in names if name.casefold() not in _CORE)]
    columns = [(name, {"ts": "TIMESTAMP", "id": "INTEGER"}.get(name) or draw(KINDS)) for name in names]
    cells = [draw(st.sampled_from([VALUES[kind], st.none(), st.none() | VALUES[kind]])) for _, kind in columns]
    if whole:
        cells[:2] = [VALUES["INTEGER"], VALUES["TIMESTAMP"]]
    rows = st.lists(st.tuples(*cells).map(list), max_size=12, unique_by=(lambda row: row[0]) if whole else None)
    return columns, draw(rows)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables())
def test_any_table_gives_a_file_that_lints_or_a_clear_error(
    table: tuple[list[tuple[str, str]], list[list[Any]]],
) -> None:
    columns, rows = table
    kinds: dict[str, Any] = {
        "INTEGER": sa.Integer(), "REAL": sa.REAL(), "TEXT": sa.Text(), "TIMESTAMP": sa.TIMESTAMP(),
        "BOOLEAN": sa.BOOLEAN(), "BLOB": sa.BLOB(), "NUMERIC": sa.NUMERIC(),
    }  # fmt: skip
    with TemporaryDirectory() as folder:
        url = sa.URL.create("sqlite", database=f"{folder}/t.db")
        raw = sa.Table("t", sa.MetaData(), *(sa.Column(name, kinds[kind]) for name, kind in columns))
        loose = sa.table("t", *(sa.column(name) for name, _ in columns))
        with writing(url) as connection:
            raw.create(connection)
            for row in rows:
                connection.execute(
                    sa.insert(loose).values({loose.c[n]: v for (n, _), v in zip(columns, row, strict=True)})
                )
        with suppress(HindsightError):
            init(url, Path(folder), "t")
