# Airflow without its optional providers: what Hindsight needs of them is pinned in requirements.txt.
FROM apache/airflow:slim-3.3.2-python3.12
COPY requirements.txt /
RUN pip install --no-cache-dir --compile "apache-airflow==${AIRFLOW_VERSION}" -r /requirements.txt
RUN mkdir -p /opt/airflow/data /opt/airflow/users && chmod g+w /opt/airflow/data && chmod 770 /opt/airflow/users
ENV PYTHONPATH=/opt/airflow/include DO_NOT_TRACK=1 GX_ANALYTICS_ENABLED=false
