"""Remember: what Hindsight knows between runs, in one database, PostgreSQL or SQLite.

ledger   open it, read it                  transaction  write about one monitor, under its lock
tables   the tables, every moment in UTC   records      rows as the words of the house
claims   who sends which mail              holds        which mail connection is left alone for a while
connect  open the database, name its failures     forgetting  what has expired, and the horizon
upgrade  older tables brought forward      migrations   the steps, run by Alembic
portable rows as Arrow and back, for backups       earlier  those of an older backup, upgraded
summaries  a few numbers of each window's profile
acceptances  what people said is usual
estimates  what quality was expected of each window
silences   what people asked not to be told of      acknowledgements  what they look after
rollbacks  who put which model version back         heartbeats  when each part was last at work
deploys    when each version was first seen in the log
slo_counts  what SLOs counted in each window        caps     messages promised and held back on a day
fleet      how all monitors stand, in one statement
given      rows a statement brings along
newest     the newest numbers that were judged      courses    the last of some, of all monitors
spans      what happened to all monitors in a span of time
revisions  verdicts that stand no more
row_views  who looked at which rows on a page
undelivered  runs that judged and have not told yet
renames    names whose history moved to another
"""
