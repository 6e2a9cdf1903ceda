"""Every metric Hindsight computes, once: rules are checked against this table and docs/metrics.md is made from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial

from hindsight.monitors.metric import ALL_TASKS, CLASSIFIERS, Metric
from hindsight.monitors.promotion import GRADE
from hindsight.monitors.slos import SLO_METRICS
from hindsight.vocabulary.measurement import Kind

RESOURCE_STATISTICS = ("mean", "p95", "max", "rate")
WILSON, STUDENT, DELONG, DELTA = "Wilson", "Student", "DeLong", "delta method"


def rule_metrics(task: str) -> Iterable[str]:
    """Return the paths a rule of a monitor with this task may judge; its kpis and `resource_metrics` come on top."""
    return (m.path for m in CATALOG if task in m.tasks and m.is_judged and "<" not in m.name)


def resource_metrics(names: Iterable[str]) -> dict[str, Metric]:
    """Return by path what is measured of the columns declared under source.predictions.resources."""
    found = (
        Metric(Kind.OPERATIONS, f"{name}_{statistic}", f"{statistic} of {name}", lowest=None)
        for name in names
        for statistic in RESOURCE_STATISTICS
    )
    return {metric.path: metric for metric in found}


def metric(path: str) -> Metric | None:
    """Return the metric at a path, None where there is none."""
    return _BY_PATH.get(path)


_operations = partial(Metric, Kind.OPERATIONS)
_quality = partial(Metric, Kind.QUALITY, about="feature", highest=1)
_drift = partial(Metric, Kind.DRIFT, about="feature")
_realised = partial(Metric, Kind.PERFORMANCE, highest=1, compared=True)
_binary = partial(_realised, tasks=("binary",))
_multiclass = partial(_realised, tasks=("multiclass",))
_loss = partial(Metric, Kind.PERFORMANCE, tasks=("regression",), compared=True, interval=STUDENT)
_gap = partial(Metric, Kind.PERFORMANCE, tasks=("binary",), highest=1, about="segment column", interval="Newcombe")
_labels = partial(Metric, Kind.LABELS)
_bound = partial(Metric, Kind.LABELS, tasks=CLASSIFIERS, highest=1)
_cbpe = partial(Metric, Kind.ESTIMATE, tasks=("binary",), highest=1, compared=True, interval=DELTA)
_dle = partial(Metric, Kind.ESTIMATE, tasks=("regression",), compared=True, interval=DELTA)
_profile = partial(Metric, Kind.PROFILE, about="feature", lowest=None, compared=True)

CATALOG: tuple[Metric, ...] = (
    _operations("total_requests", "distinct prediction ids whose timestamp lies in the window"),
    _operations("rows_raw", "rows as logged, repeated ids included"),
    _operations("error_rate", "share with status >= 500, status 408 or no prediction", interval=WILSON, highest=1),
    _operations("availability", "share of requests that were answered: 1 - error_rate", interval=WILSON, highest=1),
    _operations("http_4xx_rate", "share with status 400 to 499", highest=1, needs="status_code", interval=WILSON),
    _operations("http_5xx_rate", "share with status 500 to 599", highest=1, needs="status_code", interval=WILSON),
    _operations("timeout_rate", "share with status 408 or 504", highest=1, needs="status_code", interval=WILSON),
    _operations(
        "error_rate_control",
        "sigmas the error rate lies above the reference's, by exact binomial chance (Shewhart); over 3 is unusual",
        lowest=None,
    ),
    _operations("latency_p50_ms", "median latency in milliseconds", needs="latency_ms"),
    _operations("latency_p95_ms", "95th percentile of latency in milliseconds", needs="latency_ms"),
    _operations("latency_p99_ms", "99th percentile of latency in milliseconds", needs="latency_ms"),
    _operations("throughput_rps", "total_requests divided by the seconds of the window"),
    _operations(
        "cost_per_prediction",
        "mean of the cost column over the rows that have one",
        lowest=None,
        needs="cost",
        interval=STUDENT,
    ),
    _operations("records_per_hour", "rows as logged, divided by the hours of the window"),
    _operations(
        "log_completeness",
        "share of rows with a readable value in every column of source.predictions; prediction and score where due",
        interval=WILSON,
        highest=1,
    ),
    _operations(
        "expected_requests",
        "median of total_requests in the same slot of the four weeks before; with one such week, the nearest of the "
        "same time on the seven days before; where no request came, of all windows without since the last one",
    ),
    _operations("volume_ratio", "total_requests divided by expected_requests; null without a request"),
    _operations("freshness_s", "seconds from the newest row of the window to the window's end"),
    _operations("longest_gap_s", "longest stretch of the window without a row, in seconds"),
    _operations(
        "<resource>_<statistic>",
        "mean, p95 and max of a column of source.predictions.resources; rate of one of booleans",
        lowest=None,
    ),
    _operations(
        "health",
        "0 healthy; 1 warning: error_rate >= 5 % or p99 >= 500 ms; 2 critical: error_rate >= 10 % or p99 >= 1000 ms; "
        "`n` is, where not healthy, the requests that failed or were as slow",
        highest=2,
    ),
    _quality("expectation_success", "1 where the expectation held, 0 where not, null unanswered", vector="expectation"),
    _quality("expectations_failed", "expectations about this column that did not hold, but for info", highest=None),
    _quality("expectations_failed_critical", "those of severity critical among them", highest=None),
    _quality("suite_faults", "what is wrong with the suite itself: missing, unreadable, unknown", highest=None),
    _quality("null_rate", "share of rows in which the column is null, NaN or blank", interval=WILSON, compared=True),
    _quality(
        "new_category_share",
        "share of non-null rows whose category the reference lacks; there of what it has once (Good) or in one window",
        interval=WILSON,
        compared=True,
    ),
    _quality(
        "out_of_range_share",
        "share of non-null rows outside the reference's range widened by a tenth, of whose n rows 2 / (n + 1) are "
        "to be expected there, or as many as one value or window of it had alone; a score outside [0, 1]",
        interval=WILSON,
        compared=True,
    ),
    _quality(
        "sentinel_share",
        "share of non-null rows at repeated values that stand for unknown, such as -999 or N/A, or lie far outside the "
        "reference",
        interval=WILSON,
    ),
    _quality(
        "outlier_share",
        "share of non-null rows more than three interquartile ranges outside the reference's quartiles",
        interval=WILSON,
        compared=True,
    ),
    _quality(
        "duplicate_rate", "share of logged rows whose id another row of the window has", about="", interval=WILSON
    ),
    _quality(
        "schema_change",
        "1 where the column is missing, renamed, of another type than in the reference or without its fractions, else "
        "0; `note` says which",
    ),
    _quality(
        "stuck",
        "1 where all rows have one value, as no window of the reference and by chance once in 1e9, and it has over 31",
    ),
    _quality(
        "score_mistaken",
        "1 where a score is not the probability of the class it is named for: a percentage, log-odds, the class "
        "itself, the confidence, the other class's, or columns that are swapped or do not sum to one, else 0; `note` "
        "says what to change",
        about="score column",
        tasks=CLASSIFIERS,
        needs="score",
    ),
    _quality(
        "unit_change",
        "1 where the values are those of the reference times a factor of 3 or more, or a third or less, else 0",
    ),
    _quality(
        "null_rate_control",
        "sigmas the null rate lies above the reference's, by exact binomial chance (Shewhart, Laney)",
        lowest=None,
        highest=None,
    ),
    _quality(
        "misdated_rows",
        "rows of the table in no window when this one was first read: stamped later than that moment, undated or dated "
        "1970-01-01; a rerun takes the count over",
        about="",
        highest=None,
    ),
    _drift(
        "psi", "population stability index over the reference's unique deciles and a null bin, shares floored at 1e-4"
    ),
    _drift("psi_fine", "population stability index over the frozen bins: percentiles, point masses, tails and null"),
    _drift("kl_divergence", "relative entropy of the window to the reference over the bins of psi, in nats"),
    _drift("js_distance", "Jensen-Shannon distance, base 2: the square root of the divergence", highest=1),
    _drift("ks", "Kolmogorov-Smirnov distance: the largest gap between the distribution functions", highest=1),
    _drift("wasserstein_normed", "Wasserstein-1 distance divided by the reference's standard deviation"),
    _drift("chi2_p", "p-value of the two-sample chi-squared test of homogeneity over all categories", highest=1),
    _drift("p_value", "p-value of the test behind `drifted`; `note` names the test", highest=1),
    _drift("evidently", "score of the Evidently test the monitor names as its method", lowest=None),
    _drift("mean_shift", "mean minus the reference's mean, in standard deviations of the reference", lowest=None),
    _drift(
        "mean_control",
        "sigmas the mean lies above the reference's (Shewhart, Laney); beyond 3 or -3 is out of control",
        lowest=None,
    ),
    _drift("std_shift", "standard deviation divided by the reference's, minus 1", lowest=-1),
    _drift(
        "drifted", "1 where the effect is over its threshold and significant (Benjamini-Hochberg), else 0", highest=1
    ),
    _drift("news", "1 where the window is unlike its own recent past, else 0; computed when judging", highest=1),
    _drift("drift_share", "drifted features divided by the features that could be evaluated", about="", highest=1),
    Metric(
        Kind.DRIFT,
        "class_share",
        "share of the predictions that are of the class",
        tasks=CLASSIFIERS,
        vector="class",
        by_bin=True,
        interval=WILSON,
        highest=1,
        compared=True,
    ),
    Metric(
        Kind.DRIFT,
        "positive_rate",
        "share of the predictions that are positive, known before any label",
        tasks=("binary",),
        interval=WILSON,
        highest=1,
        compared=True,
    ),
    Metric(
        Kind.DRIFT,
        "confidence",
        "mean of the probability the scores give to the likeliest class",
        tasks=CLASSIFIERS,
        interval=STUDENT,
        highest=1,
        compared=True,
    ),
    Metric(
        Kind.DRIFT,
        "reference_age_days",
        "days from the newest row of the reference to the start of the window; `note` says where that is too long",
        lowest=None,
    ),
    _realised("accuracy", "share of rows whose prediction equals the label", tasks=CLASSIFIERS, interval=WILSON),
    _binary("precision", "TP / (TP + FP); null without positive predictions", interval=WILSON),
    _binary("recall", "TP / (TP + FN); null without positive labels", interval=WILSON),
    _binary("f1", "2 TP / (2 TP + FP + FN); null without positive labels or predictions", interval=WILSON),
    _binary("fpr", "FP / (FP + TN); null without negative labels", interval=WILSON),
    _binary("fnr", "FN / (FN + TP); null without positive labels", interval=WILSON),
    _binary("roc_auc", "chance that a positive row scores above a negative one, ties count half", interval=DELONG),
    _binary("brier", "mean squared difference of score and outcome", interval=STUDENT),
    _binary("ece", "mean gap of score and outcome over ten bins of equal mass, weighted by rows"),
    _binary("positive_rate", "share of rows predicted positive", interval=WILSON),
    _binary("label_positive_rate", "share of rows whose label is positive", interval=WILSON),
    _multiclass("f1_macro", "mean of F1 over the classes that occur", interval=DELTA),
    _multiclass("f1_weighted", "mean over classes of F1, weighted by the rows of the class", interval=DELTA),
    _multiclass("precision_macro", "mean of precision over the classes that occur", interval=DELTA),
    _multiclass("recall_macro", "mean of recall over the classes that occur", interval=DELTA),
    _multiclass("roc_auc_ovr_macro", "mean over all classes of one-versus-rest ROC AUC", interval=DELONG),
    _realised("log_loss", "mean of -ln(score of the true class)", tasks=CLASSIFIERS, highest=None, interval=STUDENT),
    _realised(
        "confusion",
        "rows with this label and this prediction",
        tasks=CLASSIFIERS,
        highest=None,
        vector="label→prediction",
    ),
    _binary(
        "reliability",
        "share of positive labels among the rows whose score lies in the bin",
        vector="score bin",
        interval=WILSON,
    ),
    _binary("reliability_score", "mean score of the rows in the bin", vector="score bin"),
    _gap("demographic_parity_difference", "largest minus smallest positive_rate over the values of the segment column"),
    _gap("equalized_odds_difference", "larger of fnr_difference and fpr_difference; null unless every group has both"),
    _gap("accuracy_difference", "largest minus smallest accuracy over the segment column", tasks=CLASSIFIERS),
    _gap("fpr_difference", "largest minus smallest fpr over the values of the segment column that have one"),
    _gap("fnr_difference", "largest minus smallest fnr over the values of the segment column that have one"),
    _loss("mae", "mean absolute error"),
    _loss("rmse", "root of the mean squared error"),
    _loss("r2", "1 - squared errors / squares around the labels' mean", lowest=None, highest=1, interval=DELTA),
    _loss("mean_error", "mean of prediction minus label", lowest=None),
    _loss("median_ae", "median absolute error", interval="order statistics"),
    Metric(
        Kind.PERFORMANCE,
        "estimate_error",
        "matured truth minus the estimate made before the labels; 0 outside the interval is more than other inputs",
        vector="metric",
        lowest=None,
        interval=DELTA,
    ),
    Metric(
        Kind.PERFORMANCE,
        "estimate_reading",
        "0 accuracy or mae as estimated; 1 covariate shift: near an estimate below the reference; 2 concept drift",
        highest=2,
    ),
    _labels("n_labeled", "scored predictions (status 200, prediction present) with a usable label known at as_of"),
    _labels("n_unlabeled", "scored predictions without one"),
    _labels("coverage", "n_labeled divided by the scored predictions", interval=WILSON, highest=1),
    _labels(
        "expected_final_coverage",
        "coverage to expect when all labels have come, from matured windows that lost none",
        highest=1,
    ),
    _labels("mature", "1 where the labels are complete enough to judge performance, else 0", highest=1),
    _labels("label_conflicts", "ids with different labels that arrived at the same moment; none of them is used"),
    _labels("orphan_labels", "labels that arrived for an id no prediction has"),
    _labels(
        "misspelt_share",
        "share of the predictions without a label, of up to 200 asked for, that have one under another spelling of "
        "their id; 1 in a mature window without any label while those that came belong to no prediction",
        highest=1,
        interval=WILSON,
    ),
    _labels(
        "missing_share",
        "share of the labels that must have come by now and have not: 1 - coverage / the least that the matured "
        "windows before had at that age, with some delay allowed; `n` is the labels to be expected",
        highest=1,
    ),
    _labels("label_duplicates", "label rows that give an id a value it was given before"),
    _labels("label_corrections", "labels that arrived after another of their id and said something else"),
    _labels("undated_labels", "ids with a label without a time of arrival; such a label is never used"),
    _labels("early_labels", "labels in use that arrived before their prediction was made"),
    _labels(
        "unknown_label_share",
        "share of the labels that are none of the classes predicted, or no number; from 10 % on no label is used",
        highest=1,
        interval=WILSON,
    ),
    _labels("delay_p50_s", "median of the seconds from prediction to label, over the labels known at as_of"),
    _labels("delay_p95_s", "95th percentile of the seconds from prediction to label"),
    _labels(
        "delay_curve",
        "share of the labels known at maturity that came before this age in seconds, by true class",
        vector="class and age",
        highest=1,
    ),
    _bound("accuracy_worst", "accuracy if every missing label turned out to make its prediction wrong"),
    _bound("accuracy_best", "accuracy if every missing label turned out to make its prediction right"),
    _bound(
        "accuracy_expected",
        "accuracy to expect when all labels have come: weighted by delay curves per version and class",
        interval="finite population",
    ),
    _cbpe("accuracy", "accuracy expected from the calibrated scores, before any label (CBPE)", tasks=CLASSIFIERS),
    _cbpe("precision", "precision expected from the calibrated scores (CBPE)"),
    _cbpe("recall", "recall expected from the calibrated scores (CBPE)"),
    _cbpe("f1", "F1 expected from the calibrated scores (CBPE)"),
    _cbpe("roc_auc", "ROC AUC expected from the calibrated scores (CBPE)"),
    _cbpe("f1_macro", "macro F1 expected from the calibrated scores (CBPE)", tasks=("multiclass",)),
    _cbpe(
        "roc_auc_ovr_macro",
        "mean over classes of one-versus-rest ROC AUC expected from the calibrated scores (CBPE)",
        tasks=("multiclass",),
    ),
    _dle("mae", "mean absolute error expected by decile of prediction (direct loss estimation)"),
    _dle("rmse", "root mean squared error expected by decile of prediction (direct loss estimation)"),
    Metric(
        Kind.KPI,
        "<name>",
        "the sum, count, mean or ratio of sums the file declares under kpis, over the distinct ids its filter keeps, "
        "made of labels only those whose label is known; a reference sum or count is the average of its windows",
        lowest=None,
        interval="mean: Student, ratio: delta method, of 0 and 1: Wilson",
        compared=True,
    ),
    _profile("bin_count", "rows in the frozen bin", vector="frozen bin", lowest=0),
    _profile("bin_sum", "sum of the values in the frozen bin", vector="frozen bin"),
    _profile("n", "rows, nulls included", lowest=0),
    _profile("sum_squares", "sum of the squared values", lowest=0),
    _profile("min", "smallest value"),
    _profile("max", "largest value"),
)
_OF_COLUMNS = [m for m in CATALOG if m.kind is Kind.DRIFT and m.about == "feature" and m.name != "mean_control"]
CATALOG += (*(replace(m, kind=Kind.LABELS, about="label column") for m in _OF_COLUMNS), *SLO_METRICS, GRADE)
_BY_PATH = {metric.path: metric for metric in CATALOG}


def markdown() -> str:
    """Return docs/metrics.md: every metric with kind, name, feature, interval and definition."""
    return "\n".join([_HEAD, *(line for kind in Kind for line in _section(kind))]) + "\n"


def _section(kind: Kind) -> Iterator[str]:
    yield from ("", f"## {kind}", "", *_COLUMNS)
    for each in CATALOG:
        if each.kind is kind:
            tasks = "all" if each.tasks == ALL_TASKS else ", ".join(each.tasks)
            cells = (f"`{each.name}`", each.about, each.vector, tasks, each.interval, each.definition)
            yield f"| {' | '.join(cells)} |".replace("  ", " ")


_HEAD = """# Metrics

Made by `python -m hindsight.monitors.metric_catalog > docs/metrics.md`; a test keeps it so.

A rule names a metric as `kind.name`, for instance `performance.accuracy`. *Feature* says what the `feature` column of a
snapshot holds, *bin* what `bin` holds for a metric of many values. Of these a rule may judge `drift.class_share` alone:
the class that moved most from the reference. *Interval* names the method of the 95 % interval in `lower` and `upper`. A
metric that could not be evaluated is null, and `note` says why.

A metric of performance, or its estimate, is scikit-learn's where defined, and null where its denominator counts no row
or r2's labels are all equal: no `zero_division` stands in, no rule breaches. Macro averages go over the classes among
the labels or predictions at hand; `note` names those left out, and those counted as 0 for occurring on one side only.

Numbers without an interval are of three kinds. Counts, percentiles, shares of bins, KPIs and profiles say what the
window held, and that is known exactly. `accuracy_worst` and `accuracy_best` are ends of an interval themselves.
Distances between distributions and `ece` are never negative and only ever raised by chance, so an interval around them
would mislead: for drift `p_value` says what chance can do, for `ece` the intervals of `reliability` do."""
_COLUMNS = ("| name | feature | bin | tasks | interval | definition |", "|---|---|---|---|---|---|")

if __name__ == "__main__":
    print(markdown(), end="")
