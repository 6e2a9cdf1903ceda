"""The DAGs that keep Hindsight's promises: the relay and the maintenance."""

from hindsight.airflow.declared import upkeep_dags

upkeep_dags(__file__)
