"""Airflow's DAG processor, run for a few loops over a folder of DAG files and asked what each of them cost.

`python -m benchmarks.dag_processor FOLDER LOOPS [CHANGED]` prints JSON: CPU seconds of each loop, of all processes and
of the manager alone, how many DAGs and import errors there are, and what it costs when the file CHANGED is parsed once
more after its monitor changed. Seconds are those the operating system counted for this process and its children.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

from airflow.dag_processing.manager import DagFileProcessorManager
from airflow.listeners.listener import get_listener_manager
from airflow.utils import db


def spent() -> tuple[float, float]:
    """Return CPU seconds so far: of this process and all its children that ended, and of this process alone."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    mine = own.ru_utime + own.ru_stime
    return mine + children.ru_utime + children.ru_stime, mine


class Watched(DagFileProcessorManager):
    """The manager, which waits for the last file of each loop before it goes on, and notes what was spent by then."""

    marks: list[tuple[float, float]]

    def prepare_file_queue(self, known_files: Any) -> None:
        """Begin the next loop once the one before is over."""
        if self._processors:
            return
        self.marks.append(spent())
        if len(self.marks) <= self.loops:
            super().prepare_file_queue(known_files=known_files)

    def max_runs_reached(self) -> bool:
        """Stop after so many loops."""
        return len(self.marks) > self.loops

    def parse_again(self, path: Path) -> tuple[float, float]:
        """Parse one file as the manager does when it changed; return what that cost."""
        before = spent()
        file = next(file for file in self._file_stats if file.absolute_path == path)
        self._file_queue.clear()
        self._add_files_to_queue([file], mode="front")
        self._start_new_processes()
        while self._processors:
            self._service_processor_sockets(timeout=0.2)
            self._collect_results()
        after = spent()
        return after[0] - before[0], after[1] - before[1]


def main() -> None:
    """Run the loops, print what they cost."""
    loops, changed = int(sys.argv[2]), [Path(path) for path in sys.argv[3:]]
    db.initdb()
    get_listener_manager()  # as `airflow dag-processor` does before its first loop: plugins are imported
    manager = Watched(max_runs=-1)
    manager.marks, manager.loops = [], loops
    manager.run()
    again = []
    for path in changed:
        monitor = Path(os.environ["CHANGED_MONITOR"])
        monitor.write_text(monitor.read_text().replace("criticality: high", "criticality: low "))
        again.append(manager.parse_again(path))
    stats = manager._file_stats.values()
    costs = [(b[0] - a[0], b[1] - a[1]) for a, b in zip(manager.marks, manager.marks[1:], strict=False)]
    found = {"loops": costs, "dags": sum(s.num_dags for s in stats), "errors": sum(s.import_errors for s in stats)}
    print(json.dumps(found | {"again": again}))


if __name__ == "__main__":
    main()
