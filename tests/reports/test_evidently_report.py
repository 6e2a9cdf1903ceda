"""The report of a window: drawn by the real Evidently, complete in itself, and robust against what data can be."""

from __future__ import annotations

import re
import socket
from decimal import Decimal
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa
import pytest

from hindsight.monitors.model import Monitor
from hindsight.reports.evidently import MAX_ROWS, window_report
from tests.builders import a_monitor, monitor_file

N = 300


def rows(seed: int = 0, n: int = N, **columns: object) -> pa.Table:
    """Requests as the log has them; `columns` replace or add some."""
    rng = np.random.default_rng(seed)
    score = rng.random(n)
    table: dict[str, object] = {
        "amount": rng.lognormal(5, 1, n),
        "region": rng.choice(["north", "south", "east"], n),
        "customer_id": [f"customer-{i}" for i in range(n)],
        "prediction": (score > 0.5).astype(int),
        "score": score,
    }
    return pa.table(table | columns)


def with_labels(table: pa.Table, seed: int = 1, missing: float = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    flips = rng.random(table.num_rows) < 0.2
    label = np.where(flips, 1 - table["prediction"].to_numpy(), table["prediction"].to_numpy()).astype(float)
    return table.append_column("label", pa.array(label, mask=rng.random(table.num_rows) < missing))


def report(reference: pa.Table, current: pa.Table, monitor: Monitor | None = None) -> str:
    return window_report(reference, current, monitor or a_monitor(), title="credit, 2026-09-01")


class Elements(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_a_window_is_drawn_with_its_drift_and_its_columns() -> None:
    page = report(rows(), rows(1, amount=np.random.default_rng(2).normal(1e4, 1, N)))
    assert "<h1>credit, 2026-09-01</h1>" in page
    assert "Dataset Drift" in page
    assert "Drift is detected for" in page
    for column in ("amount", "region", "prediction", "score"):
        assert f'"{column}"' in page
    assert "Left out" not in page


def test_the_page_loads_nothing_and_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a report must not use the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    page = report(rows(), rows(1))
    loading = [(tag, a) for tag, a in Elements(page).found if a.get("src") or (tag == "link" and a.get("href"))]
    assert loading == []
    assert not re.search(r"url\(['\"]?(https?:)?//", page)


def test_labels_bring_the_accuracy_and_only_labelled_rows_are_drawn() -> None:
    page = report(with_labels(rows()), with_labels(rows(1), missing=0.5))
    assert "Classification" in page
    assert "Accuracy" in page
    count = re.search(r"Only rows with a label are drawn: (\d+) of the window", page)
    assert count is not None
    assert 100 < int(count[1]) < 200


def test_many_classes_and_regressions_are_judged_too() -> None:
    classes = rows(prediction=list("abc") * 100, label=list("acb") * 100)
    assert "Accuracy" in report(classes, classes, a_monitor(model={"name": "m", "task": "multiclass"}))
    rng = np.random.default_rng(3)
    numbers = rows(prediction=rng.normal(size=N), label=rng.normal(size=N))
    assert "Regression Model Performance" in report(
        numbers, numbers, a_monitor(model={"name": "m", "task": "regression"})
    )


@pytest.mark.parametrize("labels", [[0.0] * N, [None] * N, [1.0] * 3 + [None] * (N - 3)])
def test_labels_that_cannot_be_judged_are_no_reason_to_fail(labels) -> None:
    page = report(with_labels(rows()), rows(1).append_column("label", pa.array(labels, pa.float64())))
    assert "Drift is detected for" in page
    assert "Only rows with a label" not in page


@pytest.mark.parametrize(
    ("reference", "current", "reason"),
    [
        ([None] * N, [1.0] * N, "0 value(s) in the reference, too few to draw"),
        ([1.0] * N, [None] * N, "0 value(s) in the window, too few to draw"),
        ([1.0] + [None] * (N - 1), [1.0, 2.0] * (N // 2), "1 value(s) in the reference, too few to draw"),
        ([7.0] * N, [7.0] * N, "constant"),
    ],
)
def test_a_column_that_cannot_be_drawn_is_left_out_and_named(reference, current, reason) -> None:
    tables = [rows(amount=pa.array(values, pa.float64())) for values in (reference, current)]
    assert f"Left out: amount ({reason})." in report(*tables)


@pytest.mark.parametrize(
    "amount",
    [
        [np.nan] * N,
        [np.inf, -np.inf, 1e308, -0.0] * (N // 4),
        [1.0] * N,
        [Decimal("1.50"), None] * (N // 2),
        [True, False] * (N // 2),
    ],
)
def test_numbers_of_every_kind_are_survived(amount) -> None:
    assert "Drift is detected for" in report(rows(), rows(1, amount=pa.array(amount)))


@pytest.mark.parametrize("region", [["a"] * N, [None, "a"] * (N // 2), ["x" * 10_000] * N, [str(i) for i in range(N)]])
def test_categories_of_every_kind_are_survived(region) -> None:
    page = report(rows(), rows(1, region=region))
    assert "Drift is detected for" in page
    assert "x" * 1000 not in page


def test_a_window_of_one_row_or_none_is_a_page_that_says_so() -> None:
    assert "Nothing is left to draw." in report(rows(), rows(n=1))
    assert "Nothing is left to draw." in report(rows(), rows(n=0))


def test_private_columns_are_never_shown() -> None:
    features = {"amount": "numeric", "customer_id": "categorical", "region": "categorical"}
    page = report(rows(), rows(1), a_monitor(features=features, pii={"hash": ["customer_id"]}))
    assert "customer-" not in page
    assert "customer_id" not in page


def test_more_rows_than_can_be_drawn_are_sampled_and_said() -> None:
    page = report(rows(), rows(1, n=MAX_ROWS + 1))
    assert "Drawn from a sample of 20,000 rows." in page


def test_a_value_of_the_data_cannot_become_markup() -> None:
    evil = "</script><script>alert(9)</script><img src=x onerror=alert(1)>"
    clean, dirty = (report(rows(), rows(1, region=[value, "north"] * (N // 2))) for value in ("west", evil))
    assert [tag for tag, _ in Elements(dirty).found] == [tag for tag, _ in Elements(clean).found]
    assert "<script>alert" not in dirty


def test_a_title_is_escaped() -> None:
    page = window_report(rows(), rows(n=0), a_monitor(), title="<script>{{7*7}}")
    assert "<h1>&lt;script&gt;{{7*7}}</h1>" in page


def test_the_warehouses_own_names_of_columns_are_understood() -> None:
    source = monitor_file()["source"]
    source |= {"predictions": source["predictions"] | {"prediction": "said", "score": "chance"}}
    table = rows().rename_columns(["amount", "region", "customer_id", "said", "chance"])
    page = report(table, table, a_monitor(source=source))
    assert '"said"' in page
    assert '"chance"' in page
