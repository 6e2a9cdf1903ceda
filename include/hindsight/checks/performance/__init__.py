"""Performance: how right the predictions of a window were, by the labels known so far.

performance     every metric of every group          classification, regression  the metrics of each task
outcomes        scored rows joined with their labels  fairness                    gaps between the groups
strangers       labels that are none of the classes
"""
