"""Monitor files are read by libyaml where that says the same as the reader in Python, and by that one elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.errors import ConfigError
from hindsight.monitors import document
from hindsight.monitors.document import read_document

EXAMPLE = (Path(__file__).parents[2] / "include" / "monitors" / "example.yml").read_text().splitlines(keepends=True)
PIECES = ["- ", " ", "\n", ": ", " #", "'", '"', "{a: ", "}", "[", "]", ", ", "|\n", ">\n ", "&a ", "*a", "!!str "]
PIECES += ["\t", "yes", "0123", "1_000", "0o7", "1e3", "5.5e3", "-.5", "~", "null", "---\n", "...\n", "? ", "\\"]
PIECES += ["2026-09-01", ".inf", "=", "%YAML 1.1\n", "\ufeff", "\x85", "\u2028", "|#", "1e-3", "<<: ", "é"]
edits = st.lists(st.tuples(st.integers(0, 400), st.sampled_from(PIECES)), max_size=4)


def read(path: Path) -> object:
    try:
        found = read_document(path)
    except ConfigError as exc:
        return str(exc)
    return repr((found.data, found.places, [str(problem) for problem in found.problems]))


@given(st.integers(0, len(EXAMPLE) - 1), st.integers(1, 14), edits)
def test_both_readers_make_the_same_of_a_text(
    tmp_path_factory: pytest.TempPathFactory, first: int, many: int, changes: list[tuple[int, str]]
) -> None:
    text = "".join(EXAMPLE[first : first + many])
    for place, piece in changes:
        text = text[: place % (len(text) + 1)] + piece + text[place % (len(text) + 1) :]
    path = tmp_path_factory.getbasetemp() / "read.yml"
    path.write_text(text)
    quick = read(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(document.yaml, "__with_libyaml__", False)
        assert quick == read(path)


@pytest.mark.parametrize(
    "text",
    ["a: b\tc\n", "a: !!str 12\n", "a: &x 1\nb: *x\n", "a: [&x 1]\n", "%YAML 1.1\n---\na: 1\n", "a: |# x\n  b\n"],
)
def test_what_libyaml_reads_otherwise_is_left_to_python(text: str) -> None:
    assert document._READ_OTHERWISE.search(text)


def test_the_example_is_read_by_libyaml(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(document, "_composed_in_python", lambda path, text: pytest.fail("was read in Python"))
    (tmp_path / "example.yml").write_text("".join(EXAMPLE))
    assert read_document(tmp_path / "example.yml").data["name"] == "example"
