"""Drift: how far a window moved from the reference, and which moves are both large and no accident.

drift      features, prediction and score          age        how old the reference is
outputs    the shares of the classes, confidence   stattests  Evidently's tests as a method
prior      the labels, once they are mature      own_windows  the reference's own windows, as a past
counted    the same of rows that stay in the warehouse

How one column is measured (nulls included) is `reference/column_comparison`, what its effect must exceed
`reference/thresholds`: the reference learns its own thresholds by the same comparison.
"""
