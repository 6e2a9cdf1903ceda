"""Declare: what users write about a model, checked and with its defaults filled in.

model        the file as pydantic models         loader       files and folders, every error of each
strict       the base of these models            document     YAML with line numbers
templates    what a file has from the one it extends
rules        a rule, and changes to one          built_in_rules  those every monitor has
kpis         business numbers, what they mean    explain      what pydantic says, in words users know
file_checks  whether the parts make sense together; rule_checks, kpi_checks and counting_checks likewise
metric_catalog  every metric there is, with its definition
keys         what every key means, in keys.yml   key_reference  the same as docs/monitor-file.md
schema       the JSON Schema for editors         times        moments as a command line is given them
own_types    whether the types a file trusts can be imported
calendar     time zone, holidays, and the budget of what is told; budget_checks whether a file can keep it
metric       what there is to say about a metric   retention  how long history is kept
routes       who is told of what           silences     when nobody is told, by cron
due          when a monitor must have reported
earlier_names  names monitors had before, each of one only
drafts       monitor files made in Airflow: where they lie, what they may not say
budget_checks  what a file's rules tell more often than its budget agrees to
slos         what is promised over a period    slo_checks     whether that can be counted and kept
openslo      the same as OpenSLO documents          promotion      what is measured of a promoted version
"""
