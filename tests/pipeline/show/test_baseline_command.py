"""hindsight init and hindsight baseline as one types them: what they print, write and freeze, and how they exit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight import cli
from hindsight.commands import console
from hindsight.errors import ConfigError
from hindsight.pipeline.measure.baselines import baseline_for
from hindsight.pipeline.show import baseline_contents
from hindsight.pipeline.show.baseline_contents import Frozen
from tests.builders import DAY, HOUR, at
from tests.pipeline.commands import reached_by_commands
from tests.pipeline.world import REFERENCE, World, a_day, a_world, days
from tests.warehouse.tables import TRUTH, writing

LATER = at("2026-09-20")
Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def world(database_url: sa.URL, tmp_path: Path) -> Iterator[World]:
    with a_world(database_url, tmp_path, segments=["region"]) as made:
        yield made


@pytest.fixture
def typed(sqlite_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world on SQLite that the environment leads to."""
    with a_world(sqlite_url, tmp_path) as made:
        reached_by_commands(made, monkeypatch)
        yield made


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    monkeypatch.setattr(console.out, "width", 160)

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            cli.main(arguments)
        printed = capsys.readouterr()
        return int(left.value.code or 0), printed.out, printed.err

    return run


def held(state: Frozen, name: str) -> Any:
    return next(column for column in state.columns if column.name == name)


# What is frozen


def test_before_the_first_run_there_is_no_baseline(world: World) -> None:
    state = baseline_contents.frozen(world.monitor, world.resources, as_of=LATER)
    assert (state.id, state.kept, state.columns) == ("", (), ())


def test_what_a_baseline_holds_is_told_column_by_column(world: World) -> None:
    baseline_for(world.monitor, world.monitor.grid.window_at(LATER), world.resources, as_of=LATER)
    state = baseline_contents.frozen(world.monitor, world.resources, as_of=LATER)
    assert (state.rows, state.labels, state.effective_from) == (900, "mature", None)
    assert state.fitted_as_of == at("2026-08-28") + 3 * DAY
    assert state.age is not None
    assert 23 * DAY < state.age < 24 * DAY
    assert state.performance is not None
    assert state.performance["accuracy"] == pytest.approx(0.9)
    assert state.calibration == "learnt from 900 labels"
    assert set(state.segments) == {"region=EU", "region=US", "region=APAC"}

    amount, region = held(state, "amount"), held(state, "region")
    assert amount.mean == pytest.approx(100, abs=3)
    assert amount.std == pytest.approx(20, abs=2)
    assert (amount.role, amount.null_share, amount.bins > 90) == ("feature", 0.0, True)
    assert dict(region.top) == pytest.approx({"EU": 1 / 3, "US": 1 / 3, "APAC": 1 / 3})
    assert [column.name for column in state.columns] == ["amount", "region", "prediction", "score"]
    assert json.loads(json.dumps(state.to_dict(), default=str, allow_nan=False))["rows"] == 900


def test_odd_columns_are_said_to_be_odd(database_url: sa.URL, tmp_path: Path) -> None:
    features = {"amount": "numeric", "region": "categorical", "cost_usd": "numeric", "latency_ms": "numeric"}
    with a_world(database_url, tmp_path, (), features=features, drift={"threshold": "auto"}) as world:
        world.log("2026-08-25", amount=None, region="EU", cost_usd=0.5, latency_ms=lambda i: 7.0 if i % 2 else i * 1.0)
        state = baseline_contents.refit(world.monitor, world.resources, as_of=LATER).after
    assert (held(state, "amount").note, held(state, "amount").null_share) == ("null in every row", 1.0)
    assert (held(state, "region").note, held(state, "cost_usd").note) == ("constant", "constant")
    assert held(state, "cost_usd").point_masses == (0.5,)
    assert held(state, "latency_ms").point_masses == (7.0,)
    assert held(state, "latency_ms").threshold > 0


# Freezing anew


def test_a_refit_is_for_windows_from_then_on(world: World) -> None:
    first = baseline_contents.refit(world.monitor, world.resources, as_of=at("2026-09-05"))
    assert (first.before.id, first.after.effective_from, first.changes) == ("", None, [])
    world.insert("inference_log", a_day("2026-08-26", seed=3, n=200, amount=130.0, request_id=lambda i: f"more{i}")[0])

    result = baseline_contents.refit(world.monitor, world.resources, as_of=LATER)
    assert result.before.id == first.after.id != result.after.id
    assert result.after.effective_from == LATER
    assert len(result.after.kept) == 2
    assert result.changes == [
        "900 → 1,100 rows",
        "changed: amount, region, prediction, score",
    ]

    def compared_with(day: str) -> str:
        window = world.monitor.grid.window_at(at(day))
        baseline = baseline_for(world.monitor, window, world.resources, as_of=LATER + 9 * DAY)
        return baseline.id if baseline else ""

    assert compared_with("2026-09-19") == first.after.id
    assert compared_with("2026-09-20") == compared_with("2026-09-25") == result.after.id


def test_a_refit_of_the_same_rows_changes_nothing(world: World) -> None:
    first = baseline_contents.refit(world.monitor, world.resources, as_of=at("2026-09-05")).after
    again = baseline_contents.refit(world.monitor, world.resources, as_of=LATER)
    assert (again.after.id, again.changes, len(again.after.kept)) == (first.id, [], 1)


def test_a_file_of_the_same_rows_is_not_frozen_twice(world: World, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows, _ = a_day("2026-08-25")
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "reference.parquet")
    world.declare(reference={"parquet": str(tmp_path / "reference.parquet")}, segments=[])
    first = baseline_contents.refit(world.monitor, world.resources, as_of=at("2026-09-05")).after
    assert baseline_contents.refit(world.monitor, world.resources, as_of=LATER).after.id == first.id


def test_a_changed_reference_has_no_baseline_yet_but_the_old_one_is_kept(world: World) -> None:
    baseline_contents.refit(world.monitor, world.resources, as_of=LATER)
    world.declare(reference={"start": "2026-08-26", "end": "2026-08-28"})
    state = baseline_contents.frozen(world.monitor, world.resources, as_of=LATER)
    assert (state.id, [kept.is_declared for kept in state.kept]) == ("", [False])
    after = baseline_contents.refit(world.monitor, world.resources, as_of=LATER).after
    assert (after.rows, sorted(kept.is_declared for kept in after.kept)) == (600, [False, True])


def test_a_reference_without_rows_is_not_frozen(world: World) -> None:
    world.declare(reference={"start": "2025-01-01", "end": "2025-02-01"})
    assert baseline_contents.refit(world.monitor, world.resources, as_of=LATER).after.id == ""


def test_a_trailing_reference_cannot_be_frozen_by_hand(world: World) -> None:
    world.declare(reference={"trailing": "2d"})
    with pytest.raises(ConfigError, match="fitted anew for every window"):
        baseline_contents.refit(world.monitor, world.resources, as_of=LATER)


def test_two_refits_at_one_moment_do_not_hide_each_other(world: World) -> None:
    baseline_contents.refit(world.monitor, world.resources, as_of=at("2026-09-05"))
    ids = set()
    for n in (100, 150, 200, 250):
        world.insert("inference_log", a_day("2026-08-26", seed=n, n=n, request_id=lambda i, n=n: f"x{n}-{i}")[0])
        try:
            ids.add(baseline_contents.refit(world.monitor, world.resources, as_of=LATER).after.id)
        except ConfigError as exc:
            assert "choose a later --as-of" in str(exc)  # noqa: PT017
    assert baseline_contents.frozen(world.monitor, world.resources, as_of=LATER).id in ids


# On the command line


def test_the_baseline_command_says_what_to_do_and_then_what_there_is(typed: World, say: Say) -> None:
    code, said, _ = say("baseline", "credit")
    assert (code, "no baseline yet" in said, "--refit" in said) == (0, True, True)
    code, said, _ = say("baseline", "credit", "--refit", "--as-of", "2026-09-05")
    assert (code, "credit: frozen 20260831T000000Z-" in said) == (0, True)
    code, said, _ = say("baseline", "credit", "--as-of", "2026-09-20")
    assert "its newest row 23 days before 2026-09-20" in said
    assert "accuracy 0.9" in said
    assert all(name in said for name in ("amount", "region", "EU 33%", "calibration: learnt from 900 labels"))
    assert "nothing changed" in say("baseline", "credit", "--refit")[1]
    typed.insert("inference_log", a_day("2026-08-26", seed=5, n=50, request_id=lambda i: f"late{i}")[0])
    code, said, _ = say("baseline", "credit", "--refit", "--as-of", "2026-09-10")
    assert "in force for windows from 2026-09-10 on; 900 → 950 rows" in said
    assert "2 baselines are kept" in said


def test_the_baseline_command_answers_in_json(typed: World, say: Say) -> None:
    assert json.loads(say("baseline", "credit", "--json")[1])["id"] == ""
    made = json.loads(say("baseline", "credit", "--refit", "--json")[1])
    assert (made["before"], made["after"], made["rows"]) == ("", made["id"], 900)
    assert json.loads(say("baseline", "credit", "--json")[1])["columns"][0]["name"] == "amount"


def test_a_monitor_without_reference_has_no_baseline(typed: World, say: Say) -> None:
    typed.declare(reference=None)
    code, said, err = say("baseline", "credit")
    assert (code, said) == (1, "")
    assert "declares no reference" in err


def test_init_writes_files_that_run(typed: World, say: Say, tmp_path: Path) -> None:
    for day in days("2026-08-28", 6):
        typed.log(day)
    code, said, _ = say("init", "--table", "inference_log", "--name", "loans")
    assert code == 0
    assert all(words in said for words in ("predicted_at", "ground_truth", "hindsight lint", "hindsight run loans"))
    assert (tmp_path / "monitors/loans.yml").is_file()
    assert (tmp_path / "great_expectations/expectations/loans.json").is_file()
    commands = [line.strip() for line in said.splitlines() if line.strip().startswith("hindsight ")]
    assert [say(*command.split()[1:])[0] for command in commands] == [0, 0, 0]
    assert say("incidents", "loans")[1] == "no incidents\n"


def test_init_answers_in_json_and_goes_where_it_is_told(typed: World, say: Say, tmp_path: Path) -> None:
    code, said, _ = say(
        "init", "--table", "inference_log", "--out", str(tmp_path / "drafts"), "--score", "none", "--json"
    )
    answer = json.loads(said)
    assert (code, answer["monitor"]) == (0, str(tmp_path / "drafts/inference_log.yml"))
    assert {"source.predictions.id", "model.task"} <= {guess["key"] for guess in answer["guesses"]}
    assert "source.predictions.score" not in {guess["key"] for guess in answer["guesses"]}
    assert str(tmp_path / "drafts/inference_log.yml") in answer["next"][1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--table", "inference_logs"), "did you mean 'inference_log'?"),
        (("--table", "inference_log", "--id", "request"), "did you mean 'request_id'?"),
        (("--table", "inference_log", "--window", "1w"), "--window: expected a duration such as"),
        (("--table", "inference_log", "--name", "Bad Name"), "--name: expected lower-case letters"),
        (("--table", "inference_log", "--name", "credit"), "already there"),
        (("--table", "inference_log", "--connection", "lake"), "no connection 'lake'"),
        (("--connection", "warehouse"), "Missing option '--table'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_mistake_with_init_is_one_clear_line(typed: World, say: Say, arguments: tuple[str, ...], words: str) -> None:
    code, said, err = say("init", *arguments)
    assert (code, said) == (1, "")
    *usage, mistake = err.splitlines()
    assert words in mistake
    assert not usage or usage[0].startswith("Usage: hindsight init")
    assert not (Path(typed.resources.settings.monitors) / "inference_log.yml").exists()


def test_labels_that_come_twice_do_not_stretch_the_delay(typed: World, say: Say) -> None:
    columns = [sa.Column(name, kind) for name, kind in TRUTH.items()]
    _, labels = a_day(REFERENCE[0])
    corrected = [row | {"labeled_at": row["labeled_at"] + 900 * HOUR} for row in labels]
    with writing(typed.url) as connection:
        connection.execute(sa.Table("ground_truth", sa.MetaData(), *columns).insert(), corrected)
    answer = json.loads(say("init", "--table", "inference_log", "--json")[1])
    matures = next(guess for guess in answer["guesses"] if guess["key"] == "labels.matures_after")
    assert matures["value"] == "2d"
