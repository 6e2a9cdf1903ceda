"""The DAG of every monitor, one run for each window."""

from hindsight.airflow.dags import monitor_dag, monitors

for monitor in monitors("monitor"):
    monitor_dag(monitor)
