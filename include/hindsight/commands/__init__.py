"""Commands that are more than a few lines of `cli.py`, and how all of them print.

alerts   how much people are told, and what they make of it
audit    who did what, when and why
backup   ledger and store copied away, and brought back
baseline what windows are compared with; frozen anew, or accepted
chosen   the monitors a command is about
dags     a DAG file for each monitor
console  where answers and errors go, as tables or as JSON, and who asks
expire   what has expired: listed, or deleted
lint     every error of every file, and budgets that cannot be kept
address  where a page is
outbox   what mail waits or was given up; try again, drop
rehearse what the rules would have told of stored windows
retrain  a person asks for a retraining
models   the versions of a model, and the way back to an earlier one
ack      somebody looks after an incident
silence  nobody is told until a moment
slo      what is left of each error budget
review   what a week or a month came to
postmortem  the timeline of a case, as Markdown
doctor   the state of every part
upgrade  tables and files of an earlier version made new
"""
