"""Chosen: the monitors a command is about, one by its name or file, or all there are."""

from __future__ import annotations

from hindsight.commands.console import err
from hindsight.monitors.loader import load_folder, load_monitor, require_folder
from hindsight.monitors.model import Monitor
from hindsight.settings import Settings


def chosen(name: str | None, settings: Settings) -> list[Monitor]:
    """Return one monitor, or all whose files are fine and say what is wrong with the others; raise ConfigError."""
    if name:
        return [load_monitor(name, settings.monitors)]
    loaded = load_folder(require_folder(settings.monitors))
    for problem in loaded.problems:
        err.print(str(problem), style="red", markup=False)
    return list(loaded.monitors.values())
