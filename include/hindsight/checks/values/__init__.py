"""Values: one column's values and the groups of rows they belong to, whatever their type.

numbers        a column as 64-bit floats, or why it is none        lenient     the same, one bad text spoils one row
categories     a column as whole numbers and canonical texts       classes     labels and predictions in one list
samples        the values of one group of rows, sorted, counted    groups      all rows, each version, each segment
distributions  sorted values with counts, and their distances      failures    which requests were not answered
precision      numbers that only changed how many digits are kept
number_texts   the same of numbers that are categories             bins        edges and categories, as they are frozen
counted        a column as the warehouse counted it
"""
