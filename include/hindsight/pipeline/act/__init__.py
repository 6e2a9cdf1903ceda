"""Act: keep what was promised.

delivery    the outbox drained                  retraining   claim, train, compare, promote, announce
requests    runs of DAGs that were asked for    maintenance  silence noticed, the old forgotten
outbox      mail that waits, by hand            folding      the files of closed days made one
backup      ledger and store copied away        restore      brought back; copies: what a backup is
rollback    an earlier champion comes back      silences     mail held while all it tells is silenced
alerts_posted  what is open, posted to Alertmanagers
retention   what has expired deleted            expiry       what has expired, by names and rows alone
answers     what people say of a case: I look after it, this was meant, not now
undelivered    between judging and telling: what a second try of a run leaves out
row_views      rows of a case read live for people, on record and never stored
completeness   runs asked for of windows to which rows came late
"""
