"""Drafts: from what a form says to a file, and everything that stands in its way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight.checks.suites.suites import load_suite
from hindsight.errors import ConfigError, DataError, StoreError
from hindsight.monitors.loader import load_monitor
from hindsight.pipeline.drafts import Asked, Draft, propose_draft, write_draft
from hindsight.settings import Settings
from hindsight.warehouse.connect import open_engine
from tests.proposals.loans import LABELS, LOANS, a_place, loans, make, repaid

Propose = Callable[..., Draft]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation in which people may make drafts."""
    found = replace(a_place(tmp_path), drafts=tmp_path / "drafts")
    monkeypatch.setenv("HINDSIGHT_MONITORS", str(found.monitors))
    monkeypatch.setenv("HINDSIGHT_DRAFTS", str(found.drafts))
    found.monitors.mkdir()
    return found


@pytest.fixture
def propose(sqlite_url: sa.URL, place: Settings) -> Propose:
    """Fill in the form for a warehouse of loans."""
    rows = loans(600)
    make(sqlite_url, "loans", LOANS, rows)
    make(sqlite_url, "repaid", LABELS, repaid(rows))

    def proposed(overrides: str = "", **form: str) -> Draft:
        asked = Asked(**{"connection": "warehouse", "table": "loans", "overrides": overrides} | form)
        return propose_draft(asked, lambda id: open_engine(sqlite_url), place)

    return proposed


def written(made: Draft, place: Settings) -> Path:
    return write_draft(made, place, asked_by="ann", approved_by="bea")


def test_a_table_becomes_a_monitor_that_loads_with_its_suite(propose: Propose, place: Settings) -> None:
    path = written(propose(), place)
    monitor = load_monitor("loans", place.monitors)

    assert place.drafts is not None
    assert path == place.drafts / "loans.yml"
    assert path.read_text().startswith("# Asked for by ann, approved by bea.\n# Proposed in Airflow")
    assert (monitor.state, monitor.source.predictions.timestamp) == ("active", "scored_at")
    assert monitor.source.labels is not None
    assert monitor.quality is not None
    assert load_suite(place.great_expectations, monitor.quality.suite).expectations
    assert not place.great_expectations.exists()


def test_every_guess_is_shown_with_its_reason_and_no_option_of_the_command_line(propose: Propose) -> None:
    made = propose()

    assert "# unique in 600 rows" in made.summary
    assert made.file in made.summary
    assert "--" not in made.summary.replace("yaml-language-server", "")
    assert "timezone in overrides" in made.summary


def test_what_the_person_says_stands_and_is_guessed_by(propose: Propose, place: Settings) -> None:
    said = """
        owner: risk-ml
        window: 1d
        source: {predictions: {timestamp: updated_at, latency_ms: null}}
        features: {age: null, product_code: numeric}
        alerts: {email: [risk@example.com]}
    """
    written(propose(said, labels_table="none"), place)
    monitor = load_monitor("loans", place.monitors)

    assert (monitor.owner, monitor.window.days, monitor.source.labels) == ("risk-ml", 1, None)
    assert monitor.source.predictions.timestamp == "updated_at"
    assert monitor.source.predictions.latency_ms is None
    assert "age" not in monitor.features
    assert monitor.features["product_code"].type == "numeric"


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ("owner: x\nretrain: {train: 'os:system'}", r"^overrides:2 retrain: .*no draft may say that"),
        ("metrics: {profit: 'a.b:c'}", r"^overrides:1 metrics: .*no draft may say that"),
        ("trusted: [os.PathLike]", r"^overrides:1 trusted: .*no draft may say that"),
        ("rules:\n- id: drift\n  then: ['dag:x']", r"^overrides:3 rules\[0\]\.then\[0\]: .*no draft may say that"),
        ("extends: ../../monitors/base.yml", r"^overrides:1 extends: .*no draft may say that"),
        ("calendar: {holidays: /etc/passwd}", r"^overrides:1 calendar.holidays: .*no draft may say that"),
        ("owner: x\nownr: y", r"^overrides:2 ownr: unknown key 'ownr' - did you mean 'owner'\?$"),
        ("model: {task: binry}", r"^overrides:1 model.task: .*did you mean 'binary'"),
        ("window: 3x", r"^overrides:1 window: expected a duration"),
        ("features: {nope: numeric}", r"^overrides:1 features.nope: loans.nope: no such column"),
        ("source:\n  predictions: {id: null}", r"^id in overrides: loans has no column 'none'"),
        ("source: null", r"^overrides:1 source: is missing"),
        ("name: other", r"^overrides:1 name: say it in the field name of the form"),
        ("source: {connection: other}", r"^overrides:1 source.connection: say it in the field connection"),
        ("quality: {suite: nope}", r"^overrides:1 quality.suite: .*no such suite"),
        ("owner: x\nowner: y", r"^overrides:2 owner: key is already given in line 1"),
        ("a: [", r"^overrides:1: not valid YAML"),
        ("- a", r"^overrides:1: expected a mapping of keys"),
        ("a: !!python/object/apply:os.system [id]", r"^overrides:1 a: tag"),
        ("x: " + "[" * 5000, r"^overrides(:1)?: "),
    ],
)
def test_overrides_that_cannot_be_meant_are_refused_with_their_line(
    overrides: str, said: str, propose: Propose
) -> None:
    with pytest.raises(ConfigError, match=said):
        propose(overrides)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": "../../etc/cron"}, "name: expected lower-case letters"),
        ({"name": "a/b"}, "name: expected lower-case letters"),
        ({"name": "x\nretrain"}, "name: expected lower-case letters"),
        ({"table": "nope"}, "nope: no such table or view"),
        ({"table": 'loans"; drop table loans; --'}, "no such table or view"),
        ({"table": "loans\nretrain"}, "no such table or view"),
        ({"labels_table": "nope"}, "labels_table: .*nope"),
        ({"connection": "hindsight_ledger"}, "one of Hindsight's own"),
    ],
)
def test_a_form_that_cannot_be_meant_is_refused(form: dict[str, str], said: str, propose: Propose) -> None:
    with pytest.raises((ConfigError, DataError), match=said):
        propose(**{"name": "other"} | form)


def test_the_warehouse_is_not_asked_for_what_the_form_alone_refuses(place: Settings) -> None:
    def nowhere(id: str) -> Any:
        raise AssertionError("asked")

    with pytest.raises(ConfigError, match="retrain"):
        propose_draft(Asked(connection="w", table="t", overrides="retrain: {train: 'a:b'}"), nowhere, place)


def test_a_name_that_is_taken_is_refused_when_it_is_asked_for(propose: Propose, place: Settings) -> None:
    (place.monitors / "other.yml").write_text("name: loans\n")  # broken, and still the name of a monitor

    with pytest.raises(ConfigError, match="there is a monitor 'loans' already"):
        propose()


def test_a_suite_that_is_there_is_not_taken_over(propose: Propose, place: Settings) -> None:
    suite = place.great_expectations / "expectations" / "loans.json"
    suite.parent.mkdir(parents=True)
    suite.write_text("{}")

    with pytest.raises(ConfigError, match=r"loans.json is there already"):
        propose()


def test_of_two_drafts_of_one_name_the_second_is_refused_and_the_first_stays(propose: Propose, place: Settings) -> None:
    first, second = propose(), propose("owner: somebody")
    path = written(first, place)
    before = path.read_text()

    with pytest.raises(ConfigError, match="there is a monitor 'loans' already"):
        written(second, place)
    assert path.read_text() == before


def test_a_file_that_came_after_the_check_is_not_overwritten(
    propose: Propose, place: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = propose(), propose("owner: somebody")
    path = written(first, place)
    before = path.read_text()
    monkeypatch.setattr("hindsight.pipeline.drafts._require_free", lambda name, settings: None)

    with pytest.raises(ConfigError, match="is there already, and nothing is overwritten"):
        written(second, place)
    assert path.read_text() == before


def test_writing_once_more_does_nothing(propose: Propose, place: Settings) -> None:
    made = propose()

    assert written(made, place).stat().st_mtime_ns == written(made, place).stat().st_mtime_ns


def test_what_was_changed_on_the_way_is_held_to_the_same(propose: Propose, place: Settings) -> None:
    made = propose()

    with pytest.raises(ConfigError, match=r"loans.yml:\d+ retrain.*no draft may say that"):
        written(replace(made, file=f"{made.file}\nretrain: {{train: 'os:system'}}\n"), place)
    with pytest.raises(ConfigError, match="name: expected lower-case letters"):
        written(replace(made, name="../monitors/loans"), place)
    assert place.drafts is not None
    assert not place.drafts.exists()


def test_without_a_folder_that_can_be_written_to_it_says_so(propose: Propose, place: Settings) -> None:
    made = propose()
    (place.root / "file").touch()

    with pytest.raises(StoreError, match="could not write"):
        written(made, replace(place, drafts=place.root / "file" / "drafts"))
    for none in (None, Path("s3://bucket/drafts")):
        with pytest.raises(ConfigError, match="HINDSIGHT_DRAFTS: expected a folder"):
            written(made, replace(place, drafts=none))


def test_no_text_of_the_table_breaks_out_of_what_is_shown(sqlite_url: sa.URL, place: Settings) -> None:
    rows = [row | {"model_name": "x``````\n# <img onerror=1> {{ 1 }}"} for row in loans(300)]
    make(sqlite_url, "loans", LOANS | {"model_name": sa.String(60)}, rows)
    asked = Asked(connection="warehouse", table="loans")
    made = propose_draft(asked, lambda id: open_engine(sqlite_url), place)
    opening = next(line for line in made.summary.splitlines() if line.endswith("yaml"))

    assert opening.removesuffix("yaml") not in made.file
    assert load_monitor(written(made, place)).model.name == rows[0]["model_name"]
