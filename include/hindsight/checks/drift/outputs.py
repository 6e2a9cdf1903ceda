"""Outputs: what a classifier says before any label: the share of each class and how sure it is of what it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from hindsight.checks.reference.baseline import Baseline
from hindsight.checks.reference.confidence import confidence, mean_confidence
from hindsight.checks.statistics.rates import share
from hindsight.checks.values.bins import top_bins
from hindsight.checks.values.categories import OTHER
from hindsight.checks.values.classes import canonical
from hindsight.checks.values.groups import Group, groups
from hindsight.checks.values.samples import TextColumn, Texts
from hindsight.monitors.model import Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import Rows


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
    sure = confidence(rows, monitor)
    return [
        replace(m, model_version=group.model_version, segment=group.segment)
        for group in groups(rows, monitor)
        for m in (
            *shares(column.sample(group.mask), monitor, reference_shares(baseline, name, group)),
            *_sureness(sure, group, baseline),
        )
    ]


def _sureness(sure: np.ndarray | None, group: Group, baseline: Baseline) -> Iterator[Measurement]:
    if sure is not None:
        yield replace(mean_confidence(sure, group), reference=baseline.confidence.get(group.segment))


def reference_shares(baseline: Baseline, name: str, group: Group) -> dict[str, float]:
    """Return the share of each class in the reference; classes beyond its fifty most frequent are one."""
    known = baseline.column(name, group.segment)
    given = known.profile.n - known.profile.nulls if known else 0
    if known is None or not given:
        return {}
    shares = zip(known.profile.labels[:-1], known.profile.counts[:-1].tolist(), strict=True)
    return {label: count / given for label, count in shares}


def shares(said: Texts, monitor: Monitor, reference: Mapping[str, float]) -> Iterator[Measurement]:
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
