"""The retraining DAG of every monitor that declares one."""

from hindsight.airflow.dags import monitors, retrain_dag

for monitor in monitors("retrain"):
    retrain_dag(monitor)
