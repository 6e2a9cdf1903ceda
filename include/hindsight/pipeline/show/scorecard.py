"""What the newest final windows say of a model: its segments, its calibration, and how good the estimates were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from hindsight.pipeline.judge.knowledge import Known, segments
from hindsight.reports.charts import Unit, written
from hindsight.reports.night import Calibration, SegmentRow, Segments
from hindsight.reports.pages import Number
from hindsight.reports.timeline import Bin
from hindsight.vocabulary.measurement import Measurement
from hindsight.vocabulary.windows import Window

COMPARED = 12  # final windows before the newest that its segments are compared with
_READINGS = {
    0: "As expected",
    1: "Covariate shift: harder inputs that mean what they did",
    2: "Concept drift: inputs no longer mean what they did",
}
_COUNTED = {0: "as estimated", 1: "covariate shift", 2: "concept drift"}


def segment_rows(known: Known, finals: Sequence[Window], metric: str) -> Segments | None:
    """Return the segments of the newest final window beside the same in the final windows before, the clearest first.

    What was before is the mean over those windows weighted by their labelled rows. None where there are no segments,
    or nothing to compare with.
    """
    if len(finals) < 2:
        return None
    newest, earlier = finals[-1], finals[-1 - COMPARED : -1]
    found = []
    for name, by_window in segments(known, metric).items():
        now = by_window.get(newest.start)
        then = [m for w in earlier if (m := by_window.get(w.start)) and m.value is not None]
        n = sum(m.n for m in then)
        if now and now.value is not None and n:
            before = sum((m.value or 0.0) * m.n for m in then) / n
            found.append(SegmentRow(name, before, now.value, now.lower, now.upper, now.n))
    found.sort(key=lambda row: (not row.clear, -abs(row.now - row.before), row.name))
    return Segments(newest, len(earlier), tuple(found)) if found else None


def calibration(known: Known, finals: Sequence[Window]) -> Calibration | None:
    """Return the reliability of the newest final window that has one; None for a model without scores."""
    scored = [window for window in finals if known.bins(window.start, "performance.reliability")]
    if not scored:
        return None
    newest = scored[-1]
    shares, scores = (known.bins(newest.start, f"performance.{name}") for name in ("reliability", "reliability_score"))
    bins = tuple(
        bin
        for key in sorted(shares.keys() & scores.keys())
        if (bin := _bin(shares[key], scores[key].value)) is not None
    )
    ece = known.fact(newest.start, "performance.ece") or Measurement("ece", None)
    before = known.value(scored[-2].start, "performance.ece") if len(scored) > 1 else None
    note = "" if before is None else f"{written(before, 'number')} in the final window before"
    return Calibration(newest, bins, Number("calibration error (ECE)", ece.value, "number", ece.reference, note))


def _bin(share: Measurement, score: float | None) -> Bin | None:
    if share.value is None or score is None:
        return None
    lower, upper = (share.value if edge is None else edge for edge in (share.lower, share.upper))
    return Bin(min(max(score, 0.0), 1.0), share.value, lower, upper, share.n)


def estimates(known: Known, finals: Sequence[Window], metric: str, unit: Unit) -> Iterator[str]:
    """Say how the estimates made before the labels did, of the newest final window and of all of these."""
    errors = {
        window: error
        for window in finals
        if (error := known.bins(window.start, "performance.estimate_error").get(metric)) and error.value is not None
    }
    if not errors:
        yield from _no_estimate(known, finals, metric)
        return
    newest = list(errors)[-1]
    truth, off = known.value(newest.start, f"performance.{metric}") or 0.0, errors[newest].value or 0.0
    reading = known.value(newest.start, "performance.estimate_reading")
    said = _READINGS.get(int(reading), "") if reading is not None else ""
    compared = f"estimated {written(truth - off, unit)} before the labels came, {written(truth, unit)} in truth"
    yield f"{said}: {compared}." if said else f"{compared[0].upper()}{compared[1:]}."
    mean = sum(abs(one.value or 0.0) for one in errors.values()) / len(errors)
    readings = Counter(known.value(window.start, "performance.estimate_reading") for window in errors)
    told = [f"{readings[value]} {what}" for value, what in _COUNTED.items() if readings[value]]
    distance = f"{100 * mean:.1f} points" if unit == "share" else written(mean, unit)
    yield f"{len(errors)} estimates scored so far, {distance} off on average: {', '.join(told)}."


def _no_estimate(known: Known, finals: Sequence[Window], metric: str) -> Iterator[str]:
    guess = known.fact(finals[-1].start, f"estimate.{metric}") if finals else None
    if guess and guess.note:
        yield f"No estimate before the labels: {guess.note}."
