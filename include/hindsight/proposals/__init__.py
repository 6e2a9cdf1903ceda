"""Propose: a first monitor file for a table nobody described, from facts alone; pure functions.

propose   the whole proposal               roles     which column is what
features  which columns are features       outputs   prediction, score, task
periods   window size and reference        truth     the table of labels
clock     which columns the time of a row fixes    values   scores and statuses by what they hold
proposal  what is proposed, with reasons   draft     the proposal as a YAML file
overrides what a person says over it
"""
