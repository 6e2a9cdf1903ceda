"""Outputs: what kind of model wrote a column of predictions, which class it looks for, and what its scores mean."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hindsight.monitors.model import Task
from hindsight.proposals.proposal import Proposal, Wishes, plain, shown
from hindsight.vocabulary.facts import ColumnFacts, LabelFacts, TableFacts, snake
from hindsight.vocabulary.rows import Scalar

MOST_CLASSES, FEW_CLASSES = 60, 20
NOTABLE = 0.02  # between two mean scores
_POSITIVE = ("1", "true", "yes", "y", "t", "positive", "pos", "fraud", "default", "churn", "churned", "spam", "bad")
_PREFIXES = ("score", "proba", "prob", "probability", "p")
_SCORE = "source.predictions"


def task_of(table: TableFacts, prediction: ColumnFacts, labels: LabelFacts | None) -> tuple[Task, str]:
    """Return what kind of model writes such predictions, and why."""
    said = f"{prediction.name} has {prediction.distinct:,} value{'s' * (prediction.distinct != 1)}"
    if prediction.kind == "boolean":
        return "binary", f"{prediction.name} is true or false"
    if prediction.kind == "text":
        both = {str(value) for value in (*prediction.values, *(labels.values if labels else ()))}
        return ("binary" if len(both) <= 2 else "multiclass"), said
    if not prediction.known:
        return "binary", f"CHECK: {prediction.name} is null in every row looked at"
    if not prediction.is_whole:
        return "regression", f"{prediction.name} is a number with fractions"
    if prediction.distinct <= 2:
        return "binary", said
    if any(_class_columns(table, prediction).values()):
        return "multiclass", f"{said}, and a column of scores for each"
    if prediction.kind == "integer" and prediction.distinct <= FEW_CLASSES and labels and labels.kind != "fraction":
        few = 0 < len(labels.values) <= FEW_CLASSES
        return ("multiclass" if few else "regression"), f"{said} - CHECK: classes (multiclass) or amounts (regression)?"
    return "regression", f"{prediction.name} is a number of {prediction.distinct:,} values"


def add_positive_label(
    made: Proposal,
    prediction: ColumnFacts,
    labels: LabelFacts | None,
    mean_scores: Mapping[Scalar, float],
    wishes: Wishes,
) -> None:
    """Add the class a binary model looks for: the one the score is higher for, else the usual or the rarer one."""
    values = list(dict.fromkeys(map(plain, (*prediction.values, *(labels.values if labels else ())))))
    usual = [value for value in values if str(value).casefold() in _POSITIVE]
    means = {} if _is_confidence(made) else {plain(value): mean for value, mean in mean_scores.items()}
    value, why = _positive_label(values, usual, means, wishes)
    made.add("model.positive_label", value, why)
    if wishes.positive_label is None and usual and value not in usual:
        made.remark("model", f"CHECK: is the score the probability of {shown(value)}, and not of {shown(usual[0])}?")


def _positive_label(
    values: list[Scalar], usual: list[Scalar], means: Mapping[Scalar, float], wishes: Wishes
) -> tuple[Scalar, str]:
    if wishes.positive_label is not None:
        return wishes.positive_label, "you said so"
    ordered = sorted(means, key=means.__getitem__)
    if len(ordered) == 2 and means[ordered[1]] - means[ordered[0]] > NOTABLE:
        low, top = ordered
        return top, f"the mean score is {means[top]:.2f} where {shown(top)} is predicted, else {means[low]:.2f}"
    if usual:
        return usual[0], "CHECK: the class you look for, which the score is the probability of"
    return (values[-1], "CHECK: the rarer class; name the one you look for") if values else (1, "CHECK: none was seen")


def add_scores(made: Proposal, task: Task) -> set[str]:
    """Add the columns of scores as the task takes them; return those that belong to single classes."""
    prediction = made.table.columns[made.roles["prediction"].column]
    found = made.roles.get("score")
    if task == "regression":
        if found is not None:
            made.remark(_SCORE, f"{found.column} is left out: a regression has no score")
        return set()
    if task == "multiclass":
        return _scores_of_classes(made, prediction)
    if found is None or (_is_confidence(made) and not found.given):
        return _score_of_positive(made, prediction)
    made.add(f"{_SCORE}.score", found.column, found.why)
    return set()


def _scores_of_classes(made: Proposal, prediction: ColumnFacts) -> set[str]:
    columns = {value: column for value, column in _class_columns(made.table, prediction).items() if column}
    if columns and len(columns) == prediction.distinct:
        for value, column in columns.items():
            made.add(f"{_SCORE}.score", column, "", value)
    else:
        made.remark(
            _SCORE, "score takes a column of probabilities for each class, {class: column}; some have none here"
        )
    return set(columns.values())


def _score_of_positive(made: Proposal, prediction: ColumnFacts) -> set[str]:
    """Add the score of the positive class where each of the two has one; else say what is missing."""
    columns = _class_columns(made.table, prediction)
    positive = columns.get(str(made.value("model", "positive_label")))
    if positive:
        made.add(f"{_SCORE}.score", positive, "by its name, the probability of the positive class")
    elif "score" in made.roles:
        made.remark(
            _SCORE,
            f"{made.roles['score'].column} is never under 0.5, so it seems to be the confidence in the prediction; "
            "score takes the probability of the positive class",
        )
    else:
        made.remark(
            _SCORE,
            "No column found for score, the probability of the positive class: without it no ROC AUC, Brier score or "
            "estimate",
        )
    return {column for column in columns.values() if column}


def _is_confidence(made: Proposal) -> bool:
    """Whether the score is never under a half though both classes are predicted."""
    score = made.roles.get("score")
    two = made.table.columns[made.roles["prediction"].column].distinct == 2
    return score is not None and two and made.table.columns[score.column].quantiles.get(0.0, 0.0) >= 0.5


def _class_columns(table: TableFacts, prediction: ColumnFacts) -> dict[str, str | None]:
    """Class -> its column of probabilities, such as score_a; None for a class without one, empty without any."""
    if not 2 <= len(prediction.values) <= MOST_CLASSES:
        return {}
    numbers = [column for column in table.columns.values() if column.is_number]
    by_name = {name: column for column in numbers for name in (snake(column.name), column.name.casefold())}
    for prefix in _PREFIXES:
        names = {
            str(plain(v)): f"{prefix}_{re.sub(r'[^a-z0-9]+', '_', str(plain(v)).casefold())}" for v in prediction.values
        }
        found = {value: by_name.get(name) for value, name in names.items()}
        if any(found.values()):
            return {value: column.name if column else None for value, column in sorted(found.items())}
    return {}
