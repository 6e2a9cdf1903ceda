"""Labels: how much of the truth is known and what is still to come.

labels   how much is known      delays   how late labels come      expected   what accuracy they will say
overdue  labels that must have come and have not
"""
