"""Performance: how right the predictions of a window were, by the labels known so far.

performance     every metric of every group          classification, regression  the metrics of each task
outcomes        scored rows joined with their labels  fairness                    gaps between the groups
unknown_labels  labels that are none of the classes

Where a metric is defined, once for all of them and for their estimates: its value is scikit-learn's (in tests
`zero_division=nan`). Where a denominator counts no row (recall without positive labels, precision without positive
predictions, F1 without either, an AUC of one class, r2 of labels without spread) it does not exist: the value is None
and `note` says which rows are missing; no rule breaches on it. A recall of 0 says that there was something to find and
none of it was found.

A macro average goes, as scikit-learn's default does, over the classes that occur among the labels or the predictions
of the rows at hand; a class that does not occur is left out and named. A class that occurs on one side only has an F1,
which is 0; it stays in precision and recall as 0 too and is named: left out there, a model would gain by never
predicting a class it gets wrong. A difference between groups is one of the groups that have the rate; equalised odds
need both rates of every group.
"""
