#!/usr/bin/env bash
# pyarrow 26.0.1 does not require pandas, and importing it does not import pandas. But where pandas is installed, the
# first value handed to pyarrow imports the whole of it: pa.scalar(1), an array of a list or of a NumPy array, and
# pyarrow.parquet.read_table too. It is only to find out whether the value is one of pandas'. So a program that leaves
# pandas out in order to start quickly pays for it all the same, at a line that has nothing to do with it, from the day
# on that something else in its environment requires pandas.
# Seen: pyarrow 26.0.1 alone: 0 modules of pandas; beside pandas 3.0.6: 0 after the import, hundreds after pa.scalar(1).
# Fails when that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"

installed() {
  "$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check "$@" >/dev/null
}

modules_of_pandas() {
  "$folder/env/bin/python" -c "
import sys
import pyarrow as pa

$1
print(sum(name.partition('.')[0] == 'pandas' for name in sys.modules))"
}

installed "pyarrow==26.0.1"
alone=$(modules_of_pandas "assert pa.scalar(1).as_py() == 1")
installed "pandas==3.0.6"
imported=$(modules_of_pandas "")
scalar=$(modules_of_pandas "assert pa.scalar(1).as_py() == 1")
printf 'modules of pandas: %s without pandas installed; with it %s after import pyarrow, %s after pa.scalar(1)\n' \
  "$alone" "$imported" "$scalar"
[ "$alone" -eq 0 ]
[ "$imported" -eq 0 ]
[ "$scalar" -gt 100 ]
