"""The dags command: a DAG file for each monitor, so that one that changed is parsed alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from hindsight.commands.console import counted, out, print_json
from hindsight.settings import Settings, monitors_around, read_settings


def dags(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="the folder of DAGs; Airflow's without")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="write the files; without it they are only listed")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> int:
    """Give each monitor a DAG file in FOLDER/hindsight_dags, and remove the files of monitors that are gone.

    Without --write it lists what would change, and exits with 1 where something would.
    """
    from hindsight.airflow.dag_files import carry_out, plan

    dags_folder = (folder or _dags_folder(read_settings())).absolute()
    found = plan(dags_folder, monitors_around(dags_folder / "hindsight_dags"))
    if write:
        carry_out(found)
    written, removed = sorted(path.name for path in found.write), [path.name for path in found.remove]
    if as_json:
        print_json(
            {"folder": str(found.folder), "written": written, "removed": removed, "unchanged": found.unchanged}
            | {"done": write}
        )
    else:
        for sign, names in (("+", written), ("-", removed)):
            for name in names:
                out.print(f"{sign} {name}", markup=False)
        if removed:
            out.print("queued runs of DAGs that are gone hang until: airflow dags delete DAG (docs/changing.md)")
        said = "written" if write else "to write"
        out.print(
            f"{found.folder}: {counted(len(written), 'file')} {said}, {len(removed)} "
            f"{'removed' if write else 'to remove'}, {found.unchanged} unchanged",
            markup=False,
        )
    return 0 if write or not (written or removed) else 1


def _dags_folder(settings: Settings) -> Path:
    """Return Airflow's folder of DAGs; Airflow is asked where its home is known: it makes one otherwise."""
    if "AIRFLOW_HOME" in os.environ or "AIRFLOW__CORE__DAGS_FOLDER" in os.environ:
        from hindsight.airflow.dag_files import airflows_folder

        return airflows_folder()
    return settings.root / "dags"
