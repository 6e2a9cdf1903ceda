"""Glue: DAGs, tasks, timetable, connections and assets; the only room that imports Airflow.

dags         the DAGs of a monitor file          tasks       what each task does, in a few statements
retraining   the tasks of retrain__<name>        upkeep      hindsight__relay and hindsight__maintenance
declared     which DAGs a DAG file builds        dag_files   one for each monitor, written
timetable    one run for every window            runs        which window or night a run is about
connections  Airflow's records as our settings   assets      what users' DAGs are scheduled on
rolling_back the tasks of rollback__<name>
pauses       resuming moves on, never catches up describe    what the UI says about a DAG
records      what Airflow's database says of our DAGs
renamed      what the DAG of an earlier name has done
plugin       registers all of it with Airflow
scrape       numbers for Prometheus              log_lines   what a line of a task's log is about
proposing    hindsight__propose: a monitor from a form   enabled  whether any of it is there
web          the pages, signed in                first_start secrets and users before the first process
task_retries which failures may pass             approval_operator  keeps who said yes or no to a model
preload      what tasks import, imported once in their parent
notifier     words about users' own DAGs   answers      given on the page of a case
case_rows    rows of a case, for who may edit
comparing    which windows an address asks to see side by side
hooks        engines as providers open them
heartbeat    where signs of life go
"""
