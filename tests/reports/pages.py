"""Pages taken apart as a browser would, and a text that must stay text in them."""

from __future__ import annotations

from html.parser import HTMLParser

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'{{7*7}}{% raw %}\u202egnp.exe"


class Page(HTMLParser):
    """A page as a browser would take it apart."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += ((name, value or "") for name, value in attrs)

    def handle_data(self, data: str) -> None:
        self.text += "" if self.tags[-1:] == ["style"] else data
