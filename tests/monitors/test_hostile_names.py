"""Names of tables and columns go into statements: what is none is refused where it is written, whatever it is for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from hindsight.errors import ConfigError
from hindsight.monitors.loader import load_monitor
from tests.builders import monitor_file

HOSTILE = 'a"; DROP TABLE inference_log; --'
File = dict[str, Any]


def places() -> Iterator[tuple[str, Callable[[File, str], None]]]:
    """Yield every place of a monitor file that names a table or a column, and what writes a name there."""
    for table in ("predictions", "labels"):
        for key in monitor_file()["source"][table]:
            yield f"{table}.{key}", lambda file, name, t=table, k=key: file["source"][t].update({k: name})
    yield "features", lambda file, name: file.update(features={name: "numeric"})
    yield "segments", lambda file, name: file.update(segments=[name])
    yield "pii", lambda file, name: file.update(pii={"drop": [name]})
    yield "kpis", lambda file, name: file.update(kpis={"spent": {"sum": name}})
    yield "where", lambda file, name: file.update(kpis={"spent": {"count": True, "where": {name: "x"}}})


@pytest.mark.parametrize("name", [HOSTILE, "x; SELECT 1", "a.b.c", "x\u0000y", "", "naïve", "a b", "x" * 200])
@pytest.mark.parametrize(("place", "put"), [pytest.param(place, put, id=place) for place, put in places()])
def test_a_name_that_is_none_is_refused_with_its_line(
    place: str, put: Callable[[File, str], None], name: str, tmp_path: Path
) -> None:
    file = monitor_file()
    put(file, name)
    path = tmp_path / "credit.yml"
    YAML().dump(file, path)
    with pytest.raises(ConfigError, match=r"credit\.yml:\d+ "):
        load_monitor("credit", tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"rules": [{"id": "slow", "metric": "operations.latency_p98_ms", "above": 1}]},
            "did you mean 'operations.l",
        ),
        ({"rules": [{"id": "volume", "then": ["pager"]}]}, "expected 'email' or 'dag:<dag id>', got 'pager'"),
        ({"alerts": {"routes": [{"severity": "P0", "to": ["pager duty"]}]}}, "or the name of a connection"),
        ({"alerts": {"routes": [{"segment": "regoin=EU", "to": ["email"]}]}}, "column=value of a column in segments"),
        ({"source": monitor_file()["source"] | {"connection": "ware house"}}, "the id of an Airflow connection"),
        ({"alerts": {"repeat": "400d"}, "retention": {"messages": "90d"}}, "longer than messages are kept"),
        ({"retention": {"snapshots": "-3d"}}, "expected how long, such as 90d"),
    ],
)
def test_what_the_file_points_to_in_vain_is_named(change: File, said: str, tmp_path: Path) -> None:
    YAML().dump(monitor_file(**change), tmp_path / "credit.yml")
    with pytest.raises(ConfigError, match=r"credit\.yml:\d+ ") as refused:
        load_monitor("credit", tmp_path)
    assert said in str(refused.value)
