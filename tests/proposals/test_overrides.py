"""Overrides: what a person says stands, key by key, and nothing else of a proposal moves."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.proposals.overrides import lay_over
from hindsight.proposals.proposal import Proposal
from hindsight.vocabulary.facts import TableFacts

PROPOSED: tuple[tuple[str, Any], ...] = (
    ("name", "credit"),
    ("source.predictions.id", "loan_id"),
    ("source.predictions.score", "probability"),
    ("features.amount", "numeric"),
    ("features.age", "numeric"),
    ("pii.drop", ["email"]),
    ("reference", {"start": "2026-01-01", "end": "2026-02-01"}),
)


def overridden(said: dict[str, Any]) -> dict[str, Any]:
    """The lines of the proposal with this laid over it, by their key."""
    made = Proposal("credit", TableFacts(name="loans", columns={}), {})
    for key, value in PROPOSED:
        made.add(key, value, "a guess")
    lay_over(made, said)
    return {".".join(line.where): line.value for line in made.lines}


@pytest.mark.parametrize(
    ("said", "changed"),
    [
        ({"owner": "risk"}, {"owner": "risk"}),
        ({"features": {"age": "categorical"}}, {"features.age": "categorical"}),
        ({"features": {"age": None}}, {"features.age": None}),
        ({"features": None}, {"features.age": None, "features.amount": None}),
        (
            {"features": {"age": {"type": "numeric", "critical": True}}},
            {"features.age": {"type": "numeric", "critical": True}},
        ),
        ({"reference": {"trailing": "28d"}}, {"reference": {"trailing": "28d"}}),
        ({"pii": {}}, {"pii.drop": None, "pii": {}}),
        (
            {"source": {"predictions": {"score": {"a": "p_a", "b": "p_b"}}}},
            {
                "source.predictions.score": None,
                "source.predictions.score.a": "p_a",
                "source.predictions.score.b": "p_b",
            },
        ),
        ({"alerts": {"email": ["a@example.com"]}}, {"alerts": {"email": ["a@example.com"]}}),
        ({}, {}),
    ],
)
def test_what_is_said_stands_and_the_rest_stays(said: dict[str, Any], changed: dict[str, Any]) -> None:
    expected = {key: value for key, value in (dict(PROPOSED) | changed).items() if value is not None}

    assert overridden(said) == expected


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: st.dictionaries(st.sampled_from(["source", "predictions", "id", "features", "age"]), inner),
    ).filter(lambda said: isinstance(said, dict))
)
def test_no_line_lies_below_another_whatever_is_said(said: dict[str, Any]) -> None:
    keys = list(overridden(said))

    assert not [(one, other) for one in keys for other in keys if other.startswith(f"{one}.")]
