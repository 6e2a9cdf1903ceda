"""No DAG, but the place where Airflow shows what is wrong with monitor files: as the import error of this file."""

from hindsight.airflow.dags import check_files

check_files()
