"""Routes: who is told follows from what an incident is; what no route takes goes to alerts.email."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.monitors.document import field_name
from hindsight.monitors.file_checks import problems
from hindsight.monitors.routes import Route, receivers
from hindsight.vocabulary.severity import Severity
from tests.builders import a_monitor

EVERYONE = ("a@example.com", "b@example.com")


def a_route(**rest: Any) -> Route:
    return Route.model_validate({"to": ["pager"]} | rest)


@pytest.mark.parametrize(
    ("route", "taken"),
    [
        ({}, True),
        ({"severity": "P0"}, True),
        ({"severity": ["P0", "P1"]}, True),
        ({"severity": "P1"}, False),
        ({"kind": "symptom", "rule": "accuracy_drop"}, True),
        ({"kind": "cause"}, False),
        ({"rule": "volume"}, False),
        ({"segment": "region=EU"}, True),
        ({"segment": "region=US"}, False),
    ],
)
def test_a_route_takes_what_is_all_it_names(route: dict[str, Any], taken: bool) -> None:
    assert a_route(**route).takes(Severity.P0, "symptom", "accuracy_drop", "region=EU") is taken


def test_all_routes_add_up_and_what_none_takes_goes_to_the_people() -> None:
    routes = [a_route(severity="P0"), a_route(kind="symptom", to=["email", "email:oncall@example.com", "pager"])]
    assert receivers(routes, EVERYONE, Severity.P0, "symptom") == ("pager", *EVERYONE, "oncall@example.com")
    assert receivers(routes, EVERYONE, Severity.P0, "cause") == ("pager",)
    assert receivers(routes, EVERYONE, Severity.P2, "cause") == EVERYONE
    assert receivers((), EVERYONE, Severity.P1) == EVERYONE


@given(st.lists(st.sampled_from(["pager", "email", "email:a@example.com", "slack"]), min_size=1), st.integers(0, 4))
def test_everyone_is_told_once_and_nobody_is_lost(to: list[str], others: int) -> None:
    found = receivers([a_route(to=to), *[a_route()] * others], EVERYONE, Severity.P0)
    assert len(found) == len(set(found))
    assert found
    assert {"pager", "slack"} & set(to) <= set(found)


@pytest.mark.parametrize(
    ("route", "said"),
    [
        ({"rule": "volum"}, "alerts.routes[0].rule: unknown rule 'volum' - did you mean 'volume'?"),
        ({"segment": "shop=1"}, "alerts.routes[0].segment: expected column=value"),
        ({"to": ["email:nobody"]}, "alerts.routes[0].to[0]: expected 'email', an address"),
        ({"to": ["my slack"]}, "alerts.routes[0].to[0]: expected 'email', an address"),
    ],
)
def test_a_route_to_nobody_or_about_nothing_is_told(route: dict[str, Any], said: str) -> None:
    alerts = {"email": ["a@example.com"], "routes": [{"to": ["pager"]} | route]}
    ((where, text),) = problems(a_monitor(alerts=alerts))
    assert f"{field_name(where)}: {text}".startswith(said)


def test_a_route_to_people_where_there_are_none_is_told() -> None:
    ((where, text),) = problems(a_monitor(alerts={"routes": [{"to": ["email"]}]}))
    assert field_name(where) == "alerts.routes[0].to[0]"
    assert "alerts.email names nobody" in text
