"""Quality: what is wrong with the columns of a window, without any suite.

quality    nulls, unseen categories, ranges, duplicates      sentinels  values that stand for "unknown"
norms      what the reference says is normal                 scales     values in another unit, or rounded
schema     columns that are missing, renamed or retyped
counted    the same of rows that stay in the warehouse
"""
