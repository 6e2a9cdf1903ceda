"""Rehearse: stored windows judged again by the monitor file as it stands, in a ledger of its own; nobody is told.

rehearsal  the use case, and what came of it     replay  the windows and nights in order of time, judged as ever
tellings   what people would have been told      limits  what each limit of a rule would have opened
"""
