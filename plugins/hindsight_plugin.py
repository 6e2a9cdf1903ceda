"""Registers Hindsight with Airflow where pip did not by an entry point: as from a checkout on PYTHONPATH."""

from importlib.metadata import entry_points

if not entry_points(group="airflow.plugins", name="hindsight"):  # Airflow complains of a plugin that is there twice
    from hindsight.airflow.plugin import HindsightPlugin  # noqa: F401
