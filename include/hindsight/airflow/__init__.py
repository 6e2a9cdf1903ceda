"""Glue: DAGs, tasks, timetable, connections and assets; the only room that imports Airflow."""
