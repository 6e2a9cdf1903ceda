"""The DAGs that keep Hindsight's promises: the relay and the maintenance."""

from hindsight.airflow.upkeep import maintenance_dag, relay_dag

relay_dag()
maintenance_dag()
