"""Commands that are more than a few lines of `cli.py`, and how all of them print.

console  where answers and errors go, as tables or as JSON
backup   ledger and store copied away, and brought back
expire   what has expired: listed, or deleted
outbox   what mail waits or was given up; try again, drop
"""
