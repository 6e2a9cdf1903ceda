"""Drifted columns come in the order of what they weigh: in mail, in the terminal and on the page."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from rich.console import Console

from hindsight import pipeline, terminal
from hindsight.messages.incident_mail import Told, compose
from hindsight.monitors.model import Monitor
from hindsight.pipeline.judge.ranking import importance_of, moved
from hindsight.pipeline.show.pages import monitor_view
from hindsight.reports.pages import monitor_page
from hindsight.verdicts.model import Incident, Series, State
from hindsight.vocabulary.measurement import Kind, Measurement
from tests.builders import a_measurement, a_monitor, a_window, at
from tests.pipeline.world import a_day, a_world

DAY = "2026-09-01"


def weighing(**importance: float | None) -> Monitor:
    return a_monitor(features={name: {"type": "numeric", "importance": i} for name, i in importance.items()})


def drifted(**psi: float) -> list[Measurement]:
    rows = [a_measurement("psi", value, feature=name) for name, value in psi.items()]
    return rows + [a_measurement("drifted", 1.0, feature=name) for name in psi]


def test_importance_times_effect_decides_the_order() -> None:
    monitor = weighing(a=0.1, b=0.6, c=0.3, d=None)
    found = moved(monitor, drifted(a=2.0, b=0.2, c=0.5, d=9.0))
    assert [(one.name, round(one.weight, 3)) for one in found] == [("a", 0.2), ("c", 0.15), ("b", 0.12), ("d", 0.0)]
    assert [one.name for one in moved(weighing(a=None, b=None), drifted(a=0.2, b=0.3))] == ["b", "a"]
    assert (importance_of(monitor, "score"), importance_of(weighing(a=None), "score")) == (0.6, 1.0)


def test_only_what_drifted_in_all_rows_is_ranked() -> None:
    quiet = [a_measurement("psi", 5.0, feature="b"), a_measurement("drifted", 0.0, feature="b")]
    part = [a_measurement("drifted", 1.0, feature="c", segment="region=EU")]
    assert [one.name for one in moved(weighing(a=1, b=1, c=1), [*drifted(a=0.2), *quiet, *part])] == ["a"]


def test_people_see_the_weightiest_drifted_column_first(sqlite_url: sa.URL, tmp_path: Path) -> None:
    features: dict[str, Any] = {
        "amount": {"type": "numeric", "importance": 0.01},
        "region": {"type": "categorical", "importance": 0.9},
    }
    with a_world(sqlite_url, tmp_path, features=features, drift={"share": 1}) as world:
        for day in (DAY, "2026-09-02"):
            predictions, labels = a_day(day, region=lambda i: ("EU", "EU", "EU", "US", "APAC")[i % 5])
            shifted = [row | {"amount": row["amount"] + 30} for row in predictions]
            world.insert("inference_log", shifted).insert("ground_truth", labels).run(day)
        world.night("2026-09-03")
        world.deliver(at("2026-09-03T01:00"))
        bodies = [mail.get_body(("plain",)).get_content() for mail in world.inbox.accepted]
        (text,) = [body for body in bodies if "region drifted" in body]
        assert text.index("region drifted") < text.index("amount drifted")
        assert "region drifted: psi 0." in text

        state = pipeline.state_of(world.monitor, world.resources)
        order = list(dict.fromkeys(n.about for n in state.numbers if n.metric == "drift.psi"))
        assert order[:2] == ["region", "amount"]
        page = monitor_page(monitor_view("credit", world.resources, now=at("2026-09-03")))
        assert page.index("Drifted columns") < page.index("importance 0.9") < page.index("importance 0.01")


def test_a_mail_about_many_drifted_columns_names_the_weightiest() -> None:
    monitor = a_monitor(drift={"share": 0.3})
    rule = next(rule for rule in monitor.rules if rule.id == "drift_share")
    series = Series("drift_share")
    incident = Incident(
        id="i", monitor="credit", series=series, severity=rule.severity, state=State.OPEN, started=at(DAY), ended=None,
        breaches=(at(DAY),), value=1.0, threshold=0.3,
    )  # fmt: skip
    columns = tuple((f"f{i}", 1.0 - i / 10) for i in range(8))
    text = compose(monitor, [Told(incident, rule, columns=columns)]).text
    assert "f0 (PSI 1), f1 (PSI 0.9), f2 (PSI 0.8), f3 (PSI 0.7), f4 (PSI 0.6) and 3 more" in text


def test_ten_drifted_columns_are_spelt_out_and_the_rest_counted(sqlite_url: sa.URL, tmp_path: Path) -> None:
    names = [f"f{i:02d}" for i in range(22)]
    features = {name: {"type": "numeric", "importance": i + 1} for i, name in enumerate(names)}
    with a_world(sqlite_url, tmp_path, [], features=features) as world:
        numbers = drifted(**dict.fromkeys(names, 0.5))
        said = "the reference is 400 days older than the window, reference.max_age is 365"
        numbers += [a_measurement("reference_age_days", 400.0, note=said), a_measurement("drift_share", 1.0)]
        world.resources.store.write("credit", Kind.DRIFT, a_window(DAY), at("2026-09-02"), numbers)
        traffic = [a_measurement("total_requests", 100.0)]
        world.resources.store.write("credit", Kind.OPERATIONS, a_window(DAY), at("2026-09-02"), traffic)
        state = pipeline.state_of(world.monitor, world.resources)
        console = Console(width=120, record=True, file=StringIO())
        console.print(terminal.monitor(state, [], everything=False))
        shown = console.export_text()
        assert [name for name in names if name in shown] == names[12:]
        assert shown.index("f21") < shown.index("f12")
        assert "and 12 more drifted columns" in shown
        assert said in shown
        page = monitor_page(monitor_view("credit", world.resources, now=at("2026-09-03")))
        assert "and 12 more" in page
        assert said in page
