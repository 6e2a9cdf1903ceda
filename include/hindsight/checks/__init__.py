"""Check: turn the rows of a window into numbers; every statistic is a pure function."""
