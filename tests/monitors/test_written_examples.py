"""Every piece of a monitor file in the README and the docs says what a file may say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from hindsight.monitors.loader import load_file
from tests.builders import monitor_file

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^ *```yaml\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def blocks() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for number, text in enumerate(BLOCK.findall(page.read_text())):
            yield f"{page.name}-{number}", text


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in blocks()])
def test_every_piece_of_yaml_is_one_of_a_monitor_file(text: str, tmp_path: Path) -> None:
    piece = YAML(typ="safe").load(text)
    whole = piece if "model" in piece else monitor_file() | piece
    (path := tmp_path / "credit.yml").write_text("")
    YAML().dump(whole, path)
    assert load_file(path).name
