"""A small world on real servers: a seeded warehouse, a monitor file on disk, a ledger, and an inbox that keeps mail."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from ruamel.yaml import YAML

from hindsight import pipeline
from hindsight.ledger import tables
from hindsight.ledger.connect import open_engine
from hindsight.ledger.ledger import Ledger
from hindsight.messages.smtp_mailer import Security, SmtpMailer, SmtpSettings
from hindsight.monitors.loader import load_monitor
from hindsight.monitors.model import Monitor
from hindsight.pipeline import Judgement, Resources
from hindsight.settings import Settings
from hindsight.training.registry import Registry
from hindsight.verdicts.model import Incident, State, Verdict
from hindsight.vocabulary.measurement import Kind, Measurement
from hindsight.vocabulary.windows import Window
from tests.builders import DAY, HOUR, a_window, at, monitor_file
from tests.ledgers import a_ledger
from tests.messages.smtp_server import Script, running
from tests.warehouse.tables import LOG, TRUTH, fill, writing

REFERENCE = ("2026-08-25", "2026-08-26", "2026-08-27")
MATURE = 3 * DAY  # after the end of a window
SOON = timedelta(minutes=20)  # between what a run or a night knows and when it is judged
Row = dict[str, Any]


def a_day(day: str, *, n: int = 300, right: float = 0.9, seed: int = 0, **values: Any) -> tuple[list[Row], list[Row]]:
    """The predictions of a day and their labels, which arrive 0 to 47 hours later; `right` of them are right.

    `values` replace columns of the log; a callable makes them from the row's number.
    """
    rng = np.random.default_rng([seed, at(day).toordinal()])
    amounts = rng.normal(100, 20, n).round(2)
    wrong = set(rng.permutation(n)[round(n * right) :].tolist())
    predictions, labels = [], []
    for i, amount in enumerate(amounts.tolist()):
        made = at(day) + i * DAY / n
        said = int(amount > 100)
        row: Row = {
            "request_id": f"{day}-{i}",
            "predicted_at": made,
            "model_version": "v1",
            "prediction": said,
            "score": float(1 / (1 + np.exp((100 - amount) / 10))),
            "latency_ms": 20.0 + i % 40,
            "status_code": 200,
            "cost_usd": 0.5,
            "amount": amount,
            "region": ("EU", "US", "APAC")[i % 3],
        }
        predictions.append(row | {c: v(i) if callable(v) else v for c, v in values.items()})
        label = 1 - said if i in wrong else said
        labels.append({"request_id": row["request_id"], "label": label, "labeled_at": made + (i % 48) * HOUR})
    return predictions, labels


def file_of_the_world(**changes: Any) -> dict[str, Any]:
    """The monitor file of a world: three days of reference, labels mature after three; None takes a key away."""
    file = monitor_file(
        reference={"start": REFERENCE[0], "end": "2026-08-28"},
        labels={"matures_after": "3d", "overlap": "1d"},
        segments=[],
        drift={"share": 0.6},  # of two features, one alone is no landslide
    )
    return {key: value for key, value in (file | changes).items() if value is not None}


@dataclass
class World:
    """A warehouse and everything a monitor needs; the clock is whatever a call says it is."""

    url: sa.URL
    folder: Path
    resources: Resources
    inbox: Script = field(default_factory=Script)

    @cached_property
    def monitor(self) -> Monitor:
        """The monitor as its file declares it."""
        return load_monitor("credit", self.resources.settings.monitors)

    def declare(self, **changes: Any) -> World:
        """Write the monitor file anew, with these top-level keys replaced."""
        path = self.resources.settings.monitors / "credit.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        YAML().dump(file_of_the_world(**changes), path)
        self.__dict__.pop("monitor", None)
        return self

    def log(self, day: str, **day_of: Any) -> World:
        """Log the predictions of a day and deliver their labels, as `a_day` makes them."""
        predictions, labels = a_day(day, **day_of)
        return self.insert("inference_log", predictions).insert("ground_truth", labels)

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> World:
        """Add rows to a table."""
        with writing(self.url) as connection:
            columns = LOG if table == "inference_log" else TRUTH
            if rows:
                connection.execute(_table(table, columns).insert(), [{c: row[c] for c in columns} for row in rows])
        return self

    def correct(self, day: str, arrived: datetime, *, right: float, share: float = 1.0) -> World:
        """Deliver other labels for a day at one moment: `right` of the predictions now turn out right."""
        predictions, labels = a_day(day, right=right)
        late = [row | {"labeled_at": arrived} for row in labels[: round(len(predictions) * share)]]
        return self.insert("ground_truth", late)

    def delete(self, table: str) -> World:
        """Empty a table."""
        with writing(self.url) as connection:
            connection.execute(sa.delete(_table(table, {})))
        return self

    def run(self, day: str, *, judged: datetime | None = None, dry_run: bool = False) -> Judgement:
        """Run and judge the window of a day, at once unless said otherwise."""
        window = a_window(day)
        pipeline.run_window(self.monitor, window, self.resources)
        judged = judged or window.end + SOON
        return pipeline.judge_window(self.monitor, window, self.resources, judged_at=judged, dry_run=dry_run)

    def night(self, day: str, *, judged: datetime | None = None, dry_run: bool = False) -> Judgement:
        """The night that ends as `day` begins: measure and judge what its labels touched."""
        as_of = at(day)
        windows = pipeline.find_windows(self.monitor, as_of, self.resources)
        pipeline.revise_windows(self.monitor, windows, as_of, self.resources)
        judged = judged or as_of + SOON
        return pipeline.judge_night(self.monitor, as_of, windows, self.resources, judged_at=judged, dry_run=dry_run)

    def found(self, day: str) -> list[str]:
        """The days whose windows the night `day` would measure again."""
        return [f"{w.start:%Y-%m-%d}" for w in pipeline.find_windows(self.monitor, at(day), self.resources)]

    def deliver(self, now: datetime) -> list[str]:
        """Send what is due and return the subjects of all mail that has arrived so far."""
        pipeline.deliver(self.resources, now=now)
        return [str(mail["Subject"]).strip() for mail in self.inbox.accepted]

    def measured(self, kind: Kind, day: str) -> list[Measurement]:
        """What the store holds about the window of a day."""
        return self.resources.store.measurements("credit", kind, a_window(day))

    def verdicts(self, day: str) -> list[Verdict]:
        """The newest verdicts of the window of a day."""
        with self.resources.ledger.locked("credit") as tx:
            return tx.of_windows([at(day)])

    def incidents(self, rule: str | None = None) -> list[Incident]:
        """All incidents on record, or those of one rule."""
        return [i for i in self.resources.ledger.incidents("credit") if rule in (None, i.series.rule)]

    def states(self, rule: str) -> list[State]:
        """The states of a rule's incidents, oldest first."""
        return [incident.state for incident in self.incidents(rule)]

    def files(self) -> dict[str, bytes]:
        """Every file below the data folder."""
        data = Path(self.resources.settings.data)
        return {str(path): path.read_bytes() for path in sorted(data.rglob("*.parquet"))}

    def ledger(self, *without: str) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table of the ledger, to compare two states of it; columns named in `without` left out."""
        with self.resources.ledger.reading() as connection:
            return {
                table.name: sorted(map(repr, connection.execute(_select(table, without))))
                for table in tables.metadata.sorted_tables
            }


@contextmanager
def a_world(url: sa.URL, folder: Path, days: Iterable[str] = REFERENCE, **changes: Any) -> Iterator[World]:
    """Make a world whose warehouse holds these days and whose monitor file has these changes."""
    ledger = a_ledger(url if url.get_backend_name() == "postgresql" else sqlite(folder, "ledger.db"))
    fill(url)
    world = _world(url, folder, ledger).declare(**changes)
    for day in days:
        world.log(day)
    with _reached_by_mail(world):
        yield world
    ledger.engine.dispose()


@contextmanager
def a_copy(of: Path, folder: Path) -> Iterator[World]:
    """Make a world that is as the one on SQLite in folder `of` was when it ended: all it lived through is there."""
    shutil.copytree(of, folder, dirs_exist_ok=True)
    ledger = Ledger(open_engine(sqlite(folder, "ledger.db")))
    with _reached_by_mail(_world(sqlite(folder, "test.db"), folder, ledger)) as world:
        yield world
    ledger.engine.dispose()


def sqlite(folder: Path, name: str = "test.db") -> sa.URL:
    """The URL of a database in a folder."""
    return sa.URL.create("sqlite", database=str(folder / name))


def _world(url: sa.URL, folder: Path, ledger: Ledger) -> World:
    settings = Settings(folder, str(folder / "data"), folder / "monitors", folder / "great_expectations")
    return World(url, folder, Resources(settings, lambda _: url, ledger, Registry(ledger.engine)))


@contextmanager
def _reached_by_mail(world: World) -> Iterator[World]:
    with running(world.inbox) as port:
        mailer = SmtpMailer(SmtpSettings("127.0.0.1", port, "hindsight@example.com", Security.CLEAR))
        world.resources = replace(world.resources, mailer=mailer)
        yield world


def days(first: str, count: int) -> list[str]:
    """`count` days from `first` on."""
    return [f"{at(first) + k * DAY:%Y-%m-%d}" for k in range(count)]


def windows(first: str, count: int) -> list[Window]:
    """Their windows."""
    return [a_window(day) for day in days(first, count)]


def _table(name: str, columns: Mapping[str, Any]) -> sa.Table:
    return sa.Table(name, sa.MetaData(), *(sa.Column(column, kind) for column, kind in columns.items()))


def _select(table: sa.Table, without: Sequence[str]) -> sa.Select[Any]:
    return sa.select(*(column for column in table.c if column.name not in without))
