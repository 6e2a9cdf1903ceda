"""Keys: what every key of a monitor file means, with an example; keys.yml says it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML


@cache
def keys() -> Mapping[str, Mapping[str, tuple[str, str]]]:
    """Return by section and key what it means and an example as one writes it, "" where its own section explains it."""
    with Path(__file__).with_name("keys.yml").open(encoding="utf-8") as file:
        read = YAML(typ="base").load(file)  # every value as it is written
    return {
        section: {key: (said[0], said[1] if said[1:] else "") for key, said in some.items()}
        for section, some in read.items()
    }


def described(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of a monitor file with what each key means, as editors show it."""
    for section, some in keys().items():
        for key, (means, _) in some.items():
            section_of(schema, section)["properties"][key]["description"] = means
    return schema


def section_of(schema: Mapping[str, Any], name: str) -> Any:
    """Return the part of the schema that describes the model of this name."""
    return schema if name == "Monitor" else schema["$defs"][name]
