"""What Airflow runs when one of its processes starts: the imports of tasks, once, in the parent of task processes."""

from __future__ import annotations

import sys

from hindsight.airflow.preload import preload

preload(sys.argv)
