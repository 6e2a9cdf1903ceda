"""Suites: Great Expectations, and nowhere else.

suites        what a suite file says, read without importing the library
conditions    which rows an expectation is about
build         the library's objects, classes of one's own included, or what is wrong with each
places        where an expectation is answered: by the rows in hand or by the warehouse
expectations  a suite run on a window      batches  the rows as the library sees them
library       the library, told nothing    lent     the warehouse's own engine in its hands
drafts        a first suite for a table nobody described
"""
