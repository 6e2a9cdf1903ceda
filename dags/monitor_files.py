"""No DAG, but the place where Airflow shows what is wrong with monitor files: as the import error of this file."""

from hindsight.airflow.declared import file_errors

file_errors(__file__)
