"""Generate: the demo's inference logs and late labels bulk-loaded into PostgreSQL, and the monitor files written.

A later run adds the days and the labels that have come since and touches nothing that is there.
"""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime, time
from pathlib import Path
from string import Template

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from demo import champions
from demo.incidents import load_or_make
from demo.plan import Plan
from demo.traffic import MODELS, Model, Traffic, reference_until, traffic, trained_until

SEED = 20260901
TEMPLATES = Path(__file__).parent / "monitors"


def midnight(day: date) -> datetime:
    """Return the UTC midnight at which a date begins."""
    return datetime.combine(day, time(), UTC)


def load(url: sa.URL, model: Model, data: Traffic, *, until: datetime) -> tuple[int, int]:
    """Add to the warehouse what it does not hold yet, up to `until`; return how many log and label rows that was.

    Both tables and the mark of how far they reach are written in one transaction.
    """
    from adbc_driver_postgresql import dbapi

    loaded = loaded_until(url, model)
    log, labels = data.log, data.labels
    if loaded is not None:
        log, labels = log[log["predicted_at"] >= loaded], labels[labels["labeled_at"] >= loaded]
    with dbapi.connect(_libpq(url)) as connection, connection.cursor() as cursor:
        for name, rows in ((model.log, log), (model.labels, labels)):
            cursor.adbc_ingest(name, _arrow(rows), mode="create" if loaded is None else "append")
        mark = pa.table({"name": [model.stream.name], "until": pa.array([until], pa.timestamp("us", "UTC"))})
        cursor.adbc_ingest("demo_loads", mark, mode="create_append")
        connection.commit()
    _index(url, model)
    return len(log), len(labels)


def _arrow(rows: pd.DataFrame) -> pa.Table:
    table = pa.Table.from_pandas(rows, preserve_index=False)
    plain = [f.with_type(pa.string()) if pa.types.is_large_string(f.type) else f for f in table.schema]
    return table.cast(pa.schema(plain)).replace_schema_metadata(None)


def _libpq(url: sa.URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def loaded_until(url: sa.URL, model: Model) -> datetime | None:
    """Return how far the warehouse's rows of this model reach, None when it holds none."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    loads = sa.table("demo_loads", sa.column("name"), sa.column("until"))
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("demo_loads"):
            return None
        latest = sa.select(sa.func.max(loads.c.until)).where(loads.c.name == model.stream.name)
        loaded: datetime | None = connection.execute(latest).scalar_one()
    return loaded


def _index(url: sa.URL, model: Model) -> None:
    """Index what is looked up: log rows by time, labels by arrival and by request."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    wanted = [(model.log, "predicted_at"), (model.log, "request_id"), (model.labels, "labeled_at")]
    with engine.begin() as connection:
        for table, column in [*wanted, (model.labels, "request_id")]:
            target = sa.Table(table, sa.MetaData(), sa.Column(column))
            index = sa.Index(f"{table}_{column}", target.c[column])
            connection.execute(sa.schema.CreateIndex(index, if_not_exists=True))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


def write_monitors(plan: Plan, folder: Path, *, until: datetime) -> None:
    """Write the monitor files with the plan's dates filled in; they end where the data does."""
    folder.mkdir(parents=True, exist_ok=True)
    dates = {
        "start": f"{plan.start:%Y-%m-%d}",
        "end": f"{until:%Y-%m-%d}",
        "reference_start": f"{trained_until(plan):%Y-%m-%d}",
        "reference_end": f"{reference_until(plan):%Y-%m-%d}",
    }
    for template in sorted(TEMPLATES.glob("*.yml")):
        (folder / template.name).write_text(Template(template.read_text()).substitute(dates))


def main() -> None:
    """Generate and load from the command line."""
    parser = argparse.ArgumentParser(prog="python -m demo.generate", description=__doc__)
    parser.add_argument("--warehouse", type=sa.make_url, required=True, help="URL of a PostgreSQL database")
    parser.add_argument("--ledger", type=sa.make_url, help="URL of the ledger, to register the first champions")
    parser.add_argument("--models", default="data/models", help="folder of the champions' artifacts")
    parser.add_argument("--folder", type=Path, default=Path("data/demo"), help="incidents.json and monitors/")
    parser.add_argument("--end", type=date.fromisoformat, required=True, help="the day after the last, in UTC")
    parser.add_argument("--only", choices=[model.stream.name for model in MODELS])
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    until, ledger = midnight(given.end), given.ledger
    plan = load_or_make(given.folder / "incidents.json", seed=given.seed, end=until)
    write_monitors(plan, given.folder / "monitors", until=until)
    for model in MODELS:
        if given.only in (None, model.stream.name):
            added = fill(model, plan, given.warehouse, until=until, ledger=ledger, folder=given.models)
            print(f"{model.stream.name}: {added[0]} requests, {added[1]} labels added")


def fill(
    model: Model, plan: Plan, warehouse: sa.URL, *, until: datetime, ledger: sa.URL | None, folder: str
) -> tuple[int, int]:
    """Generate and load what one model misses, and register its first champion; return the rows added."""
    loaded = loaded_until(warehouse, model)
    if loaded is not None and loaded >= until:
        return 0, 0
    data = traffic(model, plan, until)
    if ledger is not None:
        champions.register_first(model, plan, data, ledger=ledger, folder=folder)
    return load(warehouse, model, data, until=until)


if __name__ == "__main__":
    main()
