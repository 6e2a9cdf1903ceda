"""Train: fit a challenger, compare it with the champion, and keep the register of model versions.

train      the user's function on matured rows   compare    better, or too early to tell
registry   every version, at most one champion   artifacts  models kept without pickle
trust      which types such a model may hold        grade      what was promised, kept or not
"""
