"""Hooks: engines as the hooks of Airflow's providers open them, for every database without a light path of our own.

What a provider makes of a connection's fields (keys, tokens, roles, proxies) is its own business and not repeated here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import sqlalchemy as sa

from hindsight.errors import ConfigError

# Airflow's connection type -> the distribution of the provider that knows it
PROVIDERS: Mapping[str, str] = {
    "databricks": "apache-airflow-providers-databricks",
    "gcpbigquery": "apache-airflow-providers-google",
    "google_cloud_platform": "apache-airflow-providers-google",
    "hiveserver2": "apache-airflow-providers-apache-hive",
    "mssql": "apache-airflow-providers-microsoft-mssql",
    "mysql": "apache-airflow-providers-mysql",
    "oracle": "apache-airflow-providers-oracle",
    "presto": "apache-airflow-providers-presto",
    "redshift": "apache-airflow-providers-amazon",
    "snowflake": "apache-airflow-providers-snowflake",
    "trino": "apache-airflow-providers-trino",
    "vertica": "apache-airflow-providers-vertica",
}
# types whose registered hook speaks no SQL, and the hook of the same provider that does
_SPEAK_SQL = {
    "databricks": "airflow.providers.databricks.hooks.databricks_sql.DatabricksSqlHook",
    "google_cloud_platform": "airflow.providers.google.cloud.hooks.bigquery.BigQueryHook",
}
# types whose hook opens an engine of PostgreSQL's dialect, which the database behind it does not speak
_DRIVERS = {"redshift": "redshift+redshift_connector"}


@dataclass(frozen=True, slots=True)
class Hooked:
    """Opens engines through the hook of a connection; equal to another while no field of the connection differs."""

    connection: str
    kind: str
    hook: str
    fields: str = field(repr=False)

    def __str__(self) -> str:
        return f"connection {self.connection!r}"

    def __call__(self, **options: Any) -> sa.Engine:
        """Return the hook's engine, made with these options of SQLAlchemy; raise ConfigError with what it refuses."""
        from airflow.sdk.exceptions import AirflowException

        kind = _imported(self.hook)
        hook = kind(**{kind.conn_name_attr: self.connection})
        try:
            if driver := _DRIVERS.get(self.kind):
                return sa.create_engine(sa.make_url(hook.get_uri()).set(drivername=driver), **options)
            engine: sa.Engine = hook.get_sqlalchemy_engine(engine_kwargs=options)
        except AirflowException as exc:
            raise ConfigError(f"connection {self.connection!r}: {self.hook.rpartition('.')[2]} refused: {exc}") from exc
        return engine


def hook_of(kind: str) -> str:
    """Return the dotted name of the hook that speaks SQL to connections of this type; "" where none is installed."""
    if "+" in kind or not _is_installed(PROVIDERS.get(kind, "apache-airflow")):
        return ""  # a URL of SQLAlchemy's, or no need to ask Airflow, which takes seconds
    from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime

    known: Mapping[str, Any] = ProvidersManagerTaskRuntime().hooks  # type: ignore[no-untyped-call]
    found = known.get(kind)
    if found is None:
        return ""
    name = _SPEAK_SQL.get(kind, found.hook_class_name)
    return name if hasattr(_imported(name), "get_sqlalchemy_engine") else ""


def _is_installed(distribution: str) -> bool:
    try:
        return bool(version(distribution))
    except PackageNotFoundError:
        return False


def _imported(name: str) -> Any:
    module, _, kind = name.rpartition(".")
    return getattr(import_module(module), kind)
