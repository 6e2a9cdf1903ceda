"""Collect: predictions and labels of a window out of a SQL warehouse, as Arrow columns."""
