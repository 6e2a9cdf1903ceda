"""The DAGs of all monitors: each window, each night of labels, retraining and rollback.

`hindsight dags --write` gives each monitor a DAG file of its own instead.
"""

from hindsight.airflow.declared import rest_dags

rest_dags(__file__)
