"""What Grafana does to a query before the database sees it, as far as the dashboards use it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence

_TIME_FILTER = re.compile(r"\$__timeFilter\(([^)]*)\)")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def expanded(sql: str, since: dt.datetime, until: dt.datetime, variables: Mapping[str, str | Sequence[str]]) -> str:
    """Expand macros and variables: a choice of several becomes a list of literals, a single one is put in as it is.

    Raises
    ------
    KeyError : the query uses a macro or a variable that is unknown here.
    """
    bounds = [moment.astimezone(dt.UTC).strftime("'%Y-%m-%dT%H:%M:%SZ'") for moment in (since, until)]
    sql = _TIME_FILTER.sub(lambda match: f"{match[1]} BETWEEN {bounds[0]} AND {bounds[1]}", sql)
    sql = sql.replace("$__timeFrom()", bounds[0]).replace("$__timeTo()", bounds[1])

    def value(match: re.Match[str]) -> str:
        found = variables[match[1] or match[2]]
        if isinstance(found, str):
            return found.replace("'", "''")
        return ",".join("'" + text.replace("'", "''") + "'" for text in found)

    return _VARIABLE.sub(value, sql)
