"""Statistics: pure formulas with their source; they know numbers and counts, and nothing of rows or monitors.

effects    PSI, Jensen-Shannon, chi-squared, Kolmogorov-Smirnov, Benjamini-Hochberg
intervals  95 % intervals of rates, means and scores
contributions  how much each part of the rows adds to a change
rates      a share or a mean as a measurement, or None with the reason
"""
