"""The register of models: every version is known, and there are never two champions."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hindsight.errors import LedgerError, TrainingError
from hindsight.training.registry import ModelVersion, Registry, Stage, put_back
from tests.builders import DAY, at

SEPTEMBER = at("2026-09-01")


@pytest.fixture
def registry(database_url: sa.URL) -> Registry:
    registry = Registry(sa.create_engine(database_url, poolclass=sa.NullPool))
    registry.create()
    registry.create()
    return registry


def a_version(name: str = "v1", created: datetime = SEPTEMBER, **changes: Any) -> ModelVersion:
    fields: dict[str, Any] = {
        "monitor": "credit",
        "version": name,
        "trained_from": created - 30 * DAY,
        "trained_to": created - 8 * DAY,
        "n_rows": 5000,
        "metrics": {"accuracy": 0.87},
        "artifact": f"/models/{name}.skops",
        "sha256": "a" * 64,
        "created_at": created,
        "incidents": ("i-1", "i-2"),
        "request_key": f"key-{name}",
    }
    return ModelVersion(**fields | changes)


def rolled_back(registry: Registry, at: datetime) -> ModelVersion:
    with registry._engine.begin() as connection:
        return put_back(connection, "credit", at=at)


def champions(registry: Registry) -> list[str]:
    return [v.version for v in registry.versions("credit") if v.stage is Stage.CHAMPION]


def test_a_version_comes_back_as_it_was_registered(registry: Registry) -> None:
    version = a_version()
    assert registry.register(version) == version
    assert registry.version("credit", "v1") == version
    assert registry.champion("credit") is None


def test_registering_again_keeps_the_first(registry: Registry) -> None:
    first = registry.register(a_version())
    assert registry.register(a_version(n_rows=1, sha256="b" * 64)) == first
    assert registry.versions("credit") == [first]


def test_metrics_json_cannot_hold_are_refused(registry: Registry) -> None:
    with pytest.raises(TrainingError, match="metrics cannot be kept"):
        registry.register(a_version(metrics={"accuracy": float("nan")}))


def test_promotion_archives_the_champion_before(registry: Registry) -> None:
    registry.register(a_version("v1"))
    registry.register(a_version("v2", at("2026-09-10")))
    registry.register(a_version("v1", monitor="eta"))
    registry.promote("eta", "v1", at=at("2026-09-02"))
    registry.promote("credit", "v1", at=at("2026-09-02"))
    promoted = registry.promote("credit", "v2", at=at("2026-09-11"))
    assert registry.champion("credit") == promoted
    assert promoted.promoted_at == at("2026-09-11")
    assert registry.version("credit", "v1").stage is Stage.ARCHIVED
    champion = registry.champion("eta")
    assert champion is not None
    assert champion.version == "v1"


def test_promoting_the_champion_changes_nothing(registry: Registry) -> None:
    registry.register(a_version())
    first = registry.promote("credit", "v1", at=at("2026-09-02"))
    assert registry.promote("credit", "v1", at=at("2026-09-05")) == first


def test_an_unknown_version_is_not_promoted(registry: Registry) -> None:
    registry.register(a_version())
    registry.promote("credit", "v1", at=at("2026-09-02"))
    with pytest.raises(TrainingError, match="no version 'v9'"):
        registry.promote("credit", "v9", at=at("2026-09-03"))
    assert champions(registry) == ["v1"]


def test_rollback_goes_to_the_last_good_version_and_then_further(registry: Registry) -> None:
    for day, name in enumerate(["v1", "v2", "v3"], start=1):
        registry.register(a_version(name, at(f"2026-09-0{day}")))
        registry.promote("credit", name, at=at(f"2026-09-1{day}"))
    assert rolled_back(registry, at=at("2026-09-20")).version == "v2"
    assert registry.version("credit", "v3").rolled_back_at == at("2026-09-20")
    assert rolled_back(registry, at=at("2026-09-21")).version == "v1"
    assert champions(registry) == ["v1"]
    with pytest.raises(TrainingError, match="no earlier champion"):
        rolled_back(registry, at=at("2026-09-22"))
    assert champions(registry) == ["v1"]


def test_racing_promotions_leave_exactly_one_champion(registry: Registry) -> None:
    names = [f"v{i}" for i in range(6)]
    for name in ("v0", *names[1:]):
        registry.register(a_version(name))
    registry.promote("credit", "v0", at=at("2026-09-02"))
    start, failures = threading.Barrier(5), []

    def race(name: str) -> None:
        start.wait()
        try:
            registry.promote("credit", name, at=at("2026-09-03"))
        except (LedgerError, TrainingError) as exc:
            failures.append(exc)

    threads = [threading.Thread(target=race, args=(name,)) for name in names[1:]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(champions(registry)) == 1
    assert champions(registry) != ["v0"]


def test_a_second_champion_is_impossible_in_the_database_itself(registry: Registry, database_url: sa.URL) -> None:
    registry.register(a_version("v1"))
    registry.register(a_version("v2"))
    registry.promote("credit", "v1", at=at("2026-09-02"))
    table = sa.table("model_versions", sa.column("version"), sa.column("stage"))
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    with engine.connect() as connection, pytest.raises(sa.exc.IntegrityError):
        connection.execute(sa.update(table).where(table.c.version == "v2").values(stage="champion"))


def test_a_registry_that_cannot_be_reached_says_so(tmp_path: Path) -> None:
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(tmp_path / "no" / "ledger.db")))
    with pytest.raises(LedgerError, match="model_versions"):
        Registry(engine).champion("credit")
