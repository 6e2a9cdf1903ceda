"""Act: keep what was promised.

delivery    the outbox drained             retraining   claim, train, compare, promote, announce
upkeep      requested runs started, silence noticed, the old forgotten
"""
