#!/usr/bin/env bash
# duckdb-engine 0.17.0 asks for SQLAlchemy >= 1.3.22 without an upper bound, so pip takes SQLAlchemy 2.1.9 beside it.
# Statements run, and a table one has just made cannot be inspected: the dialect derives from SQLAlchemy's PostgreSQL
# dialect, whose reflection of 2.1 joins pg_catalog.pg_collation, a table that DuckDB's catalogue does not have.
# Under SQLAlchemy 2.0.51 the same three lines answer. Whoever reflects tables (sa.Table(autoload_with=...),
# pandas.read_sql_table, tools built on it) finds no table readable after an upgrade of SQLAlchemy alone.
# Seen: duckdb 2.0.1, duckdb-engine 0.17.0. Fails when either behaviour changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

inspect() {
  python3 -m venv "$folder/$1"
  "$folder/$1/bin/python" -m pip install --quiet --disable-pip-version-check \
    "sqlalchemy==$1" "duckdb==2.0.1" "duckdb-engine==0.17.0" >/dev/null
  "$folder/$1/bin/python" - <<'PYTHON' 2>&1
import warnings

warnings.simplefilter("ignore")
import sqlalchemy as sa

engine = sa.create_engine("duckdb:///:memory:", poolclass=sa.pool.StaticPool)
with engine.begin() as connection:
    connection.exec_driver_sql("CREATE TABLE orders (id INTEGER, amount DOUBLE)")
    assert connection.exec_driver_sql("SELECT count(*) FROM orders").scalar() == 0
    try:
        print([column["name"] for column in sa.inspect(connection).get_columns("orders")])
    except sa.exc.ProgrammingError as error:
        print(str(error.orig).splitlines()[0])
PYTHON
}

old=$(inspect 2.0.51)
new=$(inspect 2.1.9)
printf 'SQLAlchemy 2.0.51: %s\nSQLAlchemy 2.1.9:  %s\n' "$old" "$new"
[ "$old" = "['id', 'amount']" ]
case "$new" in *pg_collation*) ;; *) exit 1 ;; esac
