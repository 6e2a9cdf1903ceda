"""The rollback DAG of every monitor whose file declares a retraining: such models have earlier versions."""

from hindsight.airflow.dags import monitors, rollback_dag

for monitor in monitors("rollback"):
    rollback_dag(monitor)
