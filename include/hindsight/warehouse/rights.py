"""Rights: which right a login lacks, out of the sentence with which a database refuses it."""

from __future__ import annotations

import re

_POSTGRESQL = re.compile(
    r"permission denied for (?P<what>table|view|materialized view|relation|schema|function) (?P<name>\S+)"
)
_MYSQL = re.compile(
    r"(?P<right>[A-Z][A-Z ]*?) command denied to user \S+(?: for column '(?P<column>[^']+)')?"
    r"(?:(?: for| in) table [`']?(?P<name>[^\s`'\")]+(?:`\.`[^\s`]+)?))?"
)


def missing_right(reason: str) -> str:
    """Return " - grant ..." naming the right that is missing and on what, "" where nothing says that one is."""
    if found := _POSTGRESQL.search(reason):
        name = found["name"]
        if found["what"] == "schema":
            return f" - grant the connection's login the right: GRANT USAGE ON SCHEMA {name} TO its role"
        if found["what"] == "function":
            return f" - grant the connection's login the right: GRANT EXECUTE ON FUNCTION {name} TO its role"
        return (
            f" - grant the connection's login the right to read it: GRANT SELECT ON {name} TO its role; the columns "
            "the monitor file names are enough, GRANT SELECT (column, ...)"
        )
    if found := _MYSQL.search(reason):
        column = f" ({found['column']})" if found["column"] else ""
        name = (found["name"] or "the table").replace("`", "")
        return f" - grant the connection's login the right: GRANT {found['right']}{column} ON {name} TO its user"
    denied = "permission denied" in reason or "command denied" in reason
    return " - grant the connection's login the right to read it" if denied else ""
