"""Enabled: whether Airflow has Hindsight's DAGs and pages at all; the command line works without them."""

from __future__ import annotations

import os
from collections.abc import Mapping

from hindsight.errors import ConfigError

_WORDS = dict.fromkeys(("", "true", "1", "yes", "on"), True) | dict.fromkeys(("false", "0", "no", "off"), False)


def is_enabled(environ: Mapping[str, str] | None = None) -> bool:
    """Whether HINDSIGHT_ENABLED leaves DAGs and pages where they are; without the variable it does.

    Raises ConfigError for a word that says neither.
    """
    said = (os.environ if environ is None else environ).get("HINDSIGHT_ENABLED", "").strip()
    if said.lower() not in _WORDS:
        raise ConfigError(f"HINDSIGHT_ENABLED: expected true or false, found {said!r}")
    return _WORDS[said.lower()]
