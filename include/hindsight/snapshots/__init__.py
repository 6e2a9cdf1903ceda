"""Keep: one tidy Parquet table of numbers, written once and never changed; closed days are folded into one file.

store       write a window, read as of a moment   tables    the columns, rows to Measurements and back
index       which file holds which snapshot       names     what the path of a file says
compaction  what to fold, and folding it          folds     files that hold many snapshots
baselines   frozen references, their manifests    seen      labels remembered by the night that saw them
files       a root, wherever it lies              parquet   bytes that are whole, or an error
port        what a disk must do                   local, remote: two of them
memory      asking a store once a use case        complaints  what a store lacks, in words
damage      left out and named where it is only shown
moving      the files of a name that was changed
"""
