"""Overrides: what a person says in the words of a monitor file, laid over a proposal; what is said stands."""

from __future__ import annotations

from collections.abc import Mapping

from hindsight.proposals.proposal import Line, Proposal, Where

SAID = "you said so"
ALWAYS_MERGED = "source"


def lay_over(made: Proposal, said: Mapping[str, object], where: Where = ()) -> None:
    """Lay `said` over the lines of a proposal, in place.

    A mapping is merged key by key where the proposal has lines for its keys; what it has on one line, as `reference`,
    is replaced as a whole, and so is a list. None takes out what is proposed.
    """
    for key, value in said.items():
        at = (*where, key)
        if isinstance(value, dict) and value and _is_merged(made, at):
            lay_over(made, value, at)
        else:
            _put(made, at, value)


def _is_merged(made: Proposal, where: Where) -> bool:
    below = [line.where for line in made.lines if line.where[: len(where)] == where]
    return where[0] == ALWAYS_MERGED or bool(below and where not in below)


def _put(made: Proposal, where: Where, value: object) -> None:
    """Put a line in the place of those at it, below it and above it; None in the place of none."""
    gone = [i for i, line in enumerate(made.lines) if _overlap(line.where, where)]
    place = gone[0] if gone else len(made.lines)
    kept = [line for i, line in enumerate(made.lines) if i not in gone]
    made.lines[:] = kept[:place] + ([] if value is None else [Line(where, value, SAID)]) + kept[place:]


def _overlap(one: Where, other: Where) -> bool:
    shared = min(len(one), len(other))
    return one[:shared] == other[:shared]
