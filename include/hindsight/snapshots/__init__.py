"""Keep: one tidy Parquet table of numbers, written once and never changed."""
