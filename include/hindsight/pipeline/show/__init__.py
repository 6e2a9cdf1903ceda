"""Show: what people look at, gathered from snapshots and ledger.

state          health and numbers of a monitor, the story of its incidents
pages          what the pages show                      accuracy_report  what a night of labels changed
scorecard      segments, calibration, estimates         night_note       the same in a few lines, for a mail
documents      reports made and read                    baseline_contents  what the frozen references hold
snapshots      read_snapshots, for notebooks            audit            who did what, when and why
slos           what is left of error budgets           promises         of models and budgets, on charts
doctor         the state of every part                 postmortem       the timeline of a case, as Markdown
case_page      what the page of a case shows           findings         what it answers
on_call        what is open over all monitors           executive        how the models do
fleet          the list of all monitors
comparing      two windows side by side                debugging        labels by age, cohorts, what failed
carriers       which segments and versions carry an incident
curves           the time series of a monitor's page
happenings     incidents, deploys and the like on them  distributions  a feature then and now
exposition     what Prometheus is told
reviews        what a week or a month came to
alert_load     how much people are told, what they make of it
"""
