"""Keep: one tidy Parquet table of numbers, written once and never changed.

store      write a window, read as of a moment   tables     the columns, rows to Measurements and back
names      path, as-of and revision of a file    parquet    bytes that are whole, or an error
baselines  frozen references and their manifests seen       labels remembered by the night that saw them
files      a root, wherever it lies              port       what a disk must do; local, remote: two of them
"""
