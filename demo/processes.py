"""Processes: children in groups of their own that never outlive the demo, nor a demo that was killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

PATIENCE_S = 15
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class DemoError(Exception):
    """The demo cannot go on; the message says what to look at."""


@dataclass(frozen=True, slots=True)
class Step:
    """One process to run to its end."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]


@dataclass(slots=True)
class Children:
    """The processes the demo has started; each one's output goes to `logs/<name>.log`."""

    logs: Path
    pids: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start a process in a group of its own and write down that it is ours."""
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(
                command, env=dict(env), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.running[name] = child
        self._write_down()
        return child

    def run(self, chains: Iterable[Sequence[Step]], said: Callable[[str], None] = lambda text: None) -> None:
        """Run chains of steps side by side, each chain in its order; DemoError with its log when a step fails.

        `said` is told what each step has printed last: how far it is.
        """
        waiting = [list(chain) for chain in chains]
        while waiting:
            for chain in waiting:
                self._advance(chain)
            waiting = [chain for chain in waiting if chain]
            said(" · ".join(filter(None, (self.last(chain[0].name) for chain in waiting))))
            time.sleep(0.1)

    def _advance(self, chain: list[Step]) -> None:
        step = chain[0]
        child = self.running.get(step.name)
        if child is None:
            self.start(step.name, step.command, step.env)
        elif child.poll() is not None:
            self.forget(step.name)
            del chain[0]
            if child.returncode != 0:
                raise DemoError(f"{step.name} failed with exit code {child.returncode}:\n{self.tail(step.name)}")

    def forget(self, name: str) -> None:
        """Strike a process that has ended off the list."""
        del self.running[name]
        self._write_down()

    def tail(self, name: str, lines: int = 25) -> str:
        """Return the last lines a process has printed."""
        path = self.logs / f"{name}.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) + f"\n(all of it: {path})"

    def last(self, name: str) -> str:
        """Return the last line a running process has printed, "" before the first."""
        path = self.logs / f"{name}.log"
        lines = path.read_text(errors="replace").splitlines() if name in self.running else []
        return lines[-1] if lines else ""

    def check(self) -> None:
        """Raise DemoError when one of the running processes has died."""
        for name, child in self.running.items():
            if child.poll() is not None:
                raise DemoError(f"{name} stopped with exit code {child.returncode}:\n{self.tail(name)}")

    def stop(self) -> None:
        """Ask every group to end, and end those that do not; the last started goes first."""
        children = list(reversed(self.running.values()))
        _end([child.pid for child in children])
        for child in children:
            with suppress(subprocess.TimeoutExpired):
                child.wait(1)
        self.running.clear()
        self.pids.unlink(missing_ok=True)

    def _write_down(self) -> None:
        known = [{"pid": child.pid, "born": _born(child.pid)} for child in self.running.values()]
        self.pids.write_text(json.dumps(known))


def clean_up(pids: Path) -> int:
    """End what a demo that was killed has left running; return how many groups that was.

    A process counts only when its birth is the one written down: pids are used again.
    """
    if not pids.exists():
        return 0
    left = [item["pid"] for item in json.loads(pids.read_text()) if item["born"] and _born(item["pid"]) == item["born"]]
    _end(left)
    pids.unlink()
    return len(left)


@contextmanager
def ending_on_signals() -> Iterator[None]:
    """Turn the first signal to end into KeyboardInterrupt, so that every way out stops what was started.

    Further ones are ignored: they would break off the stopping.
    """

    def interrupt(number: int, frame: object) -> None:
        for each in SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _born(pid: int) -> float | None:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None


def _end(leaders: Sequence[int]) -> None:
    """SIGTERM to every group, then SIGKILL to those with members left after a while.

    What a process has started in other groups, as the scheduler does its tasks, is ended with it.
    """
    groups = _groups(leaders)
    _signal(groups, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and _living(groups):
        time.sleep(0.1)
    _signal(_living(groups), signal.SIGKILL)


def _groups(leaders: Sequence[int]) -> set[int]:
    found = set()
    for leader in leaders:
        with suppress(psutil.NoSuchProcess):
            for process in (psutil.Process(leader), *psutil.Process(leader).children(recursive=True)):
                with suppress(ProcessLookupError):
                    found.add(os.getpgid(process.pid))
    return found - {os.getpgrp()}


def _signal(groups: Iterable[int], number: signal.Signals) -> None:
    for group in groups:
        with suppress(ProcessLookupError):
            os.killpg(group, number)


def _living(groups: set[int]) -> set[int]:
    """The groups with members left; the dead that nobody has waited for do not count."""
    found = set()
    for process in psutil.process_iter(["status"]):
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            if process.info["status"] != psutil.STATUS_ZOMBIE:
                found.add(os.getpgid(process.pid))
    return groups & found
