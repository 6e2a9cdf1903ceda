"""Expectations: a Great Expectations suite run on a window; what leaves here are verdicts and shares, never row values.

Great Expectations is slow to import and keeps state of its own, so it is imported where it is used, given nothing to
write and told no secret.
"""

from __future__ import annotations

import logging
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from math import isfinite
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

import sqlalchemy as sa

from hindsight.checks.suites.batches import SAMPLE, frame_batch, is_whole_truth, sql_batch
from hindsight.checks.suites.suites import Suite, load_suite
from hindsight.errors import ConfigError, WarehouseError
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import Rows
from hindsight.vocabulary.windows import Window

_COUNTS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0}
_NO_COLUMN = re.compile(r'column "?([A-Za-z_]\w{0,62})"? in BatchData does not exist')
_RAISED = re.compile(r"^(?:[\w.]+\.)?(\w+(?:Error|Exception|Warning))\b", re.MULTILINE)


def run_suite(monitor: Monitor, window: Window, *, root: Path, url: sa.URL | None, rows: Rows) -> list[Measurement]:
    """Run the monitor's suite on a window; without a suite there is nothing to measure.

    `root` is the Great Expectations folder; suites lie in its `expectations/`. The rows in hand are used where they
    are the whole truth (see `is_whole_truth`); otherwise the suite runs as SQL in the warehouse at `url` or, without
    one, on the rows in hand, at most 200,000 of them, and the notes say so. Raises ConfigError for a suite that is
    missing or wrong and WarehouseError where the warehouse breaks off.
    """
    if monitor.quality is None:
        return []
    suite = load_suite(root, monitor.quality.suite)
    return list(_measured(suite, *_outcomes(suite, monitor, window, url, rows)))


def validation(
    monitor: Monitor, window: Window, suite_name: str, *, root: Path, url: sa.URL | None, rows: Rows
) -> dict[str, Any]:
    """Run a suite as `run_suite` does; return Great Expectations' validation result as JSON has it, for Data Docs.

    It holds counts and shares and never a row value, and nothing but the suite's kwargs and these was kept of what
    Great Expectations said. Raises as `run_suite` does.
    """
    suite = load_suite(root, suite_name)
    outcomes, _ = _outcomes(suite, monitor, window, url, rows)
    passed = sum(outcome.success is True for outcome in outcomes)
    return {
        "success": passed == len(outcomes),
        "suite_name": suite_name,
        "suite_parameters": {},
        "results": [_result(e.config, o) for e, o in zip(suite.expectations, outcomes, strict=True)],
        "statistics": {
            "evaluated_expectations": len(outcomes),
            "successful_expectations": passed,
            "unsuccessful_expectations": len(outcomes) - passed,
            "success_percent": 100 * passed / len(outcomes) if outcomes else None,
        },
        "meta": {
            "run_id": {"run_name": str(window), "run_time": window.end.isoformat()},
            "batch_spec": {"data_asset_name": monitor.source.predictions.table},
            "great_expectations_version": version("great-expectations"),
        },
    }


@dataclass(frozen=True, slots=True)
class _Outcome:
    success: bool | None
    note: str = ""
    counts: Mapping[str, float] = field(default_factory=dict)
    raised: bool = False


def _result(config: Mapping[str, Any], outcome: _Outcome) -> dict[str, Any]:
    known = {"type": config["type"], "kwargs": config.get("kwargs", {}), "meta": {}}
    raised = {"raised_exception": outcome.raised, "exception_message": outcome.note, "exception_traceback": ""}
    return {
        "success": outcome.success is True,
        "expectation_config": known | ({"severity": config["severity"]} if "severity" in config else {}),
        "result": dict(outcome.counts),
        "exception_info": raised,
        "meta": {},
    }


def _outcomes(
    suite: Suite, monitor: Monitor, window: Window, url: sa.URL | None, rows: Rows
) -> tuple[list[_Outcome], int]:
    """Return an outcome per expectation and how many rows they are about."""
    if rows.n == 0:
        return [_Outcome(None, "no rows")] * len(suite.expectations), 0
    private = {*monitor.pii.hash, *monitor.pii.drop}
    if url is None or is_whole_truth(rows, suite, private):
        with _great_expectations() as context:
            found = _evaluate(suite, frame_batch(context, rows, suite), private)
        return [_noted(each, _partly(rows)) for each in found], min(rows.n, SAMPLE)
    with _great_expectations() as context, sql_batch(context, url, monitor, window) as batch:
        return _evaluate(suite, batch, private), rows.n_raw


def _partly(rows: Rows) -> str:
    if rows.n > SAMPLE:
        return f"on a sample of {SAMPLE} of {rows.n} rows"
    return "on distinct ids" if rows.n != rows.n_raw else ""


def _noted(outcome: _Outcome, note: str) -> _Outcome:
    return replace(outcome, note="; ".join(part for part in (outcome.note, note) if part))


@contextmanager
def _great_expectations() -> Iterator[Any]:
    """Yield a context that reads and writes nothing, reports nothing home and draws nothing on the screen."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)  # its import already has much to say
    with catch_warnings():
        simplefilter("ignore")
        import great_expectations as gx
        from great_expectations.data_context.types import base

        nowhere = base.DataContextConfig(
            store_backend_defaults=base.InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
            progress_bars=base.ProgressBarsConfig(globally=False),
            analytics_enabled=False,
        )
        context = gx.get_context(mode="ephemeral", project_config=nowhere)
        yield context


def _evaluate(suite: Suite, batch: Any, private: set[str]) -> list[_Outcome]:
    """Return an outcome per expectation; one about a private column is asked for yes or no and nothing more."""
    import great_expectations as gx

    built = _built(suite)
    outcomes = [_Outcome(False, "gave no answer")] * len(built)
    for hidden in (False, True):
        asked = [built[i] for i, e in enumerate(suite.expectations) if bool(private & {*e.columns}) is hidden]
        if asked:
            results = batch.validate(
                gx.ExpectationSuite(name=f"window_{hidden}", expectations=asked),
                result_format="BOOLEAN_ONLY" if hidden else _COUNTS_ONLY,
            )
            for result in results.to_json_dict()["results"]:
                outcomes[result["expectation_config"]["meta"]["place"]] = _outcome(result, hidden=hidden)
    return outcomes


def _built(suite: Suite) -> list[Any]:
    """Great Expectations leaves out what it does not understand in a suite; here that is an error."""
    from great_expectations.exceptions.exceptions import GreatExpectationsError
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    built, problems = [], []
    for place, expectation in enumerate(suite.expectations):
        config = {key: value for key, value in expectation.config.items() if key in ("type", "kwargs", "severity")}
        try:
            built.append(ExpectationConfiguration(**config, meta={"place": place}).to_domain_obj())
        except (GreatExpectationsError, ValueError, TypeError) as exc:
            problems.append(suite.problem(place, " ".join(str(exc).split())))
    if problems:
        raise ConfigError(*problems)
    return built


def _outcome(result: Mapping[str, Any], *, hidden: bool) -> _Outcome:
    raised = _exceptions(result.get("exception_info") or {})
    if raised:
        return _Outcome(False, raised, raised=True)
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
    """Return why an expectation raised: a missing column by name, the rest by type, for messages hold row values."""
    nested = [info] if "raised_exception" in info else [each for each in info.values() if isinstance(each, dict)]
    texts = [
        f"{e.get('exception_message')}\n{e.get('exception_traceback')}" for e in nested if e.get("raised_exception")
    ]
    text = "\n".join(texts)
    if not texts:
        return ""
    if missing := _NO_COLUMN.search(text):
        return f"column {missing[1]} does not exist"
    if "sqlalchemy.exc.OperationalError" in text or "sqlalchemy.exc.InterfaceError" in text:
        raise WarehouseError("the warehouse broke off while expectations were evaluated")
    return f"raised {', '.join(dict.fromkeys(_RAISED.findall(text))) or 'an exception'}"


def _measured(suite: Suite, outcomes: Sequence[_Outcome], n: int) -> Iterator[Measurement]:
    seen: Counter[tuple[str, str]] = Counter()
    failed: dict[str, float | None] = {}
    for expectation, outcome in zip(suite.expectations, outcomes, strict=True):
        feature, key = expectation.feature, expectation.type
        if len(expectation.columns) > 1:
            key += f"({', '.join(expectation.columns)})"
        seen[feature, key] += 1
        if seen[feature, key] > 1:
            key += f" #{seen[feature, key]}"
        value = None if outcome.success is None else float(outcome.success)
        yield Measurement("expectation_success", value, n, feature=feature, bin=key, note=outcome.note)
        count = failed.setdefault(feature, None if value is None else 0.0)
        if count is not None and expectation.matters:
            failed[feature] = count + (value == 0.0)
    for feature, count in failed.items():
        note = "no rows" if count is None else ""
        yield Measurement("expectations_failed", count, n, feature=feature, note=note)
