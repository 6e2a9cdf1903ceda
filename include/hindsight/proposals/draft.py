"""Draft: a proposal as the text of a monitor file, every line with its reason beside it."""

from __future__ import annotations

import io
import re
import textwrap
import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from hindsight.proposals.proposal import Proposal, Where

COLUMN, WIDTH = 44, 116
INLINE = {"reference", "quality", "pii"}  # blocks of a line each
SPACED = ("model", "window", "source", "labels", "features", "pii", "reference", "segments", "rules", "quality")

BY_INIT = (
    "yaml-language-server: $schema=schema.json",
    "",
    "Proposed by `hindsight init` from {seen}.",
    "Every line is a guess with its reason beside it. Read them, correct what is wrong (CHECK: look there first),",
    "try `hindsight lint` and `hindsight run`, then set the state to active.",
)


def draft(proposal: Proposal, header: Sequence[str] = BY_INIT) -> str:
    """Return the text of the file: what was guessed and why, and as remarks what only a person can say.

    `header` says who proposed it and what is next; {seen} in it is what was looked at.
    """
    root = CommentedMap()
    blocks: dict[Where, CommentedMap] = {(): root}
    for line in proposal.lines:
        parent = _block(blocks, line.where[:-1])
        parent[line.where[-1]] = _value(line.value)
        if line.why:
            holder, key = (root, line.where[0]) if line.where[0] in INLINE else (parent, line.where[-1])
            holder.yaml_add_eol_comment(_comment(line.why), key, column=COLUMN)
    for where, block in blocks.items():
        if where and where[0] in INLINE:
            block.fa.set_flow_style()
    _remarks(root, blocks, proposal)
    text = io.StringIO()
    yaml = YAML()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(root, text)
    return _header(proposal, header) + text.getvalue()


def _block(blocks: dict[Where, CommentedMap], where: Where) -> CommentedMap:
    if where not in blocks:
        blocks[where] = CommentedMap()
        _block(blocks, where[:-1])[where[-1]] = blocks[where]
    return blocks[where]


def _remarks(root: CommentedMap, blocks: dict[Where, CommentedMap], proposal: Proposal) -> None:
    """Set each remark before its key, and a blank line before each block."""
    before: dict[str, list[str]] = {key: [""] for key in root if key in SPACED}
    for where, texts in proposal.remarks.items():
        inside = where in blocks and len(where) > 1
        lines = [part for text in texts for part in textwrap.wrap(_comment(text), WIDTH - 2 * len(where))]
        if inside:
            block = blocks[where]
            block.yaml_set_comment_before_after_key(next(iter(block)), before="\n".join(lines), indent=2 * len(where))
        else:
            before.setdefault(where[0], []).extend(lines)
    for key, lines in before.items():
        root.yaml_set_comment_before_after_key(key, before="\n".join(lines) or "\n")


def _header(proposal: Proposal, header: Sequence[str]) -> str:
    lines = [line.format(seen=seen(proposal)) for line in header]
    return "".join(f"# {line}".rstrip() + "\n" for line in lines) + "\n"


def seen(proposal: Proposal) -> str:
    """Say of which table a proposal was made, and of how much of it."""
    table = proposal.table
    span = f"{table.first:%Y-%m-%d} to {table.last:%Y-%m-%d}, " if table.first and table.last else ""
    return f"{table.name}: {table.rows:,} rows, {span}of which {table.looked_at:,} were looked at"


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return DoubleQuotedScalarString(value) if _needs_quotes(value) else _dated(value)
    if isinstance(value, dict):
        made: Any = CommentedMap((key, _value(each)) for key, each in value.items())
    elif isinstance(value, list):
        made = CommentedSeq(_value(each) for each in value)
    else:
        return value
    made.fa.set_flow_style()
    return made


def _needs_quotes(text: str) -> bool:
    """Whether a reader could take the text for something else than text; names, durations and dates are plain."""
    return re.fullmatch(r"[A-Za-z_][\w.-]*|\d+[mhd]|\d{4}-\d\d-\d\d(T[\d:]+Z)?", text) is None


def _dated(text: str) -> Any:
    """YAML has dates, and quotes a text that looks like one."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text


def _comment(text: str) -> str:
    """On one line, and nothing that could end a comment or hide in it."""
    plain = "".join(" " if char.isspace() else char for char in text)
    return " ".join("".join(c for c in plain if not unicodedata.category(c).startswith("C")).split())
