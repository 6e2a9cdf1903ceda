"""Warehouse of the season bench: a DuckDB file with a log, in which a fault can be planted from a moment on.

The table the monitor names is a view: rows before the onset come from the log as it was, later ones from what a fault
made of them. So a planted fault costs its own rows, and history stays what it was.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import sqlalchemy as sa

from benchmarks.seasons_series import Series


class Warehouse:
    """The log of a series and its labels in one file; the engine opens it for reading between two plantings."""

    def __init__(self, series: Series, path: Path) -> None:
        """Write the log into a new file."""
        self.series, self.path = series, path
        with duckdb.connect(str(path)) as db:
            for table, rows in (("predictions", series.predictions), ("labels", series.labels)):
                _store(db, f"{table}_kept", rows)
        self.restore()

    @property
    def url(self) -> sa.URL:
        """Where the file is, as the product opens it."""
        return sa.URL.create("duckdb", database=str(self.path))

    @property
    def names(self) -> tuple[str, str]:
        """The tables of predictions and labels, as the monitor file names them."""
        return self.series.name, f"{self.series.name}_labels"

    def restore(self) -> None:
        """Let the views show the log as it was."""
        with duckdb.connect(str(self.path)) as db:
            for view, table in zip(self.names, ("predictions", "labels"), strict=True):
                db.execute(f'CREATE OR REPLACE VIEW "{view}" AS SELECT * FROM {table}_kept')

    def plant(self, rows: pd.DataFrame, since: pd.Timestamp, until: pd.Timestamp) -> None:
        """Show these rows of a log (predictions with labels) in place of those of `[since, until)`."""
        labels = rows.loc[rows["labeled_at"].notna(), ["id", "label", "labeled_at"]]
        with duckdb.connect(str(self.path)) as db:
            db.execute("SET TimeZone = 'UTC'")
            span = f"predicted_at >= TIMESTAMPTZ '{since}' AND predicted_at < TIMESTAMPTZ '{until}'"
            of_span = f"SELECT id FROM predictions_kept WHERE {span}"
            _store(db, "predictions_planted", rows.drop(columns=["label", "labeled_at"]))
            _store(db, "labels_planted", labels)
            ways = {"predictions": f"NOT ({span})", "labels": f"id NOT IN ({of_span})"}
            for view, (table, apart) in zip(self.names, ways.items(), strict=True):
                db.execute(
                    f'CREATE OR REPLACE VIEW "{view}" AS SELECT * FROM {table}_kept WHERE {apart} '
                    f"UNION ALL BY NAME SELECT * FROM {table}_planted"
                )


def _store(db: duckdb.DuckDBPyConnection, table: str, rows: pd.DataFrame) -> None:
    import pyarrow as pa

    arrow = pa.Table.from_pandas(rows, preserve_index=False)
    db.register("rows_to_store", arrow)
    db.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM rows_to_store")
    db.unregister("rows_to_store")
