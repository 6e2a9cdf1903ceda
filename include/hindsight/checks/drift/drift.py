"""Drift: how far every column of a window moved from the reference, and which moves are both large and no accident."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock

from hindsight.checks.drift.stattests import PREFIX, stattest
from hindsight.checks.reference.baseline import Baseline
from hindsight.checks.reference.column_comparison import Effect
from hindsight.checks.reference.columns import AnyColumn, Role, sample_of
from hindsight.checks.reference.fitting import roles
from hindsight.checks.reference.profile import coarse
from hindsight.checks.reference.profile import measurements as profile_measurements
from hindsight.checks.reference.thresholds import FLOORS, weight
from hindsight.checks.statistics.effects import benjamini_hochberg
from hindsight.checks.values.groups import Group, groups
from hindsight.checks.values.numbers import NotNumericError
from hindsight.checks.values.samples import NumericColumn, Sample, TextColumn
from hindsight.monitors.model import OF_THE_CLOCK, Drift, Monitor
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.rows import Rows
from hindsight.vocabulary.threads import pool

THREADS = 2
MANY_ROWS = 4_000_000  # above this one column at a time is held in memory, not one for each thread
EFFECTS = ("psi", "psi_fine", "kl_divergence", "js_distance")
NUMERIC_EFFECTS = (*EFFECTS, "ks", "wasserstein_normed", "mean_shift", "std_shift")
TEXT_EFFECTS = (*EFFECTS, "chi2_p")
NO_SEGMENT = "the reference has too few rows of this segment"


@dataclass(frozen=True, slots=True)
class Finding:
    """One column in one group of rows: its effects, and whether they are large enough to be drift.

    `is_large` is None where nothing can be decided; `why` says the reason.
    """

    name: str
    role: Role
    n: int
    effects: Mapping[str, Effect]
    p_value: float | None = None
    test: str = ""
    is_large: bool | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """What came of one column: a finding for each group, and its profiles."""

    findings: Sequence[Finding]
    profiles: Sequence[Measurement] = ()


def drift(
    rows: Rows, monitor: Monitor, baseline: Baseline, *, undecided: str = ""
) -> tuple[list[Measurement], list[Measurement]]:
    """Return the measurements of kinds drift and profile of a window.

    Drift: of all rows, of each model version and of each segment, a segment being compared with the reference's rows
    of the same segment. Profiles: of all rows and of each version in the frozen bins, of segments in a tenth of them:
    a fine profile of a few rows would be the rows themselves. Values do not depend on the order of the rows.
    `undecided` says why nothing may be called drift, if anything does; a feature of the clock never is.
    """
    found = groups(rows, monitor)
    check = _Check(rows, monitor.drift, baseline, found, undecided, monitor.clocks, Lock())
    with pool(THREADS if rows.n <= MANY_ROWS else 1) as workers:
        columns = list(workers.map(lambda role: check.column(*role), roles(monitor)))
    drifts = [
        replace(row, model_version=group.model_version, segment=group.segment)
        for i, group in enumerate(found)
        for row in settled([column.findings[i] for column in columns], group, monitor)
    ]
    return drifts, [row for column in columns for row in column.profiles]


@dataclass(frozen=True, slots=True)
class _Check:
    """What the columns of a window have in common; files are read by one thread at a time."""

    rows: Rows
    settings: Drift
    baseline: Baseline
    groups: Sequence[Group]
    undecided: str
    clocks: Container[str]
    reading: Lock

    def column(self, name: str, role: Role, numeric: bool) -> Column:
        known = self.baseline.column(name)
        if known is None:
            return self._unknown(name, role, numeric, self.baseline.skipped.get(name, "not in the reference"))
        if name not in self.rows.columns:
            return self._unknown(name, role, numeric, f"the window has no column {name!r}")
        try:
            with self.reading:
                references = self._references(name)
                column = self.rows.column(name)
                reuse = not self.rows.lends
                source = NumericColumn(column, reuse=reuse) if numeric else TextColumn(column, known.type)
            del column
        except NotNumericError as exc:
            return self._unknown(name, role, numeric, f"in this window: {exc}")
        return self._compared(known, source, references)

    def _references(self, name: str) -> dict[str, Sample]:
        """The reference's sample of a column in each segment that the window has; the table is let go."""
        values = self.baseline.values(name)
        columns = {group.segment: self.baseline.column(name, group.segment) for group in self.groups}
        return {segment: sample_of(column, values) for segment, column in columns.items() if column is not None}

    def _compared(
        self, known: AnyColumn, source: NumericColumn | TextColumn, references: Mapping[str, Sample]
    ) -> Column:
        findings: list[Finding] = []
        profiles: list[Measurement] = []
        for group in reversed(self.groups):
            theirs = self.baseline.column(known.name, group.segment)
            if theirs is None:
                findings.append(unknown(known.name, known.role, group, known.numeric, NO_SEGMENT))
                continue
            current = source.sample(group.mask)
            reference = references[group.segment]
            undecided = self.undecided or (OF_THE_CLOCK if known.name in self.clocks else "")
            findings.append(compared(theirs, reference, current, self.settings, undecided=undecided))
            profiles += profiled(theirs, current, group)
        return Column(findings[::-1], profiles)

    def _unknown(self, name: str, role: Role, numeric: bool, why: str) -> Column:
        return Column([unknown(name, role, group, numeric, why) for group in self.groups])


def profiled(known: AnyColumn, current: Sample, group: Group) -> list[Measurement]:
    """Return the profile of a column in a group of rows beside the reference's, of a segment the coarse one."""
    both = known.profile_of(current), known.profile
    both = coarse(*both) if group.segment else both
    return profile_measurements(*both, known.name, model_version=group.model_version, segment=group.segment)


def unknown(name: str, role: Role, group: Group, numeric: bool, why: str) -> Finding:
    effects = {metric: Effect(None, 0, why) for metric in (NUMERIC_EFFECTS if numeric else TEXT_EFFECTS)}
    return Finding(name, role, group.n, effects, why=why)


def compared(known: AnyColumn, reference: Sample, current: Sample, settings: Drift, *, undecided: str = "") -> Finding:
    """Compare a column of a window with the reference: its effects, and whether they are large enough to be drift."""
    comparison = known.compare(reference, current)
    effects, is_large = comparison.effects, None
    # of an output only the answers given decide: requests that failed are an error rate, not drift
    if known.role != "feature" and (current.nulls or reference.nulls):
        comparison = known.compare(replace(reference, nulls=0), replace(current, nulls=0))
    if settings.method.startswith(PREFIX):
        score, is_large = _by_evidently(known, reference, current, settings)
        effects = {"evidently": score} | effects
    if is_large is None:
        found = weight(settings.method, comparison)
        is_large = None if found is None else found > _threshold(known, settings)
    elif comparison.null_shift > _threshold(known, settings):
        is_large = True
    why = ""
    if undecided:
        is_large, why = None, undecided
    elif current.n < settings.min_rows:
        is_large, why = None, f"{current.n} rows, fewer than drift.min_rows ({settings.min_rows})"
    elif is_large is None or comparison.p_value is None:
        is_large, why = None, "neither the window nor the reference may be without rows"
    return Finding(known.name, known.role, current.n, effects, comparison.p_value, comparison.test, is_large, why)


def _threshold(known: AnyColumn, settings: Drift) -> float:
    if settings.threshold != "auto":
        return settings.threshold
    return FLOORS.get(settings.method, 0.05) if known.threshold is None else known.threshold


def _by_evidently(known: AnyColumn, reference: Sample, current: Sample, settings: Drift) -> tuple[Effect, bool | None]:
    threshold = None if settings.threshold == "auto" else settings.threshold
    return stattest(settings.method.removeprefix(PREFIX), reference, current, threshold, known.name)


def settled(findings: Sequence[Finding], group: Group, monitor: Monitor) -> Iterator[Measurement]:
    """Write the findings of a group down; which are significant is settled over all of them together."""
    tests = [None if finding.is_large is None else finding.p_value for finding in findings]
    rejected = benjamini_hochberg(tests, monitor.drift.significance)
    drifted: list[float] = []
    for finding, is_significant in zip(findings, rejected, strict=True):
        verdict = None if finding.is_large is None else float(finding.is_large and is_significant)
        if verdict is not None and finding.role == "feature":
            drifted.append(verdict)
        yield from written(finding, verdict)
    share = sum(drifted) / len(drifted) if drifted else None
    yield Measurement("drift_share", share, group.n, note="" if drifted else "no feature could be evaluated")


def written(finding: Finding, verdict: float | None) -> Iterator[Measurement]:
    """Write a finding down, `verdict` being 1 where it is drift, 0 where it is not, None where nothing is decided."""
    for metric, effect in finding.effects.items():
        yield Measurement(metric, effect.value, effect.n, feature=finding.name, note=effect.note)
    test = finding.test or finding.why
    yield Measurement("p_value", finding.p_value, finding.n, feature=finding.name, note=test)
    yield Measurement("drifted", verdict, finding.n, feature=finding.name, note=finding.why)
