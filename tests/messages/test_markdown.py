from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from hindsight.messages.markdown import as_markdown


class Shown(HTMLParser):
    """What a reader sees: the text, the tags it is made of, and where its links lead."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.tags, self.links = "", set[str](), list[str | None]()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


def shown(text: str) -> Shown:
    return Shown(MarkdownIt("commonmark").render(as_markdown(text)))


@pytest.mark.parametrize(
    "text",
    [
        "a_b_c *d* __e__ `f`",
        "[click](javascript:x) ![i](y) <img src=x> <!--",
        "# no heading",
        "- no list\n1. nor this\n2) nor that",
        "=== \n---\n> q",
        "&amp; &lt;",
        "    no code",
        "\\* already escaped",
    ],
)
def test_nothing_but_lines_and_links_is_markup(text: str) -> None:
    assert shown(text).tags <= {"p", "br"}
    assert shown(text).text.split() == text.split()


@pytest.mark.parametrize("end", ["", ".", ")", ",", " and more", "\n"])
def test_an_address_is_a_link_to_all_of_it_and_to_nothing_else(end: str) -> None:
    address = "http://air.example:8080/hindsight/credit_default_x?from=1&to=2~3*4%3A"
    assert shown(f"see {address}{end}").links == [address]


def test_lines_and_their_indents_stay() -> None:
    html = MarkdownIt("commonmark").render(as_markdown("Open\n  P0\n      since\n\nNext"))
    assert html == "<p>Open<br />\n  P0<br />\n      since</p>\n<p>Next</p>\n".replace("  ", "\u00a0\u00a0")


@given(st.text(st.sampled_from(r"ab1 _*`[](){}<>#+-.!|~&=\:;'\"/x%$^@") | st.characters(categories=["L", "N"])))
def test_whatever_a_column_is_called_is_shown_as_it_is(name: str) -> None:
    assert shown(f"{name} drifted").tags <= {"p", "br", "a"}
    assert "".join(shown(f"P0 {name} drifted").text.split()) == "".join(f"P0 {name} drifted".split())
