"""Outputs: what a classifier says before any label: the share of each class and how sure it is of what it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hindsight.checks.reference.bins import top_bins
from hindsight.checks.statistics.rates import mean, share
from hindsight.checks.values.categories import OTHER
from hindsight.checks.values.classes import canonical
from hindsight.checks.values.groups import Group, groups
from hindsight.checks.values.lenient import numbers
from hindsight.checks.values.samples import TextColumn, Texts
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import Rows

if TYPE_CHECKING:
    from hindsight.checks.reference.baseline import Baseline

UNSURE = "no scores between 0 and 1"


def outputs(rows: Rows, monitor: Monitor, baseline: Baseline) -> list[Measurement]:
    """Return `class_share` of each class, `positive_rate` and `confidence`: of all rows, each version, each segment.

    Rows without a prediction are left out; nothing for a regression, whose predictions have no classes. The reference
    of a version is the whole reference, that of a segment the reference's rows of it.
    """
    name = monitor.source.predictions.prediction
    if monitor.model.task == "regression" or name not in rows.columns:
        return []
    known = baseline.column(name)
    column = TextColumn(rows.column(name), known.type if known else "")
    sure = _confidence(rows, monitor)
    return [
        replace(m, model_version=group.model_version, segment=group.segment)
        for group in groups(rows, monitor)
        for m in (
            *_shares(column.sample(group.mask), monitor, _reference(baseline, name, group)),
            *_sureness(sure, group, baseline),
        )
    ]


def confidences(rows: Rows, monitor: Monitor) -> dict[str, float]:
    """Return the mean confidence of the rows by segment, "" for all of them; nothing where there are no scores."""
    sure = _confidence(rows, monitor)
    found = {g.segment: _mean(sure, g).value for g in groups(rows, monitor) if not g.model_version}
    return {segment: value for segment, value in found.items() if value is not None}


def _confidence(rows: Rows, monitor: Monitor) -> np.ndarray | None:
    """Return the probability each row's scores give to the class they find likeliest, NaN where none is known."""
    declared = monitor.source.predictions.score
    names = [*declared.values()] if isinstance(declared, dict) else [declared] if declared else []
    if not names or any(name not in rows.columns for name in names):
        return None
    sure = np.full(rows.n, -np.inf)
    for name in names:
        score = numbers(rows.column(name))
        score[~((score >= 0) & (score <= 1))] = np.nan
        sure = np.maximum(sure, score)
    return np.asarray(np.maximum(sure, 1 - sure)) if isinstance(declared, str) else sure


def _mean(sure: np.ndarray | None, group: Group) -> Measurement:
    values = np.zeros(0) if sure is None else sure if group.mask is None else sure[group.mask]
    return mean("confidence", np.sort(values[np.isfinite(values)]), nothing=UNSURE)


def _sureness(sure: np.ndarray | None, group: Group, baseline: Baseline) -> Iterator[Measurement]:
    if sure is not None:
        yield replace(_mean(sure, group), reference=baseline.confidence.get(group.segment))


def _reference(baseline: Baseline, name: str, group: Group) -> dict[str, float]:
    """Return the share of each class in the reference; classes beyond its fifty most frequent are one."""
    known = baseline.column(name, group.segment)
    given = known.profile.n - known.profile.nulls if known else 0
    if known is None or not given:
        return {}
    shares = zip(known.profile.labels[:-1], known.profile.counts[:-1].tolist(), strict=True)
    return {label: count / given for label, count in shares}


def _shares(said: Texts, monitor: Monitor, reference: Mapping[str, float]) -> Iterator[Measurement]:
    n, named = said.values.n, tuple(reference) or (*top_bins(said.values).texts, OTHER)
    for label, hits in zip(*said.values.onto(named, rest=OTHER), strict=True):
        expected = reference.get(label)
        if n and (hits or expected):
            yield replace(share("class_share", int(hits), n), bin=label, reference=expected)
    if monitor.model.task == "binary":
        positive = canonical(monitor.model.positive_label)
        every = zip(said.values.texts, said.values.counts.tolist(), strict=True)
        hits = sum(count for label, count in every if canonical(label) == positive)
        expected = sum(p for label, p in reference.items() if canonical(label) == positive) if reference else None
        yield replace(share("positive_rate", hits, n, nothing="no predictions"), reference=expected)
