"""Great Expectations is imported without clouds and other people's warehouses, and nobody else misses them."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

LIGHTLY = """
import gc, sys
from hindsight.checks.suites.library import WITHOUT, great_expectations

with great_expectations() as context:
    from great_expectations.compatibility import aws
    from great_expectations.expectations.core import expect_column_kl_divergence_to_be_less_than as drawing

assert not aws.boto3 and not aws.redshiftdialect
assert not {"altair", *WITHOUT} & set(sys.modules)
assert gc.isenabled()
assert drawing.alt.Chart.__name__ == "Chart" and "altair" in sys.modules
"""
AN_ENGINE_BEFORE = """
import sqlalchemy_redshift.dialect
from hindsight.checks.suites.library import great_expectations

with great_expectations():
    from great_expectations.compatibility import aws

assert aws.redshiftdialect is sqlalchemy_redshift.dialect
"""
WHOLE = """
from hindsight.checks.suites.library import great_expectations

with great_expectations(whole=True):
    from great_expectations.compatibility import aws

assert aws.redshiftdialect
"""


@pytest.mark.parametrize("code", [LIGHTLY, AN_ENGINE_BEFORE, WHOLE], ids=["lightly", "an engine before", "whole"])
def test_only_what_may_be_asked_is_imported(code: str) -> None:
    if code is not LIGHTLY and find_spec("sqlalchemy_redshift") is None:
        pytest.skip("no second dialect is installed")
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)
