"""Keys: each key of a monitor file is explained, with an example that reads; docs and schema say the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, create_model

from hindsight.monitors import calendar, model, retention, routes, rules, silences, slos
from hindsight.monitors.document import read_document
from hindsight.monitors.key_reference import SECTIONS, text
from hindsight.monitors.keys import keys
from hindsight.monitors.schema import schema
from hindsight.monitors.strict import Strict

ROOT = Path(__file__).parents[2]
ROOMS = (model, calendar, retention, routes, rules, silences, slos)
WRITTEN_AS_TEXT = {"AlertBudget", "Budget", "Severity"}  # in a file they are one value


def of_section(name: str) -> type[BaseModel]:
    found: type[BaseModel] = next(getattr(room, name) for room in ROOMS if hasattr(room, name))
    return found


def by_key(name: str) -> dict[str, Any]:
    return {field.alias or key: field for key, field in of_section(name).model_fields.items()}


def test_every_key_of_every_section_is_explained_and_none_besides() -> None:
    assert set(schema()["$defs"]) - WRITTEN_AS_TEXT == SECTIONS.keys() - {"Monitor"}
    assert {name: list(some) for name, some in keys().items()} == {name: list(by_key(name)) for name in SECTIONS}


@pytest.mark.parametrize("section", SECTIONS)
def test_examples_are_read_as_they_are_written(section: str, tmp_path: Path) -> None:
    shown = {key: example for key, (_, example) in keys()[section].items() if example}
    path = tmp_path / "examples.yml"
    path.write_text("".join(f"{key}: {example}\n" for key, example in shown.items()))
    kept = {field.alias or name: name for name, field in of_section(section).model_fields.items()}
    for key, value in read_document(path).data.items():
        field = by_key(section)[key]
        create_model("One", __base__=Strict, **{kept[key]: (field.annotation, field)}).model_validate({key: value})


def test_the_page_is_what_the_model_says() -> None:
    assert (ROOT / "docs/monitor-file.md").read_text() == text(schema())


def test_editors_show_what_a_key_means() -> None:
    assert schema()["properties"]["lateness"]["description"].startswith("how long after its end")
