"""What the warehouse counts is what rows say: whole numbers exactly, sums to 1e-9, over odd data on every engine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from hindsight.checks.reference.baseline import Baseline, fit
from hindsight.checks.reference.columns import NumericBaseline
from hindsight.checks.reference.cuts import frozen_cuts
from hindsight.checks.reference.profile import Profile
from hindsight.checks.values.counted import counted_groups, counted_numbers, counted_texts
from hindsight.checks.values.groups import groups
from hindsight.checks.values.samples import NumericColumn, TextColumn, Texts
from hindsight.vocabulary.rows import Rows
from hindsight.warehouse import counts
from hindsight.warehouse.connect import open_engine
from hindsight.warehouse.counts import WindowCounts, counting
from hindsight.warehouse.dialects import dialect_of
from tests.builders import a_monitor, a_window, at
from tests.warehouse.tables import LOG, a_prediction, fill
from tests.warehouse.windows import collected

MONITOR = a_monitor(
    features={"amount": "numeric", "income": "numeric", "region": "categorical", "is_new": "categorical"}
)
COLUMNS = LOG | {"income": sa.Double(), "is_new": sa.Boolean(), "region": sa.String(400)}
NAN, INF = float("nan"), float("inf")
ODD = [None, NAN, INF, -INF, -0.0, 0.0, 1.0, np.nextafter(1.0, 2), 7.0, 7.25, -999.0, 1e12, 5e-324]
TEXTS = [None, "", " ", "EU", "eu", "EU ", "\u00e9", "e\u0301", "None", "<other>", "A" * 200, "new"]


def odd_rows(seed: int, n: int = 400) -> list[dict[str, Any]]:
    """Rows of two versions with ids that repeat, odd numbers and odd texts."""
    generator = np.random.default_rng(seed)
    amounts = [
        ODD[i] if i < len(ODD) else float(x)
        for i, x in zip(generator.integers(0, 40, n), generator.normal(5, 3, n), strict=True)
    ]
    found = []
    for i, amount in enumerate(amounts):
        made = at("2026-09-01T12:00") + timedelta(seconds=int(generator.integers(0, 30)))
        row = a_prediction(f"r{generator.integers(0, n)}" if i % 9 else None, amount=amount)
        row |= {"predicted_at": made, "region": TEXTS[int(generator.integers(0, len(TEXTS)))]}
        row |= {"is_new": [True, False, None][int(generator.integers(0, 3))], "status_code": [200, 500, None][i % 3]}
        row |= {"income": float(generator.integers(0, 4)), "model_version": ["v1", "v2", None][i % 3]}
        found.append(row)
    return found


def without_what_it_cannot_hold(url: sa.URL, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """MariaDB knows neither infinity nor NaN."""
    if not url.drivername.startswith("mysql"):
        return list(rows)
    return [row | {"amount": row["amount"] if np.isfinite(row["amount"] or 0) else None} for row in rows]


@pytest.mark.parametrize("seed", range(3))
def test_counts_are_those_of_the_rows(database_url: sa.URL, tmp_path: Path, seed: int) -> None:
    fill(database_url, without_what_it_cannot_hold(database_url, odd_rows(seed)), log=COLUMNS)
    with collected(database_url, tmp_path, MONITOR) as rows:
        baseline = fit(rows, MONITOR, output=rows, fitted_as_of=at("2026-09-02"))
        engine = open_engine(database_url)
        with counting(engine, MONITOR, a_window()) as counted:
            assert (counted.n, counted.n_raw) == (rows.n, rows.n_raw)
            assert [one.group for one in counted_groups(counted, MONITOR)] == groups(rows, MONITOR)
            for name in ("amount", "income", "score"):
                numbers_agree(counted, rows, baseline, name)
            for name in ("region", "is_new", "prediction"):
                texts_agree(counted, rows, baseline, name)


def numbers_agree(counted: WindowCounts, rows: Rows, baseline: Baseline, name: str) -> None:
    of_groups = counted_groups(counted, MONITOR)
    cuts = frozen_cuts(baseline, name)
    known = baseline.column(name)
    assert isinstance(known, NumericBaseline)
    found = counted_numbers(counted, {name: cuts}, of_groups)[name]
    source = NumericColumn(rows.column(name))
    for group in reversed(groups(rows, MONITOR)):
        theirs = baseline.column(name, group.segment)
        if theirs is None:
            continue
        sample = source.sample(group.mask)
        alike(theirs.profile_of(found.samples[group]), theirs.profile_of(sample))


def alike(counted: Profile, rows: Profile) -> None:
    assert counted.counts.tolist() == rows.counts.tolist()
    assert counted.range == rows.range
    assert counted.sums is not None
    assert rows.sums is not None
    np.testing.assert_allclose(counted.sums, rows.sums, rtol=1e-9, atol=1e-12)
    assert counted.moments is not None
    assert rows.moments is not None
    assert counted.moments.n == rows.moments.n
    assert counted.moments.mean == pytest.approx(rows.moments.mean, rel=1e-9)
    assert counted.moments.deviations == pytest.approx(rows.moments.deviations, rel=1e-9, abs=1e-12)


def texts_agree(counted: WindowCounts, rows: Rows, baseline: Baseline, name: str) -> None:
    known = baseline.column(name)
    found = counted_texts(counted, name, counted_groups(counted, MONITOR), like=known.type if known else "")
    source = TextColumn(rows.column(name), known.type if known else "")
    for group in groups(rows, MONITOR):
        ours, theirs = found.samples[group], source.sample(group.mask)
        assert isinstance(ours, Texts)
        assert (ours.nulls, ours.values.texts) == (theirs.nulls, theirs.values.texts)
        assert ours.values.counts.tolist() == theirs.values.counts.tolist()


def test_duckdb_counts_in_a_bounded_memory_unless_its_url_has_a_limit(duckdb_url: sa.URL) -> None:
    asked = sa.select(sa.func.current_setting("memory_limit"))
    for url, limit in ((duckdb_url, ""), (duckdb_url.update_query_dict({"memory_limit": "3GiB"}), "3.0 GiB")):
        engine = open_engine(url)
        with dialect_of(engine).snapshot(engine) as connection:
            found = connection.execute(asked).scalar_one()
            assert found == limit if limit else found.endswith("MiB")
        with engine.connect() as connection:
            assert not connection.execute(asked).scalar_one().endswith("MiB")
        engine.dispose()


def test_of_too_many_categories_only_the_frozen_ones_are_told_apart(
    database_url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["EU", "EU", "eu", "US", "", " ", None, "<other>", *map(str, range(20))]
    rows = [a_prediction(f"r{i}", region=text, income=1.0, is_new=True) for i, text in enumerate(texts)]
    fill(database_url, rows, log=COLUMNS)
    monkeypatch.setattr(counts, "MOST_VALUES", 6)
    with counting(open_engine(database_url), MONITOR, a_window()) as counted:
        found = counted_texts(counted, "region", counted_groups(counted, MONITOR), known=("EU", "ASIA"))
    whole = found.owed
    assert found.folded
    assert isinstance(whole, Texts)
    assert (whole.n, whole.nulls) == (len(texts), 1)
    assert dict(zip(whole.values.texts, whole.values.counts.tolist(), strict=True)) == {
        "<other>": 23,
        "EU": 2,
        "<empty>": 2,
    }
