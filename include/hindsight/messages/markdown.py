"""Markdown of a plain text for chats that read it as such: the same words, lines, indents, and links that work."""

from __future__ import annotations

import re

_LINK = re.compile(r"(https?://[^\s<>]*[^\s<>.,;:!?)\]])")
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~&=])")
_INDENT = re.compile(r"^ +")
_NO_BREAK = "\u00a0"  # a plain space at the start of a line is dropped, four of them begin a block of code


def as_markdown(text: str) -> str:
    """Return CommonMark (0.31) that shows `text` as it stands, its addresses as links and nothing else as markup.

    Backslashes escape; inside of an address they would stay or cut the link, so it goes between angle brackets.
    """
    return "  \n".join(_INDENT.sub(_kept, _escaped(line)) for line in text.split("\n"))


def _kept(spaces: re.Match[str]) -> str:
    return _NO_BREAK * len(spaces.group())


def _escaped(line: str) -> str:
    parts = _LINK.split(line)  # text and addresses in turn
    return "".join(f"<{part}>" if at % 2 else _MARKUP.sub(r"\\\1", part) for at, part in enumerate(parts))
