"""Propose a monitor: look at a table, guess what its columns are, and write a monitor file and a suite to start from.

Nothing is written that `hindsight lint` would refuse, and nothing that is there is overwritten unless it is asked for.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from hindsight.checks.reference.scores import column_fault
from hindsight.checks.suites import drafts
from hindsight.checks.suites.suites import suite_file
from hindsight.errors import ConfigError, DataError
from hindsight.monitors.calendar import zone_of
from hindsight.monitors.file_checks import LONGEST_WINDOW
from hindsight.monitors.loader import load_file, load_folder
from hindsight.monitors.model import Task
from hindsight.proposals.clock import Clock, clock_of
from hindsight.proposals.draft import draft
from hindsight.proposals.proposal import Proposal, Wishes
from hindsight.proposals.propose import propose
from hindsight.proposals.roles import NONE, Guess, Roles, guess, guess_all, lacking
from hindsight.proposals.truth import is_named_so, label_columns, likely_tables, may_be_truth, named_table
from hindsight.proposals.values import SURE, may_be_score, separation
from hindsight.settings import Settings
from hindsight.vocabulary.facts import LabelFacts, TableFacts, snake
from hindsight.vocabulary.rows import Scalar
from hindsight.vocabulary.windows import MONDAY, format_moment, parse_duration
from hindsight.warehouse import survey
from hindsight.warehouse.schemas import places
from hindsight.warehouse.survey import Sample
from hindsight.warehouse.times import TIMESTAMP

MOST_IDS, MOST_VALUES = 2000, 60
FIRST_WINDOWS = 8
TRIED = 3  # tables that may hold labels


@dataclass(frozen=True, slots=True)
class Written:
    """What was proposed, and the two files it was written to."""

    proposal: Proposal
    monitor: Path
    suite: Path
    runnable: str

    @property
    def commands(self) -> list[str]:
        """What to type next: check the file, run the first windows, measure them when their labels are there."""
        monitor = load_file(self.monitor)
        start, last = monitor.start, self.proposal.table.last
        commands = [f"hindsight lint {self.monitor}"]
        if start is None or last is None:
            return commands
        end = max(
            min(start + FIRST_WINDOWS * monitor.window, monitor.grid.window_at(last).start), start + monitor.window
        )
        commands.append(f"hindsight run {self.runnable} --start {format_moment(start)} --end {format_moment(end)}")
        if monitor.source.labels is None:
            return [*commands, f"hindsight show {self.runnable}"]
        return [
            *commands,
            f"hindsight labels {self.runnable} --as-of {format_moment(end + monitor.labels.matures_after)}",
        ]

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON takes it."""
        guesses = [{"key": ".".join(line.where), "value": line.value, "why": line.why} for line in self.proposal.lines]
        remarks = [text for texts in self.proposal.remarks.values() for text in texts]
        return {"monitor": str(self.monitor), "suite": str(self.suite), "guesses": guesses, "remarks": remarks} | {
            "next": self.commands
        }


def wishes(task: Task | None, positive_label: str | None, window: str | None, timezone: str | None = None) -> Wishes:
    """Return what the user said as a monitor file takes it; raise ConfigError for a window or zone that is none."""
    label: Scalar | None = positive_label
    if positive_label is not None and re.fullmatch(r"-?(0|[1-9]\d{0,17})", positive_label):
        label = int(positive_label)
    elif positive_label in ("true", "false"):
        label = positive_label == "true"
    try:
        size = parse_duration(window) if window else None
    except ValueError as exc:
        raise ConfigError(f"--window: {exc}") from exc
    if size is not None and not timedelta(minutes=1) <= size <= LONGEST_WINDOW:
        raise ConfigError(f"--window: expected at least 1m and at most {LONGEST_WINDOW.days}d, got {window!r}")
    try:
        zone = zone_of(timezone) if timezone is not None else None
    except ValueError as exc:
        raise ConfigError(f"--timezone: {exc}") from exc
    return Wishes(task=task, positive_label=label, window=size, timezone=zone)


def name_of(table: str) -> str:
    """Return a monitor's name made of a table's."""
    name = re.sub(r"[^a-z0-9]+", "_", snake(table.rpartition(".")[2])).strip("_")
    return (name if name[:1].isalpha() else f"monitor_{name}".rstrip("_"))[:63]


def propose_monitor(
    engine: sa.Engine,
    connection: str,
    table: str,
    *,
    name: str,
    given: Mapping[str, str],
    labels_table: str | None = None,
    wishes: Wishes | None = None,
) -> Proposal:
    """Look at a table and guess the monitor of its model; `given` holds the columns the user names, by role.

    Raises ConfigError where a column that is needed is not to be found or a named one is not there, DataError for a
    table that is missing or empty, and DataError or WarehouseError as the warehouse answers.
    """
    if re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name) is None:
        raise ConfigError(f"--name: expected lower-case letters, digits and underscores, at most 63, got {name!r}")
    first = survey.look(engine, connection, table := _placed(engine, connection, table))
    if not first.facts.looked_at:
        raise DataError(f"{table} is empty: log some predictions first, or copy include/monitors/example.yml")
    timestamp = guess(first.facts, given, "timestamp")
    if timestamp is None:
        raise ConfigError(lacking(first.facts, "timestamp"))
    sample = survey.survey(engine, connection, table, timestamp.column)
    if sample.facts.first is None:
        raise DataError(f"{table}.{timestamp.column} is null in every row; name another column with --timestamp")
    of_labels = () if labels_table in (None, NONE) else ("label", "arrived_at")  # named, they are that table's
    own = {role: column for role, column in given.items() if role not in of_labels}
    roles = guess_all(sample.facts, {**own, "timestamp": timestamp.column})
    roles["timestamp"] = timestamp
    if "score" not in roles and "score" not in given and (score := _score_by_value(sample, roles)):
        roles["score"] = score
    labels = None if labels_table == NONE else _labels(engine, connection, sample, roles, given, labels_table)
    made = propose(
        name,
        connection,
        sample.facts,
        roles,
        labels,
        mean_scores=_mean_scores(sample, roles),
        wishes=wishes or Wishes(),
        clocks=lambda size: _clocks(sample, timestamp.column, size, (wishes and wishes.timezone) or "UTC"),
    )
    _doubt_scores(made, sample)
    return made


def write(proposal: Proposal, settings: Settings, *, folder: Path | None = None, force: bool = False) -> Written:
    """Write the proposed monitor file and its suite; raise ConfigError where one is there and `force` is not given."""
    folder = folder or settings.monitors
    monitor = folder / f"{proposal.name}.yml"
    expectations = suite_file(settings.great_expectations, proposal.name)
    _refuse_overwriting([monitor, expectations], proposal.name, folder, force=force)
    texts = {monitor: _linted(proposal), expectations: suite_of(proposal)}
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    is_at_home = folder.resolve() == settings.monitors.resolve()
    return Written(proposal, monitor, expectations, proposal.name if is_at_home else str(monitor))


def _refuse_overwriting(paths: Iterable[Path], name: str, folder: Path, *, force: bool) -> None:
    there = [str(path) for path in paths if path.exists()]
    if there and not force:
        raise ConfigError(
            f"{' and '.join(there)}: already there - choose another name (--name), or --force to overwrite"
        )
    other = load_folder(folder).files.get(name)
    if other is not None and other.name != f"{name}.yml":
        raise ConfigError(f"{other}: its monitor is called {name!r} already - choose another name (--name)")


def _linted(proposal: Proposal) -> str:
    """Return the text of the monitor file; raise ConfigError where it would not load."""
    text = draft(proposal)
    with tempfile.TemporaryDirectory(prefix="hindsight-") as folder:
        path = Path(folder) / f"{proposal.name}.yml"
        path.write_text(text, encoding="utf-8")
        load_file(path)
    return text


def suite_of(proposal: Proposal) -> str:
    """Return the text of the suite that goes with a proposed file."""
    named = {line.where[2]: line.value for line in proposal.lines if line.where[:2] == ("source", "predictions")}
    roles = {role: column for role, column in named.items() if role in proposal.roles}
    features = {name: kind for name, kind in proposal.features().items() if name in proposal.table.columns}
    return drafts.suite(proposal.name, proposal.table.columns, roles=roles, features=features)


def _placed(engine: sa.Engine, connection: str, table: str) -> str:
    """Return a table's name with the schema it lies in, where the default one has none of that name."""
    if "." in table or table in survey.tables(engine, connection):
        return table
    found = places(engine, connection, table)
    if len(found) > 1:
        raise ConfigError(f"--table {table}: {len(found)} schemas have one, say which: {', '.join(found)}")
    return found[0] if found else table


def _score_by_value(sample: Sample, roles: Roles) -> Guess | None:
    """Return the column of fractions from 0 to 1 that tells two predictions apart, as a score does."""
    predicted = sample.facts.columns[roles["prediction"].column]
    if predicted.distinct != 2 or not predicted.values:
        return None
    taken = {role.column for role in roles.values()}
    able = [c.name for c in sample.facts.columns.values() if c.name not in taken and may_be_score(c)]
    rows = sample.rows.select([predicted.name, *able]).filter(pc.is_valid(sample.rows.column(predicted.name)))
    one = pc.equal(rows.column(predicted.name), pa.scalar(predicted.values[0], rows.schema.field(0).type))
    is_one = one.to_numpy().astype(bool)
    told = [(separation(rows.column(name).cast(pa.float64()).to_numpy(), is_one), name) for name in able]
    area, name = max(told, default=(0.0, ""))
    why = f"CHECK: 0 to 1, and tells the two predictions apart in {100 * area:.3g} % of pairs"
    return Guess(name, why) if area >= SURE else None


def _mean_scores(sample: Sample, roles: Roles) -> dict[Scalar, float]:
    score, prediction = roles.get("score"), roles["prediction"].column
    known = sample.facts.columns
    if score is None or score.column == prediction or not known[score.column].is_number:
        return {}
    return survey.mean_by(sample, prediction, score.column) if known[prediction].distinct == 2 else {}


def _clocks(sample: Sample, timestamp: str, size: timedelta, zone: str) -> dict[str, Clock]:
    """Return the columns of the sampled rows that the time of a row fixes, for windows of a size, and how."""
    times = sample.rows.column(timestamp).cast(TIMESTAMP, safe=False)
    dated = sample.rows.filter(pc.is_valid(times))
    times = times.drop_null()
    anchor = pa.scalar(MONDAY, TIMESTAMP)
    windows = pc.microseconds_between(anchor, times).to_numpy() // (size // timedelta(microseconds=1))
    local = pc.local_timestamp(times.cast(pa.timestamp("us", tz=zone)))
    hours = local.cast(pa.int64()).to_numpy() // (timedelta(hours=1) // timedelta(microseconds=1))
    found = {name: clock_of(_codes(dated.column(name)), windows, hours) for name in dated.column_names}
    return {name: fixed for name, fixed in found.items() if fixed}


def _codes(column: pa.ChunkedArray) -> np.ndarray:
    """Number the distinct values of a column, null being one."""
    codes: np.ndarray = column.combine_chunks().dictionary_encode(null_encoding="encode").indices.to_numpy()
    return codes


def _doubt_scores(made: Proposal, sample: Sample) -> None:
    """Remark what is wrong with the proposed scores, by the sampled rows."""
    place = ("source", "predictions", "score")
    of_classes = {line.where[3]: line.value for line in made.lines if line.where[:3] == place and line.where[3:]}
    one = made.value(*place)
    if not (of_classes or one):
        return
    columns = {name: sample.rows.column(name).combine_chunks() for name in of_classes.values() or [one]}
    predictions = sample.rows.column(made.roles["prediction"].column).combine_chunks()
    declared = of_classes or made.value("model", "positive_label")
    if fault := column_fault(columns, predictions, declared):
        made.remark("source.predictions", f"CHECK: {fault}")


def _labels(
    engine: sa.Engine,
    connection: str,
    sample: Sample,
    roles: Roles,
    given: Mapping[str, str],
    labels_table: str | None,
) -> LabelFacts | None:
    """Find the table of labels, or the column of them in the predictions themselves, and learn how long they take.

    Of tables that may hold them the likeliest counts in which a prediction is found.
    """
    table, id = sample.facts, roles["id"].column
    schemas = {name.rpartition(".")[0] for name in (table.name, labels_table or table.name)}
    tables = {name: columns for one in schemas for name, columns in survey.tables(engine, connection, one).items()}
    likely = [] if "label" in given else likely_tables(tables, table.name, id)[:TRIED]
    if labels_table is not None:
        likely = [named_table(tables, labels_table, id, table.name)]
    found = []
    for name, shared in likely:
        truth = survey.look(engine, connection, name).facts
        columns = label_columns(truth, shared, {} if labels_table is None else given)
        if columns is not None and columns[0].column != shared and truth.looked_at:
            arrived, label = columns[1].column if columns[1] else None, columns[0].column
            is_sure = labels_table is not None or is_named_so(truth)
            if is_sure or may_be_truth(truth.columns[label], table.columns[roles["prediction"].column]):
                one = _measured(engine, connection, sample, roles, truth, shared, label, arrived)
                found += [one] if is_sure or one.found else []
    if labels_table is not None and not found:
        raise ConfigError(
            f"--labels-table: no column of {labels_table} looks like a label - name it with --label; it has "
            f"{', '.join(tables[labels_table])}"
        )
    if "label" in roles and labels_table is None:
        arrived = roles["arrived_at"].column if "arrived_at" in roles else None
        found.append(_measured(engine, connection, sample, roles, table, id, roles["label"].column, arrived))
    best = next((one for one in found if one.found), found[0] if found else None)
    return replace(best, is_named=labels_table is not None or "label" in given) if best else None


def _measured(
    engine: sa.Engine,
    connection: str,
    sample: Sample,
    roles: Roles,
    truth: TableFacts,
    id: str,
    label: str,
    arrived_at: str | None,
) -> LabelFacts:
    made = dict(sample.older(roles["id"].column, roles["timestamp"].column, MOST_IDS))
    came = survey.first_labels(
        engine, connection, truth.name, id=id, label=label, arrived_at=arrived_at, ids=list(made)
    )
    moments = {str(one): when for one, when in made.items()}
    delays = [when - moments[one] for one, when in came.items() if when is not None and one in moments]
    column = truth.columns[label]
    return LabelFacts(
        table=truth.name,
        id=id,
        label=label,
        arrived_at=arrived_at,
        kind=column.kind,
        values=column.values if column.distinct <= MOST_VALUES else (),
        delays=_quantiles(delays),
        asked=len(made),
        found=len(came),
    )


def _quantiles(delays: list[timedelta]) -> dict[float, timedelta]:
    ordered = sorted(delays)
    return (
        {share: ordered[min(int(share * len(ordered)), len(ordered) - 1)] for share in (0.5, 0.99)} if ordered else {}
    )
