"""The documentation is whole: every page is in the index, each kind of error has a cure, links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hindsight import errors

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.HindsightError)]
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
SAID = re.compile(r"^\| (`[^|]+) \|", re.MULTILINE)


@pytest.mark.parametrize("page", [page.name for page in PAGES if page.name != "README.md"])
def test_every_page_is_in_the_index(page: str) -> None:
    assert f"]({page})" in (DOCS / "README.md").read_text()


@pytest.mark.parametrize("kind", [kind.__name__ for kind in KINDS if not kind.__name__.startswith("_")])
def test_every_kind_of_error_has_a_cure(kind: str) -> None:
    assert kind == "HindsightError" or f"| `{kind}` |" in (DOCS / "troubleshooting.md").read_text()


def test_every_message_that_has_a_cure_is_one_of_the_products() -> None:
    said = [piece for cell in SAID.findall((DOCS / "troubleshooting.md").read_text()) for piece in _quoted(cell)]
    code = "".join(path.read_text() for path in (ROOT / "include" / "hindsight").rglob("*.py"))
    unknown = [piece for piece in said if piece not in code and piece.removeprefix("not evaluated: ") not in code]
    assert len(said) > 20
    assert not unknown


def _quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.name)
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert not missing
