"""Vocabulary: the words that every room speaks; they know nothing of monitors, rules or databases.

windows      Window, Grid, durations and moments     measurement  Kind, Measurement: one number about one window
rows         Rows: what a check needs of the rows    letters      a letter, its envelope, the fate of an attempt
severity     how loud                                facts        what was seen of a table nobody described
periods      weeks and months that people look back on
threads      a pool that shares what its maker remembers
counts       what is asked of rows that stay in the warehouse
"""
