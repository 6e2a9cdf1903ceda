"""Check: turn the rows of a window into numbers; every statistic is a pure function.

Below: values, statistics, reference. Above them one room a kind of snapshot: operations, quality, drift, performance,
labels, estimate, kpis; news judges a window by its own past, suites is Great Expectations. A room imports only what
stands before it in this list.
"""
