"""Measure: rows in, snapshots out.

windows    the run of a window             nights      what a night of labels measures again
baselines  the frozen reference: fitted when first needed, found, refitted
reference  the rows it is fitted from      kpis        business numbers of a window
first_seen labels without a time of arrival, remembered by the night that first saw them
matching   labels that came under another id      label_history  what matured windows teach, and what is overdue
horizon    what has expired and is refused
numbers    a profile as judging wants it, and the reference's own windows as a baseline keeps them
summary    a window's profile in a few numbers, for judging what is new
completeness  windows whose rows have become more since
counted    a window whose rows stay in the warehouse   by_rows    what only rows can tell: suites, estimates
renaming   what is on record under earlier names taken over
on_record  what of a file does not go with what is on record
definition what in a monitor file decides what its numbers mean
"""
