-- The three databases on a new PostgreSQL server: Airflow's own, the ledger, and a warehouse that Hindsight only reads.
\getenv airflow_password AIRFLOW_DB_PASSWORD
\getenv ledger_password LEDGER_PASSWORD
\getenv warehouse_password WAREHOUSE_PASSWORD

CREATE ROLE airflow LOGIN PASSWORD :'airflow_password';
CREATE DATABASE airflow OWNER airflow;
REVOKE CONNECT ON DATABASE airflow FROM PUBLIC;

CREATE ROLE ledger LOGIN PASSWORD :'ledger_password';
CREATE DATABASE ledger OWNER ledger;
REVOKE CONNECT ON DATABASE ledger FROM PUBLIC;

CREATE ROLE warehouse_reader LOGIN PASSWORD :'warehouse_password';
CREATE DATABASE warehouse;
\connect warehouse
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO warehouse_reader;
