"""Chosen: the monitors a command is about, one by its name or file, or all there are; and where their history is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from hindsight.commands.console import err
from hindsight.monitors.loader import load_folder, load_monitor, names_in, require_folder
from hindsight.monitors.model import Monitor
from hindsight.settings import Settings, read_settings

if TYPE_CHECKING:
    from hindsight.pipeline import Resources


def complete(incomplete: str) -> list[str]:
    """Return the names of monitors that begin so, for a shell that completes them."""
    return [name for name in names_in(read_settings().monitors) if name.startswith(incomplete)]


Name = Annotated[
    str, typer.Argument(metavar="MONITOR", help="name of a monitor, or the path of its file", autocompletion=complete)
]
MaybeName = Annotated[
    str | None,
    typer.Argument(metavar="[MONITOR]", help="name or file of one monitor; all without", autocompletion=complete),
]


def chosen(name: str | None, settings: Settings) -> list[Monitor]:
    """Return one monitor, or all whose files are fine and say what is wrong with the others; raise ConfigError."""
    if name:
        return [load_monitor(name, settings.monitors)]
    loaded = load_folder(require_folder(settings.monitors))
    for problem in loaded.problems:
        err.print(str(problem), style="red", markup=False)
    return list(loaded.monitors.values())


def warn_of_moving(monitors: Iterable[Monitor], resources: Resources) -> None:
    """Say of each monitor whose history still lies under an earlier name that what is shown lacks it, until when."""
    from hindsight.pipeline.measure.renaming import awaited

    for monitor in monitors:
        if before := awaited(monitor, resources):
            err.print(
                f"warning: {monitor.name}: its history still lies under {' and '.join(before)} and is not shown here; "
                "it moves with the next run or night, and where Airflow runs within two minutes",
                style="yellow",
                markup=False,
            )
