"""Suites: Great Expectations, and nowhere else.

suites        what a suite file says, read without importing the library
expectations  a suite run on a window      batches  the rows as the library sees them
drafts        a first suite for a table nobody described
"""
