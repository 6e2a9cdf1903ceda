"""Statements: the text of each, for databases no test can start, as a reader of that database would check it.

`python -m tests.warehouse.test_statements` writes the golden files anew, of every dialect that is installed.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
import sqlglot
from sqlglot import exp

from tests.warehouse.statements import recorded

FOLDER = Path(__file__).parent / "sql"
# a URL, sqlglot's name of the dialect, and the functions sqlglot does not know, each looked up in the manual
DIALECTS = {
    "snowflake": ("snowflake://u@account/db/ml", "snowflake", set()),
    "bigquery": ("bigquery://project/ml", "bigquery", set()),
    "redshift": ("redshift+redshift_connector://u@h/db", "redshift", set()),
    "databricks": ("databricks://token:t@h?http_path=p&catalog=c&schema=ml", "databricks", set()),
    "trino": ("trino://u@h/hive/ml", "trino", {"with_timezone"}),
    "mssql": ("mssql+pymssql://u@h/db", "tsql", {"sysutcdatetime", "todatetimeoffset", "varp"}),
    "mysql": ("mysql+pymysql://u@h/ml", "mysql", set()),
}


def _is_installed(url: str) -> bool:
    try:
        sa.make_url(url).get_dialect()
    except (sa.exc.NoSuchModuleError, AttributeError):  # the latter from a driver for another SQLAlchemy
        return False
    return True


def golden(name: str) -> str:
    return (FOLDER / f"{name}.sql").read_text()


def written(url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    parts = (f"-- {use}\n" + ";\n".join(texts) + ";\n" for use, texts in recorded(url, monkeypatch).items())
    return "\n".join(parts)


@pytest.mark.parametrize("name", DIALECTS)
def test_every_statement_is_the_one_that_was_reviewed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = DIALECTS[name][0]
    if not _is_installed(url):
        pytest.skip(f"the dialect of {name} is not installed here, or not for this SQLAlchemy: make engines")
    assert written(url, monkeypatch) == golden(name)


@pytest.mark.parametrize("name", DIALECTS)
def test_every_statement_is_parsed_in_its_dialect(name: str) -> None:
    _, spoken, known = DIALECTS[name]
    statements = sqlglot.parse(golden(name), read=spoken, error_level=sqlglot.ErrorLevel.RAISE)
    assert len(statements) > 20
    assert all(isinstance(one, exp.Query) for one in statements)
    unknown = {call.name.lower() for one in statements if one for call in one.find_all(exp.Anonymous)}
    assert unknown == known


if __name__ == "__main__":
    for called, (address, *_) in DIALECTS.items():
        if _is_installed(address):
            with pytest.MonkeyPatch.context() as patch:
                (FOLDER / f"{called}.sql").write_text(written(address, patch))
                print(FOLDER / f"{called}.sql")
