"""Great Expectations is imported without clouds and other people's warehouses, and nobody else misses them."""

from __future__ import annotations

import subprocess
import sys
from contextlib import nullcontext
from importlib.util import find_spec

import pytest

from hindsight.checks.suites.build import built
from hindsight.checks.suites.library import configured_once, great_expectations
from hindsight.checks.suites.suites import Expectation

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


def test_a_configuration_put_together_once_answers_the_same() -> None:
    kwargs = {"column": "x", "min_value": 0, "max_value": 3, "mostly": 0.5}
    asked = [
        Expectation(type, ("x",), {"type": type, "kwargs": kwargs if "between" in type else {"column": "x"}})
        for type in ("expect_column_values_to_be_between", "expect_column_values_to_not_be_null")
    ]
    answers = []
    with great_expectations() as context:
        import great_expectations as gx
        import pandas as pd

        asset = context.data_sources.add_pandas("window").add_dataframe_asset("rows")
        frame = pd.DataFrame({"x": [1.0, 2.0, 5.0, None]})
        batch = asset.add_batch_definition_whole_dataframe("window").get_batch({"dataframe": frame})
        for way in (nullcontext, configured_once):
            with way():
                made = [built(each, each.kwargs, place) for place, each in enumerate(asked)]
                found = batch.validate(gx.ExpectationSuite(name="window", expectations=made), result_format="BASIC")
            answers.append(found.to_json_dict()["results"])
    assert answers[0] == answers[1]
    assert [answer["success"] for answer in answers[1]] == [True, False]


@pytest.mark.parametrize("code", [LIGHTLY, AN_ENGINE_BEFORE, WHOLE], ids=["lightly", "an engine before", "whole"])
def test_only_what_may_be_asked_is_imported(code: str) -> None:
    if code is not LIGHTLY and find_spec("sqlalchemy_redshift") is None:
        pytest.skip("no second dialect is installed")
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)
