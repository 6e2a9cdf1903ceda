"""The nightly DAG of every monitor with labels."""

from hindsight.airflow.dags import labels_dag, monitors

for monitor in monitors("labels"):
    labels_dag(monitor)
