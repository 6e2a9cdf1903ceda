"""Expectations: a suite's verdicts on a window, from the rows in hand and from the warehouse, with nothing let out."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa

from hindsight.checks.suites.expectations import run_suite
from hindsight.checks.suites.suites import load_suite
from hindsight.errors import ConfigError, DataError, WarehouseError
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import TableRows
from tests.builders import HOUR, a_monitor, a_window, at
from tests.checks.suites.a_log import warehouse_at

PROJECT = Path(__file__).parents[3]
CANARY = "canary-8d1f"
MONITOR = a_monitor(quality={"suite": "credit"})
OF_TYPES = (
    "not evaluated: raised TypeError: the check cannot work with values of the column's type; "
    "cast the column in a view or take it out"
)


def expect(type: str, **kwargs: Any) -> dict[str, Any]:
    severity = kwargs.pop("severity", "critical")
    return {"type": f"expect_{type}", "kwargs": kwargs, "meta": {}, "severity": severity}


AMOUNT_KNOWN = expect("column_values_to_not_be_null", column="amount")
AMOUNT_RANGE = expect("column_values_to_be_between", column="amount", min_value=0, max_value=1000)
REGION_KNOWN = expect("column_values_to_be_in_set", column="region", value_set=["EU", "US"])
ID_UNIQUE = expect("column_values_to_be_unique", column="request_id")


@pytest.fixture
def suite(tmp_path: Path) -> Callable[..., Path]:
    """Write great_expectations/expectations/credit.json and return the folder."""

    def write(*expectations: dict[str, Any]) -> Path:
        root = tmp_path / "great_expectations"
        (root / "expectations").mkdir(parents=True, exist_ok=True)
        content = {"name": "credit", "expectations": list(expectations), "meta": {}}
        (root / "expectations" / "credit.json").write_text(json.dumps(content))
        return root

    return write


def some_rows(n: int = 100, n_raw: int | None = None, **columns: Any) -> TableRows:
    table: dict[str, Any] = {
        "request_id": [f"r{i}" for i in range(n)],
        "amount": np.linspace(10, 900, n),
        "region": ["EU"] * n,
        "score": [0.5] * n,
    }
    return TableRows(pa.table({name: v for name, v in (table | columns).items() if v is not None}), n_raw)


def run(root: Path, rows: TableRows, url: sa.URL | None = None, monitor: Monitor = MONITOR) -> list[Measurement]:
    warehouse = warehouse_at(url, monitor, a_window()) if url else None
    return run_suite(monitor, a_window(), root=root, warehouse=warehouse, rows=rows)


def successes(found: list[Measurement]) -> dict[tuple[str, str], float | None]:
    return {(m.feature, m.bin): m.value for m in found if m.metric == "expectation_success"}


def failures(found: list[Measurement]) -> dict[str, float | None]:
    return {m.feature: m.value for m in found if m.metric == "expectations_failed"}


def fill(url: sa.URL, rows: TableRows, stamp: sa.types.TypeEngine[Any], moments: list[Any]) -> None:
    """Log the rows in the warehouse at the given moments."""
    engine, metadata = sa.create_engine(url), sa.MetaData()
    types = {"amount": sa.Double(), "score": sa.Double()}
    columns = [sa.Column(name, types.get(name, sa.Text())) for name in rows.columns]
    log = sa.Table("inference_log", metadata, sa.Column("predicted_at", stamp), *columns)
    metadata.create_all(engine)
    lists = {name: rows.column(name).to_pylist() for name in rows.columns}
    with engine.begin() as connection:
        values = [{"predicted_at": m} | {k: v[i] for k, v in lists.items()} for i, m in enumerate(moments)]
        connection.execute(log.insert(), values)
    engine.dispose()


def test_each_expectation_has_a_verdict_and_each_column_a_count(suite: Callable[..., Path]) -> None:
    rows = some_rows(amount=[None] * 4 + [-5.0] * 6 + [50.0] * 90, region=["EU"] * 97 + ["FR"] * 3)
    table_rows = expect("table_row_count_to_be_between", min_value=1, max_value=1000)
    found = run(suite(AMOUNT_KNOWN, AMOUNT_RANGE, REGION_KNOWN, ID_UNIQUE, table_rows), rows)
    assert successes(found) == {
        ("amount", "expect_column_values_to_not_be_null"): 0.0,
        ("amount", "expect_column_values_to_be_between"): 0.0,
        ("region", "expect_column_values_to_be_in_set"): 0.0,
        ("request_id", "expect_column_values_to_be_unique"): 1.0,
        ("", "expect_table_row_count_to_be_between"): 1.0,
    }
    assert failures(found) == {"amount": 2.0, "region": 1.0, "request_id": 0.0, "": 0.0}
    notes = {m.feature: m.note for m in found if m.metric == "expectation_success"}
    assert (notes["region"], notes[""]) == ("3 % unexpected", "observed 100")
    assert {m.n for m in found} == {100}


def test_the_same_expectation_twice_has_two_names(suite: Callable[..., Path]) -> None:
    narrow = expect("column_values_to_be_between", column="amount", min_value=500, max_value=600)
    found = run(suite(AMOUNT_RANGE, narrow), some_rows())
    assert successes(found) == {
        ("amount", "expect_column_values_to_be_between"): 1.0,
        ("amount", "expect_column_values_to_be_between #2"): 0.0,
    }


def test_expectations_of_severity_info_are_shown_and_not_counted(suite: Callable[..., Path]) -> None:
    hint = expect("column_values_to_be_in_set", column="region", value_set=["US"], severity="info")
    found = run(suite(hint), some_rows())
    assert list(successes(found).values()) == [0.0]
    assert failures(found) == {"region": 0.0}


def test_an_expectation_about_two_columns_counts_for_the_table(suite: Callable[..., Path]) -> None:
    pair = expect("column_pair_values_a_to_be_greater_than_b", column_A="amount", column_B="score")
    found = run(suite(pair), some_rows())
    assert successes(found) == {("", "expect_column_pair_values_a_to_be_greater_than_b(amount, score)"): 1.0}


def test_a_missing_column_fails_with_its_name_and_stops_nothing(suite: Callable[..., Path]) -> None:
    found = run(suite(AMOUNT_KNOWN, REGION_KNOWN), some_rows(amount=None))
    assert failures(found) == {"amount": 1.0, "region": 0.0}
    assert found[0].note == "column amount does not exist"


def test_what_raises_is_null_and_named_by_type_and_not_by_the_value_that_raised(suite: Callable[..., Path]) -> None:
    found = run(
        suite(expect("column_max_to_be_between", column="region", max_value=3)), some_rows(region=[CANARY] * 100)
    )
    assert failures(found) == {"region": None}
    assert {m.note for m in found} == {OF_TYPES}


def test_a_window_without_rows_is_not_evaluated(suite: Callable[..., Path]) -> None:
    found = run(suite(AMOUNT_KNOWN, AMOUNT_RANGE), some_rows(0, region=pa.array([], pa.string())))
    assert {(m.value, m.note) for m in found} == {(None, "no rows")}
    assert len(found) == 3


def test_a_monitor_without_a_suite_measures_nothing(tmp_path: Path) -> None:
    assert run(tmp_path, some_rows(), monitor=a_monitor()) == []


def test_a_missing_suite_is_named_with_those_there_are(suite: Callable[..., Path]) -> None:
    root = suite(AMOUNT_KNOWN)
    with pytest.raises(ConfigError, match=r"churn\.json quality\.suite: no such suite; suites in this folder: credit$"):
        run(root, some_rows(), monitor=a_monitor(quality={"suite": "churn"}))


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"name": "x"}', '{"expectation_suite_name": "x", "expectations": [{}]}']
)
def test_a_file_that_is_no_suite_is_a_clear_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "expectations").mkdir()
    (tmp_path / "expectations" / "credit.json").write_text(content)
    with pytest.raises(ConfigError, match=r"credit\.json"):
        run(tmp_path, some_rows())


def test_an_expectation_nobody_knows_is_an_error_and_not_left_out(suite: Callable[..., Path]) -> None:
    root = suite(AMOUNT_KNOWN, expect("column_values_to_be_lovely", column="amount"), expect("column_to_exist"))
    with pytest.raises(ConfigError) as caught:
        run(root, some_rows())
    assert [problem.field for problem in caught.value.problems] == ["expectations[1]", "expectations[2]"]


def test_the_suites_of_the_project_can_be_read_by_great_expectations_itself(tmp_path: Path) -> None:
    program = (
        "import sys, great_expectations as gx; context = gx.get_context(mode='file', context_root_dir=sys.argv[1]);"
        "print(sorted(f'{suite.name} {len(suite.expectations)}' for suite in context.suites.all()))"
    )
    root = tmp_path / "great_expectations"
    subprocess.run(["cp", "-r", PROJECT / "great_expectations", root], check=True)
    before = (root / "great_expectations.yml").read_bytes()
    answer = subprocess.run([sys.executable, "-c", program, root], capture_output=True, text=True, check=True)
    names = sorted(path.stem for path in (root / "expectations").glob("*.json"))
    assert answer.stdout.strip() == str([f"{n} {len(load_suite(root, n).expectations)}" for n in names])
    assert (root / "great_expectations.yml").read_bytes() == before


@pytest.mark.parametrize("zone", [True, False], ids=["with zone", "without zone"])
def test_the_warehouse_sees_the_rows_of_the_window_and_repeated_ids(
    suite: Callable[..., Path], database_url: sa.URL, zone: bool
) -> None:
    edges = [at("2026-08-31T23:59"), at("2026-09-01"), at("2026-09-01T23:59"), at("2026-09-02")]
    moments = [edge if zone else edge.replace(tzinfo=None) for edge in edges]
    logged = some_rows(4, request_id=["before", "same", "same", "after"], amount=[-1.0, 5.0, 5.0, -1.0])
    fill(database_url, logged, sa.DateTime(timezone=zone), moments)
    found = run(suite(AMOUNT_RANGE, ID_UNIQUE), some_rows(1, n_raw=2), database_url)
    assert failures(found) == {"amount": 0.0, "request_id": 1.0}
    assert {m.feature: m.n for m in found} == {"amount": 1, "request_id": 2}


def test_sqlite_times_are_found_however_they_are_written(suite: Callable[..., Path], sqlite_url: sa.URL) -> None:
    texts = [
        "2026-09-01",
        "2026-09-01T10:00:00Z",
        "2026-09-02T01:00:00+02:00",
        "2026-09-02 00:00:00",
        "2026-08-31 23:59:59.9",
        "2461285.0",  # the same day to SQLite's own functions, and no ISO time: misdated, as in the rows in hand
    ]
    fill(sqlite_url, some_rows(6, amount=[1.0, 1.0, 1.0, -1.0, -1.0, -1.0]), sa.Text(), texts)
    count = expect("table_row_count_to_equal", value=3)
    assert set(failures(run(suite(AMOUNT_RANGE, count), some_rows(1, n_raw=2), sqlite_url)).values()) == {0.0}


def test_without_a_warehouse_repeated_ids_are_said_not_to_be_seen(suite: Callable[..., Path]) -> None:
    found = run(suite(ID_UNIQUE), some_rows(n_raw=120))
    assert successes(found)["request_id", "expect_column_values_to_be_unique"] == 1.0
    assert found[0].note == "0 % unexpected; on distinct ids"


def test_more_rows_than_are_looked_at_together_are_all_looked_at(
    suite: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hindsight.checks.suites.expectations.AT_ONCE", 50)
    found = run(suite(AMOUNT_RANGE, REGION_KNOWN), some_rows(region=["EU"] * 99 + ["FR"]))
    assert failures(found) == {"amount": 0.0, "region": 1.0}
    assert {m.n for m in found} == {100}


def private_monitor() -> Monitor:
    return a_monitor(quality={"suite": "credit"}, pii={"hash": ["email"], "drop": ["phone"]})


def test_no_value_of_a_row_leaves_with_a_verdict(suite: Callable[..., Path], postgres_url: sa.URL) -> None:
    about = [
        expect(f"column_{what}", column=column, **kwargs)
        for column in ("email", "region")
        for what, kwargs in (
            ("values_to_be_in_set", {"value_set": ["x"]}),
            ("values_to_match_regex", {"regex": "^x$"}),
            ("distinct_values_to_be_in_set", {"value_set": ["x"]}),
            ("most_common_value_to_be_in_set", {"value_set": ["x"]}),
            ("values_to_be_unique", {}),
            ("min_to_be_between", {"min_value": 1}),
        )
    ]
    rows = some_rows(20, email=[f"{CANARY}@x.example"] * 20, region=[CANARY] * 20)
    fill(postgres_url, rows, sa.DateTime(timezone=True), [at("2026-09-01") + HOUR] * 20)
    for found in (
        run(suite(*about), rows, monitor=private_monitor()),
        run(suite(*about), rows, postgres_url, private_monitor()),
    ):
        assert set(failures(found).values()) == {5.0}  # the least of texts is no number
        assert CANARY not in repr(found)
        assert {m.note for m in found if m.feature == "email"} <= {"", OF_TYPES}


def test_the_password_of_the_warehouse_is_written_nowhere(
    suite: Callable[..., Path], postgres_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    secret = "$" + CANARY + "%40{x}"
    with sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool).connect() as connection:
        connection.execute(sa.DDL(f"CREATE ROLE \"{CANARY}\" LOGIN PASSWORD '{secret.replace('%', '%%')}'"))
        fill(postgres_url, some_rows(3), sa.DateTime(timezone=True), [at("2026-09-01") + HOUR] * 3)
        connection.execute(sa.DDL(f'GRANT SELECT ON inference_log TO "{CANARY}"'))
    url = postgres_url.set(username=CANARY, password=secret)
    root = suite(ID_UNIQUE)
    assert failures(run(root, some_rows(1, n_raw=3), url)) == {"request_id": 0.0}
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = url.set(host="127.0.0.1", port=unused.getsockname()[1], query={})
        with pytest.raises(WarehouseError, match=r"connection 'warehouse' .* broke off") as caught:
            run(root, some_rows(1, n_raw=3), nobody)
    assert secret not in "".join(traceback.format_exception(caught.value))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [root / "expectations" / "credit.json"]


def test_a_table_that_is_not_there_is_no_matter_of_trying_again(
    suite: Callable[..., Path], postgres_url: sa.URL
) -> None:
    with pytest.raises(DataError, match="inference_log: no such table"):
        run(suite(ID_UNIQUE), some_rows(1, n_raw=2), postgres_url)


def test_nothing_is_printed_logged_or_sent(
    suite: Callable[..., Path],
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("a connection was opened"))
    run(suite(AMOUNT_KNOWN, expect("column_to_exist", column="nosuch")), some_rows())
    assert capfd.readouterr() == ("", "")
    assert not [record for record in caplog.records if record.name.startswith("great_expectations")]
