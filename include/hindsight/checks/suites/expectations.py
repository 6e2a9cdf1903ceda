"""Expectations: a suite run on a window; what leaves here are verdicts and shares, never row values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from math import isfinite
from pathlib import Path
from typing import Any

from hindsight.checks.suites.batches import Batch, CannotAskError, Warehouse, frame_batch, warehouse_batches
from hindsight.checks.suites.build import built, open_suite
from hindsight.checks.suites.library import configured_once, great_expectations
from hindsight.checks.suites.places import Place, is_about_repeats, places
from hindsight.checks.suites.suites import Expectation, Suite, load_suite
from hindsight.errors import ConfigError, Problem, WarehouseError
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import Rows
from hindsight.vocabulary.windows import Window

AT_ONCE = 200_000  # rows; of more, only what expectations about the same columns look at is in memory together
_COUNTS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0}
_NO_COLUMN = re.compile(r'column "?([A-Za-z_]\w{0,62})"? in BatchData does not exist')
_RAISED = re.compile(r"^(?:[\w.]+\.)?(\w+(?:Error|Exception|Warning))\b", re.MULTILINE)
Asked = Mapping[int, Expectation]  # by their places in the suite


def run_suite(
    monitor: Monitor, window: Window, *, root: Path, warehouse: Warehouse | None, rows: Rows
) -> list[Measurement]:
    """Run the monitor's suite on a window; without a suite there is nothing to measure.

    `root` is the Great Expectations folder; suites lie in its `expectations/`. Each expectation is answered by the rows
    in hand or by `warehouse`, whichever `places` says, and by the other only where the first cannot;
    one that nobody can answer has no value and is not counted as failed, and its note says why. Raises ConfigError for
    a suite that is missing or wrong and WarehouseError where the warehouse breaks off.
    """
    if monitor.quality is None:
        return []
    suite, outcomes = _answered(monitor, monitor.quality.suite, _Data(monitor, window, rows, warehouse), root)
    return list(_measured(suite, outcomes))


def validation(
    monitor: Monitor,
    window: Window,
    suite_name: str,
    *,
    root: Path,
    warehouse: Warehouse | None,
    rows: Rows,
) -> dict[str, Any]:
    """Run a suite as `run_suite` does; return Great Expectations' validation result as JSON has it, for Data Docs.

    It holds counts and shares and never a row value, and nothing but the suite's kwargs and these was kept of what
    Great Expectations said. Raises as `run_suite` does.
    """
    suite, outcomes = _answered(monitor, suite_name, _Data(monitor, window, rows, warehouse), root)
    passed = sum(outcome.success is True for outcome in outcomes)
    evaluated = sum(outcome.success is not None for outcome in outcomes)
    return {
        "success": passed == evaluated,
        "suite_name": suite_name,
        "suite_parameters": {},
        "results": [_result(e.config, o) for e, o in zip(suite.expectations, outcomes, strict=True)],
        "statistics": {
            "evaluated_expectations": evaluated,
            "successful_expectations": passed,
            "unsuccessful_expectations": evaluated - passed,
            "success_percent": 100 * passed / evaluated if evaluated else None,
        },
        "meta": {
            "run_id": {"run_name": str(window), "run_time": window.end.isoformat()},
            "batch_spec": {"data_asset_name": monitor.source.predictions.table},
            "great_expectations_version": version("great-expectations"),
        },
    }


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of an expectation: held, failed or, with the reason as note, neither; `n` rows were asked."""

    success: bool | None
    note: str = ""
    counts: Mapping[str, float] = field(default_factory=dict)
    n: int = 0


@dataclass(frozen=True, slots=True)
class _Data:
    """The rows of a window in hand, and the warehouse they come from."""

    monitor: Monitor
    window: Window
    rows: Rows
    warehouse: Warehouse | None

    @property
    def private(self) -> frozenset[str]:
        return frozenset((*self.monitor.pii.hash, *self.monitor.pii.drop))

    @property
    def repeated(self) -> bool:
        return self.rows.n != self.rows.n_raw

    def places(self, expectation: Expectation) -> tuple[Place, ...]:
        seen = set(self.rows.columns) - self.private
        return places(expectation, seen, repeated=self.repeated, warehouse=self.warehouse is not None)


def _result(config: Mapping[str, Any], outcome: _Outcome) -> dict[str, Any]:
    known = {"type": config["type"], "kwargs": config["kwargs"], "meta": {}}
    unanswered = {"raised_exception": outcome.success is None, "exception_message": outcome.note}
    return {
        "success": outcome.success is True,
        "expectation_config": known | ({"severity": config["severity"]} if "severity" in config else {}),
        "result": dict(outcome.counts),
        "exception_info": unanswered | {"exception_traceback": ""},
        "meta": {},
    }


def _answered(monitor: Monitor, name: str, data: _Data, root: Path) -> tuple[Suite, list[_Outcome]]:
    """Return the suite and an outcome for each of its expectations; nobody is asked about a window without rows."""
    if data.rows.n == 0:
        suite = load_suite(root, name)
        return suite, [_Outcome(None, "no rows")] * len(suite.expectations)
    suite = open_suite(root, name)
    return suite, _outcomes(dict(enumerate(suite.expectations)), data)


def _outcomes(asked: Asked, data: _Data) -> list[_Outcome]:
    open_to = {i: data.places(expectation) for i, expectation in asked.items()}
    with great_expectations() as context:
        in_hand = {i: e for i, e in asked.items() if Place.ROWS in open_to[i]}
        found = dict(_from_rows(context, in_hand, data))
        left = {i: e for i, e in asked.items() if i not in found or found[i].success is None}
        declared = {i: e for i, e in left.items() if Place.DECLARED in open_to[i]}
        in_warehouse = {i: e for i, e in left.items() if Place.WAREHOUSE in open_to[i]}
        for i, outcome in _from_warehouse(context, in_warehouse, declared, data):
            found[i] = _joined(found.get(i), outcome)
    nobody = _Outcome(None, "names a type of the rows in hand, and these do not have its column")
    return [_explained(found.get(i, nobody)) for i in asked]


def _explained(outcome: _Outcome) -> _Outcome:
    return replace(outcome, note=f"not evaluated: {outcome.note}") if outcome.success is None else outcome


def _from_rows(context: Any, asked: Asked, data: _Data) -> Iterator[tuple[int, _Outcome]]:
    timestamp = data.monitor.source.predictions.timestamp
    groups: dict[frozenset[str], dict[int, Expectation]] = {}
    for i, expectation in asked.items():
        groups.setdefault(expectation.looks_at if data.rows.n > AT_ONCE else frozenset(), {})[i] = expectation
    for group in groups.values():
        batch = frame_batch(context, data.rows, group.values(), timestamp)
        for i, outcome in _evaluated(batch, group, data.private).items():
            distinct = data.repeated and is_about_repeats(asked[i])
            noted = _noted(outcome, "on distinct ids") if distinct else outcome
            yield i, replace(noted, n=data.rows.n)


def _from_warehouse(context: Any, in_window: Asked, declared: Asked, data: _Data) -> Iterator[tuple[int, _Outcome]]:
    if data.warehouse is None or not (in_window or declared):
        return
    try:
        with warehouse_batches(context, data.warehouse, data.monitor) as (rows, table):
            for make, asked in ((rows, in_window), (table, declared)):
                found = _apart(make(), asked, data.private) if asked else {}
                yield from ((i, replace(outcome, n=data.rows.n_raw)) for i, outcome in found.items())
    except CannotAskError as exc:
        nobody = _Outcome(None, f"Great Expectations {exc}", n=data.rows.n_raw)
        yield from ((i, nobody) for i in (*in_window, *declared))


def _apart(batch: Batch, asked: Asked, private: frozenset[str]) -> dict[int, _Outcome]:
    """Evaluate together, those that raised once more and alone: one that fails takes the others of its SELECT along."""
    found = _evaluated(batch, asked, private)
    raised = [i for i, outcome in found.items() if outcome.success is None] if len(asked) > 1 else []
    return found | {i: _evaluated(batch, {i: asked[i]}, private)[i] for i in raised}


def _joined(first: _Outcome | None, second: _Outcome) -> _Outcome:
    """The second answer where the first place had none; where neither had one, both reasons."""
    if first is None or second.success is not None or first.note == second.note:
        return second
    return replace(second, note=f"{Place.ROWS} {first.note}; {Place.WAREHOUSE} {second.note}")


def _noted(outcome: _Outcome, note: str) -> _Outcome:
    return replace(outcome, note="; ".join(part for part in (outcome.note, note) if part))


def _evaluated(batch: Batch, asked: Asked, private: frozenset[str]) -> dict[int, _Outcome]:
    """Return an outcome per expectation; one about a private column is asked for yes or no and nothing more."""
    import great_expectations as gx

    outcomes = dict.fromkeys(asked, _Outcome(None, "gave no answer"))
    for hidden in (False, True):
        some = {i: e for i, e in asked.items() if bool(private & e.looks_at) is hidden}
        if not some:
            continue
        made = [built(e, batch.kwargs(e), i) for i, e in some.items()]
        with configured_once():
            results = batch.asked.validate(
                gx.ExpectationSuite(name=f"window_{hidden}", expectations=made),
                result_format="BOOLEAN_ONLY" if hidden else _COUNTS_ONLY,
            )
        for result in results.to_json_dict()["results"]:
            outcomes[result["expectation_config"]["meta"]["place"]] = _outcome(result, hidden=hidden)
    return outcomes


def _outcome(result: Mapping[str, Any], *, hidden: bool) -> _Outcome:
    text = _exceptions(result.get("exception_info") or {})
    if text and (missing := _NO_COLUMN.search(text)):
        return _Outcome(False, f"column {missing[1]} does not exist")  # the data's fault, and not the question's
    if text:
        return _Outcome(None, _why(text))
    counts = {} if hidden else _counts(result.get("result") or {})
    return _Outcome(bool(result["success"]), _summary(counts), counts)


def _counts(result: Mapping[str, Any]) -> dict[str, float]:
    """Keep the numbers of a result; texts and lists may hold row values."""
    return {key: value for key, value in result.items() if isinstance(value, int | float) and isfinite(value)}


def _summary(counts: Mapping[str, float]) -> str:
    if "unexpected_percent" in counts:
        return f"{counts['unexpected_percent']:.3g} % unexpected"
    return f"observed {counts['observed_value']:.6g}" if "observed_value" in counts else ""


def _exceptions(info: Mapping[str, Any]) -> str:
    nested = [info] if "raised_exception" in info else [each for each in info.values() if isinstance(each, dict)]
    return "\n".join(
        f"{e.get('exception_message')}\n{e.get('exception_traceback')}" for e in nested if e.get("raised_exception")
    )


_OF_TYPES = "the check cannot work with values of the column's type; cast the column in a view or take it out"
_WORDS = {
    "TypeError": _OF_TYPES,
    "ValueError": "a value of the column or an argument of the check has a form it cannot read",
    "KeyError": "a column or an argument the check needs is not there",
    "AttributeError": _OF_TYPES,
    "ZeroDivisionError": "the check divides by the number of rows or values, and there are none",
    "ProgrammingError": "the database refuses the check's statement; is its login granted the column?",
    "DataError": "the database cannot convert a value the check compares",
}


def _why(text: str) -> str:
    """Say why an expectation could not be evaluated by the types of what was raised: messages hold row values."""
    if "sqlalchemy.exc.OperationalError" in text or "sqlalchemy.exc.InterfaceError" in text:
        raise WarehouseError("the warehouse broke off while expectations were evaluated")
    raised = list(dict.fromkeys(_RAISED.findall(text)))
    if "MetricProviderError" in raised:
        return "Great Expectations has no such check"
    if "NotImplementedError" in raised:
        return "Great Expectations has no such check for this kind of database"
    said = next((words for name, words in _WORDS.items() if name in raised), "")
    return f"raised {', '.join(raised) or 'an exception'}{said and f': {said}'}"


def _measured(suite: Suite, outcomes: Sequence[_Outcome]) -> Iterator[Measurement]:
    seen: Counter[tuple[str, str]] = Counter()
    by_feature: dict[str, list[tuple[Expectation, _Outcome]]] = {}
    for expectation, outcome in zip(suite.expectations, outcomes, strict=True):
        feature, key = expectation.feature, expectation.type
        if len(expectation.columns) > 1:
            key += f"({', '.join(expectation.columns)})"
        seen[feature, key] += 1
        if seen[feature, key] > 1:
            key += f" #{seen[feature, key]}"
        value = None if outcome.success is None else float(outcome.success)
        yield Measurement("expectation_success", value, outcome.n, feature=feature, bin=key, note=outcome.note)
        by_feature.setdefault(feature, []).append((expectation, outcome))
    for feature, answers in by_feature.items():
        yield from _failed(feature, answers)


def _failed(feature: str, answers: Sequence[tuple[Expectation, _Outcome]]) -> Iterator[Measurement]:
    """Count what failed of the expectations about a column; those that nobody could answer count for nothing."""
    evaluated = [(expectation, outcome) for expectation, outcome in answers if outcome.success is not None]
    n = max(outcome.n for _, outcome in answers)
    if not evaluated:
        yield Measurement("expectations_failed", None, n, feature=feature, note=answers[0][1].note)
        return
    failed = Counter(expectation.severity for expectation, outcome in evaluated if not outcome.success)
    counted = failed["critical"] + failed["warning"]
    yield Measurement("expectations_failed", float(counted), n, feature=feature)
    if any(expectation.severity == "critical" for expectation, _ in evaluated):
        yield Measurement("expectations_failed_critical", float(failed["critical"]), n, feature=feature)


def suite_measurements(
    monitor: Monitor, window: Window, *, root: Path, warehouse: Warehouse | None, rows: Rows
) -> list[Measurement]:
    """Return what `run_suite` finds and the number of faults of the suite itself, so that these cost nothing else."""
    if monitor.quality is None:
        return []
    try:
        found = run_suite(monitor, window, root=root, warehouse=warehouse, rows=rows)
    except ConfigError as exc:
        said = "; ".join(_anywhere(problem) for problem in exc.problems)
        nothing = Measurement("expectations_failed", None, rows.n, note=f"the suite cannot be used: {said}")
        return [nothing, Measurement("suite_faults", float(len(exc.problems)), rows.n, note=said)]
    none = None if rows.n == 0 else 0.0
    return [*found, Measurement("suite_faults", none, rows.n, note="no rows" if none is None else "")]


def _anywhere(problem: Problem) -> str:
    """A problem in the same words on every machine: the file by its name."""
    return str(replace(problem, file=Path(problem.file.name) if problem.file else None))
