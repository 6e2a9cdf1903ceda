#!/usr/bin/env bash
# Importing sqlalchemy-bigquery 1.17.3 registers its own class for the generic function `unnest` of SQLAlchemy. From
# then on sqlalchemy.func.unnest is BigQuery's in the whole process, for every dialect: SQLAlchemy's own reflection of
# PostgreSQL 2.1.9, which asks for unnest, then warns that the statement cannot be cached (SAWarning: Class unnest will
# not make use of SQL compilation caching), an error where warnings are errors. So a program that talks to PostgreSQL
# behaves otherwise once anything has imported the dialect of a database it does not use.
# Seen: SQLAlchemy 2.1.9, sqlalchemy-bigquery 1.17.3. Fails when that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
  "sqlalchemy==2.1.9" "sqlalchemy-bigquery==1.17.3" >/dev/null

"$folder/env/bin/python" - <<'PYTHON'
import warnings

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql


def asked():
    """What owns func.unnest, and what compiling a PostgreSQL statement with a cache key warns of."""
    numbers = sa.func.unnest(sa.literal([1, 2], postgresql.ARRAY(sa.Integer())))
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        sa.select(numbers)._generate_cache_key()
    return type(numbers).__module__.split(".")[0], [str(one.message)[:56] for one in seen]


before = asked()
import sqlalchemy_bigquery  # noqa: E402, F401

after = asked()
print(f"before the import: {before}\nafter the import:  {after}")
assert before == ("sqlalchemy", [])
assert after[0] == "sqlalchemy_bigquery"
assert after[1] == ["Class unnest will not make use of SQL compilation cachin"]
PYTHON
